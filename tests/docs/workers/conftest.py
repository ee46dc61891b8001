"""What is tested where."""

from importlib.util import find_spec

# Its server is heavy, so it comes with a session of nox of its own.
collect_ignore = [] if find_spec("temporalio") else ["test_temporal.py"]
