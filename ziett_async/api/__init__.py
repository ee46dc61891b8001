"""One room per resource of the API: its operations, and a typed method for each."""
