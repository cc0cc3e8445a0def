"""Ids in addresses: each is one percent-encoded part of the path, also an id with a slash.

A booking may be called `BK-1/change`. Its page is `/bookings/BK-1%2Fchange`, and `/bookings/BK-1/change` is a page of
`BK-1`. So paths are routed as they came, and the parts are decoded afterwards.

An id that is `.` or `..` has a comma behind it: browsers take such a part, also encoded, for a step in the path. A
comma of an id itself is encoded.
"""

from collections.abc import Mapping
from typing import Any, Final
from urllib.parse import quote, unquote

from starlette.types import ASGIApp, Receive, Scope, Send

_END: Final = ","
_STEPS: Final = (".", "..")


def part_of(text: str) -> str:
    """Return an id as one part of a path."""
    return text + _END if text in _STEPS else quote(text, safe="")


def ids_of(path_params: Mapping[str, Any]) -> dict[str, str]:
    """Return the ids that the parts of a routed path stand for."""
    return {name: _id_of(str(part)) for name, part in path_params.items()}


def _id_of(part: str) -> str:
    text = unquote(part)
    return text.removesuffix(_END) if part.endswith(_END) and text.removesuffix(_END) in _STEPS else text


class RawPaths:
    """ASGI middleware: the path that is routed is the one that came, with its parts still encoded.

    A slash at its end means nothing: `/arrivals/` is `/arrivals`. No redirect: the router would make an address of what
    the client says in `Host`.
    """

    def __init__(self, app: ASGIApp) -> None:
        self._app = app

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request. In place, because what is around this reads in the scope what the router writes."""
        if raw_path := scope.get("raw_path"):
            path = raw_path.partition(b"?")[0].decode("ascii", "replace")
            scope["path"] = path.rstrip("/") or "/"
        await self._app(scope, receive, send)
