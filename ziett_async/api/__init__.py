"""One module for each resource of the API: its operations, with a typed method for each."""
