"""Bearer tokens: whether a request has a valid one, and which."""

import hmac
from collections.abc import Sequence

from receiver.bodies import Headers
from receiver.refusals import InvalidToken


def place_of(shown: bytes, known: Sequence[bytes]) -> int:
    """Return the index of the `shown` token in `known`, from 0. Raises InvalidToken.

    All tokens are compared, each in constant time, so that the time it takes doesn't tell how much of a token is right.
    """
    matches = [hmac.compare_digest(shown, each) for each in known]
    if not any(matches):
        raise InvalidToken
    return matches.index(True)


class BearerTokens:
    """The tokens of one setting. Any of them is accepted."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self._tokens = tuple(token.encode() for token in tokens)

    def check(self, headers: Headers) -> int:
        """Return the number of the request's token, from 1. Raises InvalidToken."""
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        if scheme.lower() != b"bearer":
            raise InvalidToken
        return place_of(token.strip(), self._tokens) + 1
