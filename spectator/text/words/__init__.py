"""Words: folding, slugs, names, languages, excerpts and snippets."""
