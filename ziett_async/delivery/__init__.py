"""Whether messages were delivered: what to ask the server for, and the loop that asks."""
