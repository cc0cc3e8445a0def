"""Counts and times every request of the console, by route: never by address, which holds ids."""

import time
from collections.abc import Iterable, Mapping

from starlette.routing import BaseRoute, Mount, Route
from starlette.types import ASGIApp, Message, Receive, Scope, Send

from shared import metrics


class PageMetrics:
    """Middleware around all others. `routes` are those of the app."""

    def __init__(self, app: ASGIApp, routes: Iterable[BaseRoute]) -> None:
        self._app = app
        self._paths = paths_of(routes)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        began = time.perf_counter()

        async def send_measured(message: Message) -> None:
            if message["type"] == "http.response.start":
                # The router has put the endpoint into the scope; where it found none there is none.
                path = self._paths.get(id(scope.get("endpoint")), metrics.OTHER)
                metrics.PAGES.add(path, f"{message['status'] // 100}xx")
                metrics.PAGE_SECONDS.observe(time.perf_counter() - began, path)
            await send(message)

        await self._app(scope, receive, send_measured)


def paths_of(routes: Iterable[BaseRoute]) -> Mapping[int, str]:
    """Return the path of each route, by the identity of what serves it."""
    found: dict[int, str] = {}
    for route in routes:
        match route:
            case Route():
                found[id(route.endpoint)] = route.path
            case Mount():
                found[id(route.app)] = route.path
            case _:
                pass
    return found
