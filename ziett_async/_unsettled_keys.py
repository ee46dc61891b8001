"""Idempotency keys with an unknown outcome.

A later call with such a key is never reported as not sent, since an earlier one may have been
carried out. The same holds while another call with its key is in progress. A key is kept with a
digest of the bytes it was sent with, because only an answer about those bytes settles it.
"""

from math import inf

import attrs

#: Seconds for which the server answers a repeated key with the first result (API page,
#: Idempotency).
KEY_LIFETIME = 24 * 60 * 60.0


class KeyForgotten(Exception):
    """The server may have forgotten a key, so that another attempt could send again."""

    def __str__(self) -> str:
        return "its turn came when the server may have forgotten the key"


@attrs.define(eq=False, repr=False)
class KeyUse:
    """What a client knows about one idempotency key."""

    #: Calls with this key that are in progress.
    calls: int = 0
    #: Digests of bytes that were sent with it and that no answer has settled.
    unsettled: set[int] = attrs.field(factory=set[int])
    #: When the server forgets the key at the earliest, in seconds since 1970.
    expires: float = inf

    @property
    def is_shared(self) -> bool:
        """Whether the server may know the key from a call other than the one that asks."""
        return self.expires < inf and (bool(self.unsettled) or self.calls > 1)

    def recall(self, digest: int, begun_at: float) -> None:
        """Take over what another process left unsettled; it began at that time."""
        self.unsettled.add(digest)
        self.expires = min(self.expires, begun_at + KEY_LIFETIME)


class UnsettledKeys:
    """The keys that callers know, while they are in use or unsettled.

    An unsettled key is kept until the server forgets it; after that a call with it is a new
    one. A key that the caller cannot know, such as that of a cancelled call that was given
    none, is not kept.
    """

    def __init__(self) -> None:
        #: In order of first use, so the first entry is the first that the server forgets.
        self.uses: dict[str, KeyUse] = {}

    def begin(self, key: str, now: float) -> KeyUse:
        """Begin a call with a caller's key and return what is known about it; `end` must follow."""
        while self.uses and self._forget(next(iter(self.uses)), now):
            pass
        self._forget(key, now)
        use = self.uses.setdefault(key, KeyUse())
        use.calls += 1
        return use

    def end(self, key: str, use: KeyUse) -> None:
        """End a call; its key is kept while it is unsettled or still in use."""
        use.calls -= 1
        if use.calls or use.unsettled:
            self.uses.setdefault(key, use)
        else:
            self.uses.pop(key, None)

    def _forget(self, key: str, now: float) -> bool:
        """Forget a key that the server has forgotten and no call uses; return whether it was so."""
        use = self.uses.get(key)
        is_over = use is not None and not use.calls and use.expires <= now
        if is_over:
            del self.uses[key]
        return is_over
