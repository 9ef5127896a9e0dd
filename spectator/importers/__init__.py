"""Stories from elsewhere: one module a format, each yielding records; one runner saves them."""
