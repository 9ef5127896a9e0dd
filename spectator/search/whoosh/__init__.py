"""The Whoosh index: schema, writer, reader, scoring, filters and facets."""
