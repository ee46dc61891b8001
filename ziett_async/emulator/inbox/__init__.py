"""The page with the messages that were sent."""
