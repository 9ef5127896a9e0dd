"""The language of searches: queries, the shared analyser, spelling and suggestions."""
