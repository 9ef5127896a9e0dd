"""Search figures of `make bench-search`, compared with Whoosh's own matchers and SQLite FTS5."""
