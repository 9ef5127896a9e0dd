"""Search in PostgreSQL: the tokens of our own analysis in a `tsvector`, ranked with BM25."""
