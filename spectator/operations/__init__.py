"""Keep an installation well: set it up, say what is wrong with it."""
