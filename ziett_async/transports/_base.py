"""The transport's port: one request to one answer."""

from typing import Protocol

from ziett_async._wire import Request, Response


class Transport(Protocol):
    """Carries one attempt; yours can be any object with these two methods.

    `ziett_async.testing` has the conformance tests that it should pass.
    """

    async def send(self, request: Request) -> Response:
        """Send these bytes once and return the whole answer, whatever its status.

        Takes at most `request.timeout` seconds in all, follows no redirect, repeats
        nothing. A cancelled `send` leaves nothing behind.

        Raises:
            SendFailed: there is no complete response; no other exception is raised.

        """
        ...

    async def aclose(self) -> None:
        """Close all connections; closing again does nothing."""
        ...
