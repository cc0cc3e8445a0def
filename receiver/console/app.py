"""The assembly of process `console`: the only place that knows all its parts."""

import os
from typing import Final

from starlette.applications import Starlette
from starlette.middleware import Middleware
from starlette.middleware.gzip import GZipMiddleware
from starlette.routing import Mount, Route
from starlette.staticfiles import StaticFiles

from receiver.auth_failures import AuthFailureLimiter
from receiver.console.api import Api
from receiver.console.authentication import Tokens
from receiver.console.pages import Pages
from receiver.console.ports import Ports, open_ports
from receiver.console.rendering import FOLDER, make_templates
from receiver.console.security_headers import SecurityHeaders
from receiver.console.sessions import Sessions
from receiver.console.table import OPERATIONS
from receiver.readiness import healthz
from shared.clock import Clock, system_clock
from shared.console_tokens import parse_console_token
from shared.settings import Settings

REQUIRED: Final = ("REDIS_URL", "CONSOLE_TOKENS")


def create_app(settings: Settings, clock: Clock = system_clock, *, ports: Ports | None = None) -> Starlette:
    """Assemble the app; nothing is connected before the first request."""
    ports = ports or open_ports(settings, clock)
    known = [parse_console_token(each.get_secret_value()) for each in settings.console_tokens]
    tokens, sessions = Tokens(known), Sessions(ports.redis, known)
    auth_failures = AuthFailureLimiter(
        a_minute=settings.rejection_limit, trusted_proxies=os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
    )
    pages = Pages(
        ports=ports, tokens=tokens, sessions=sessions, auth_failures=auth_failures, templates=make_templates()
    )
    api = Api(ports=ports, tokens=tokens, auth_failures=auth_failures)
    return Starlette(
        routes=[
            *api.routes(OPERATIONS),
            Route("/healthz", healthz),
            Mount("/static", StaticFiles(directory=FOLDER / "static")),
            *pages.routes(OPERATIONS),
        ],
        middleware=[Middleware(SecurityHeaders), Middleware(GZipMiddleware, minimum_size=1_000)],
    )
