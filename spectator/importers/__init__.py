"""Importers: one module per format yields records, and one runner saves them."""
