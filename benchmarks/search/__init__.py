"""What `make bench-search` runs: the figures of search, held against their goals and against SQLite FTS5."""
