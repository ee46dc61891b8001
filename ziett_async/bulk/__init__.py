"""Many messages: from a list of people to what became of each message."""
