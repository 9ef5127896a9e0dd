"""The figures of `make bench-search`, with Whoosh's matchers and SQLite FTS5 beside them."""
