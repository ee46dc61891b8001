"""API keys: which ones the service accepts (401) and what each may do (403)."""

from collections.abc import Collection, Mapping

from ziett_async._fake.operations import SCOPES
from ziett_async._fake.responses import Refusal

_TEST_PREFIX = "zk_test_"


class ApiKeys:
    """The API keys that the service accepts, each with its scopes.

    Args:
        scopes: the scopes of each key, read at every request; None accepts every key that
            begins with `zk_test_`, with every scope.

    """

    def __init__(self, scopes: Mapping[str, Collection[str]] | None) -> None:
        self._scopes = scopes

    def authorize(self, api_key: str | None, scope: str) -> str:
        """Return the key if it is known and has the scope.

        Raises:
            Refusal: 401, if the key is missing or unknown; 403, if it lacks the scope.

        """
        scopes = self._scopes_of(api_key or "")
        if api_key is None or scopes is None:
            raise Refusal(401)
        if scope not in scopes:
            raise Refusal(403, f"The API key lacks the scope {scope}")
        return api_key

    def _scopes_of(self, api_key: str) -> Collection[str] | None:
        if self._scopes is not None:
            return self._scopes.get(api_key)
        is_known = api_key.startswith(_TEST_PREFIX) and api_key != _TEST_PREFIX
        return SCOPES if is_known else None
