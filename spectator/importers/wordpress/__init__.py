"""WordPress: its export files (WXR), in streams, to records for the runner."""
