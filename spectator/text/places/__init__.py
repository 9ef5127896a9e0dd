"""Places: countries and their names."""
