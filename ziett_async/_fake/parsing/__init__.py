"""Bodies and queries, read as the API documents them."""
