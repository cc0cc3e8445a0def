"""Bearer tokens: which of the known ones a request shows."""

import hmac

from receiver.bodies import Headers
from receiver.refusals import InvalidToken


class BearerTokens:
    """The tokens of one setting. Any of them is accepted."""

    def __init__(self, tokens: tuple[str, ...]) -> None:
        self._tokens = tuple(token.encode() for token in tokens)

    def check(self, headers: Headers) -> int:
        """Return the place, from 1, of the token that the request shows. Raises InvalidToken."""
        scheme, _, token = headers.get(b"authorization", b"").partition(b" ")
        # Every token is compared, each in constant time: how long it takes tells nothing.
        matches = [hmac.compare_digest(token.strip(), known) for known in self._tokens]
        if scheme.lower() != b"bearer" or not any(matches):
            raise InvalidToken
        return matches.index(True) + 1
