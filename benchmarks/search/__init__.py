"""The figures of `make bench-search`, with their goals and SQLite FTS5 for comparison."""
