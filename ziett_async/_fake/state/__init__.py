"""What the service remembers, and how it changes with time."""
