"""The service's rules in memory: no I/O, no server. It knows the API's documentation alone."""
