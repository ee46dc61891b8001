"""The service's rules in memory: no I/O, no server. Derived from the API's documentation alone."""
