"""Authentication and roles: checked on the server for every request.

The API takes bearer tokens alone, pages take sessions alone. So a page of another site can't use somebody's session for
the API, and a request that changes something by a session must come from a page of ours.
"""

from collections.abc import Iterable
from urllib.parse import urlsplit

from starlette.requests import Request

from receiver.refusals import InvalidToken
from receiver.tokens import place_of
from shared.console_tokens import ConsoleToken, Role


class NotAllowed(Exception):
    """The role isn't enough. `needed` is the one that is."""

    def __init__(self, needed: Role) -> None:
        super().__init__(needed)
        self.needed = needed


class CrossSiteRequest(Exception):
    """A request that changes something came from a page of another site, or from no page."""


class Tokens:
    """The tokens of CONSOLE_TOKENS."""

    def __init__(self, tokens: Iterable[ConsoleToken]) -> None:
        self._tokens = tuple(tokens)

    def find(self, shown: str) -> ConsoleToken:
        """Return the token that is shown. Raises InvalidToken."""
        known = [each.token.encode() for each in self._tokens]
        return self._tokens[place_of(shown.encode("utf-8", "replace"), known)]

    def of_bearer(self, request: Request) -> ConsoleToken:
        """Return the token in the header `authorization`. Raises InvalidToken."""
        scheme, _, shown = request.headers.get("authorization", "").partition(" ")
        if scheme.lower() != "bearer":
            raise InvalidToken
        return self.find(shown.strip())


def check_role(token: ConsoleToken, needed: Role) -> None:
    """Raise NotAllowed unless the token's role is enough."""
    if not token.role.allows(needed):
        raise NotAllowed(needed)


def check_same_origin(request: Request) -> None:
    """Raise CrossSiteRequest unless the browser says that one of our own pages made the request.

    `Sec-Fetch-Site` says it; a browser that doesn't send that sends `Origin` with every POST.
    """
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        if site != "same-origin":
            raise CrossSiteRequest
    elif urlsplit(request.headers.get("origin", "")).netloc != request.headers.get("host", ""):
        raise CrossSiteRequest
