"""The state of the service, and how it changes over time."""
