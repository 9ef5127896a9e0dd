"""The operation of a site: setup, diagnosis, file modes, logs and monitoring."""
