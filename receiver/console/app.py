"""The assembly of process `console`: the only place that knows all its parts."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from dataclasses import replace
from http import HTTPStatus
from typing import Final

import structlog
from redis.exceptions import RedisError
from starlette.applications import Starlette
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Mount, Route
from starlette.staticfiles import StaticFiles

from receiver.auth_failures import AuthFailureLimiter
from receiver.console.addresses import RawPaths
from receiver.console.api import PREFIX, Api, refusal_json
from receiver.console.authentication import Tokens
from receiver.console.changes import Changes
from receiver.console.exports import EXPORTS
from receiver.console.openapi import document
from receiver.console.page_metrics import PageMetrics
from receiver.console.pages import Pages
from receiver.console.ports import Ports, open_ports
from receiver.console.refused import refused_by_router
from receiver.console.rendering import FOLDER, make_templates
from receiver.console.security_headers import SecurityHeaders, headers_of
from receiver.console.sessions import Sessions
from receiver.console.table import OPERATIONS
from receiver.readiness import healthz
from receiver.refusals import json_response
from shared.clock import Clock, system_clock
from shared.console_tokens import parse_console_token
from shared.ledger.booking_index_repair import BookingIndexRepair
from shared.settings import Settings

REQUIRED: Final = ("REDIS_URL", "CONSOLE_TOKENS")

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def create_app(settings: Settings, clock: Clock = system_clock, *, ports: Ports | None = None) -> Starlette:
    """Assemble the app; nothing is connected before the first request."""
    ports = ports or open_ports(settings, clock)
    known = [parse_console_token(each.get_secret_value()) for each in settings.console_tokens]
    tokens, sessions = Tokens(known), Sessions(ports.redis, known)
    auth_failures = AuthFailureLimiter(
        a_minute=settings.rejection_limit, trusted_proxies=os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
    )
    pages = Pages(
        ports=ports,
        tokens=tokens,
        sessions=sessions,
        auth_failures=auth_failures,
        templates=make_templates(),
        changes=Changes(ports),
    )
    api = Api(ports=ports, tokens=tokens, auth_failures=auth_failures)

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        # Once, after an update: pages are served meanwhile, and bookings are found as their places are written.
        filling = asyncio.create_task(run_in_threadpool(_fill_indexes, ports))
        yield
        filling.cancel()
        ports.close()

    routes: list[BaseRoute] = [
        *api.routes(OPERATIONS),
        Route(f"{PREFIX}/openapi.json", _openapi),
        Route("/metrics", api.metrics),
        Route("/healthz", healthz),
        Mount("/static", StaticFiles(directory=FOLDER / "static")),
        *pages.export_routes(EXPORTS),
        *pages.routes(OPERATIONS),
    ]

    async def refuse(request: Request, error: Exception) -> Response:
        """Answer where no route did: programs in JSON, people with a page."""
        status = error.status_code if isinstance(error, HTTPException) else HTTPStatus.INTERNAL_SERVER_ERROR
        headers = error.headers if isinstance(error, HTTPException) else None
        why = replace(refused_by_router(status), headers=dict(headers or {}))
        if f"{request.url.path}/".startswith((f"{PREFIX}/", "/metrics/", "/static/", "/healthz/")):
            response = refusal_json(why)
        else:
            response = await pages.refusal_page(why, request)
        # What failed is answered outside of all middleware.
        response.headers.update(headers_of(request.url.path))
        return response

    app = Starlette(
        lifespan=lifespan,
        routes=routes,
        exception_handlers={HTTPException: refuse, Exception: refuse},
        middleware=[
            Middleware(RawPaths),
            Middleware(PageMetrics, routes=routes),
            Middleware(SecurityHeaders),
            # Level 9, the default, takes three times as long for a few percent.
            Middleware(GZipMiddleware, minimum_size=1_000, compresslevel=4),
        ],
    )
    # Its redirects would lead to whatever a client sends as `Host`.
    app.router.redirect_slashes = False
    return app


async def _openapi(_: Request) -> Response:
    """Describe the API; it says nothing of any booking, so it needs no token."""
    return json_response(200, document(OPERATIONS))


def _fill_indexes(ports: Ports) -> None:
    """Fill the indexes where an older version left them empty. Without the data server it waits for the next start."""
    try:
        if BookingIndexRepair(ports.redis, ports.ledger).fill():
            ports.alerts.index_open()
    except (RedisError, OSError) as error:
        log.warning("bookings.not_indexed", error=str(error))
