"""What each endpoint of the service does."""
