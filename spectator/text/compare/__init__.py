"""Comparing two texts: differences, three-way merge, what an edit would lose."""
