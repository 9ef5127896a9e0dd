"""Pure functions on text; nothing here imports the rest of the package."""
