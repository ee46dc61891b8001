"""Calls seen from outside: the observer's port; `opentelemetry` has the first adapter."""

from ziett_async.instrumentation._observer import ObservedCall, Observer

__all__ = ["ObservedCall", "Observer"]
