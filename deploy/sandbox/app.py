"""The whole sandbox as one ASGI app: the API first, because it is what must be fast."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route
from starlette.types import ASGIApp, Receive, Scope, Send

from deploy.sandbox.api.app import HEALTH_PATH, Api
from deploy.sandbox.api.operations import OPERATIONS
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.control.observe import ENDPOINTS
from deploy.sandbox.control.sink import PREFIX, Sink
from deploy.sandbox.pages import buttons, script, style
from deploy.sandbox.pages.alerts import alerts_page
from deploy.sandbox.pages.endpoints import endpoints_page
from deploy.sandbox.pages.home import home


def create_app(sandbox: Sandbox) -> ASGIApp:
    """Return the app; its lifespan lets time pass in the sandbox."""
    api, sink, rest = Api(sandbox), Sink(sandbox), _rest(sandbox)

    async def app(scope: Scope, receive: Receive, send: Send) -> None:
        path = str(scope.get("path", ""))
        if path in OPERATIONS or path == HEALTH_PATH:
            await api(scope, receive, send)
        elif path.startswith(PREFIX):
            await sink(scope, receive, send)
        elif scope["type"] == "lifespan" or _is_ours(path):
            await rest(scope, receive, send)
        else:
            await api(scope, receive, send)

    return app


def _is_ours(path: str) -> bool:
    return path in {"/", "/alerts", "/alerts.json", "/sandbox"} or path.startswith("/sandbox/")


def _rest(sandbox: Sandbox) -> Starlette:
    async def show_home(request: Request) -> Response:
        return home(sandbox, done=request.query_params.get("done", ""))

    async def show_alerts(request: Request) -> Response:
        return alerts_page(sandbox, request.query_params)

    async def show_endpoints(_: Request) -> Response:
        return endpoints_page()

    async def show_style(_: Request) -> Response:
        return Response(style.CSS, media_type="text/css")

    async def show_script(_: Request) -> Response:
        return Response(script.JS, media_type="text/javascript")

    async def press(request: Request) -> Response:
        return await buttons.press(sandbox, request)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncIterator[None]:
        time_passes = asyncio.create_task(sandbox.run())
        try:
            yield
        finally:
            time_passes.cancel()
            with suppress(asyncio.CancelledError):
                await time_passes
            sandbox.store.close()

    pages = [
        Route("/", show_home),
        Route("/alerts", show_alerts),
        Route("/sandbox/endpoints", show_endpoints),
        Route(style.PATH, show_style),
        Route(script.PATH, show_script),
        Route(buttons.PATH, press, methods=["POST"]),
    ]
    controls = [control.route(sandbox) for control in ENDPOINTS]
    return Starlette(routes=[*pages, *controls], lifespan=lifespan)
