"""Many messages: the numbers of an audience."""
