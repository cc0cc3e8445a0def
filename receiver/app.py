"""The assembly of process `web`: the only module that knows all of its parts."""

import asyncio
import os
from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager, suppress
from functools import partial
from http import HTTPStatus
from typing import Final

from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import BaseRoute, Route
from starlette.types import ASGIApp, Receive, Scope, Send

from receiver.admission import Admission
from receiver.auth_failure_counts import AuthFailureCounts
from receiver.auth_failures import AuthFailureLimiter
from receiver.bodies import BodyReader
from receiver.booking_routes import booking_routes
from receiver.endpoint import PostEndpoint
from receiver.inbox import Inbox
from receiver.parked_webhooks import ParkedWebhooks
from receiver.readiness import Readiness, healthz
from receiver.refusals import json_response
from receiver.refused_bookings import RefusedBookings
from receiver.sender_clock import SenderClock
from receiver.slack_actions import SlackActions
from receiver.webhook_endpoint import SeamWebhook
from receiver.webhook_intake import WebhookIntake
from receiver.webhook_signature import WebhookSecrets
from shared.clock import Clock, system_clock
from shared.contracts import BOOKING_FIELD, EVENT_FIELD, OPS_STREAM
from shared.ops_commands import COMMAND_FIELD
from shared.redis_client import connect_async
from shared.settings import Settings

REQUIRED: Final = ("SEAM_WEBHOOK_SECRET", "REDIS_URL")
_HOW_TO_CHANGE: Final = (
    "POST a booking message to /bookings: the whole booking again to change it, or one of type booking.cancelled"
)
_WEBHOOK_PATH: Final = "/webhooks/seam"


class Web:
    """The whole app: Starlette, and a shortcut past its middleware for `POST /webhooks/seam`.

    The shortcut calls the same endpoint as the route. It saves a tenth of a webhook's cost.
    """

    def __init__(self, starlette: Starlette, webhook: ASGIApp) -> None:
        self.starlette = starlette
        self._webhook = webhook

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve a request, or the lifespan."""
        if scope.get("path") == _WEBHOOK_PATH and scope.get("method") == "POST":
            await self._webhook(scope, receive, send)
        else:
            await self.starlette(scope, receive, send)


def create_app(
    settings: Settings,
    clock: Clock = system_clock,
    *,
    counts: AuthFailureCounts | None = None,
    sender_clock: SenderClock | None = None,
) -> Web:
    """Assemble the app. Its connections open when they are first used, and close at the end of its lifespan.

    Failed signatures and tokens are counted in `counts`. `sender_clock` is given the timestamps of webhooks.
    """
    redis = connect_async(settings.redis_address)
    inbox = partial(Inbox, redis, clock=clock, sync_replicas=settings.sync_replicas)
    events = inbox(stream=settings.event_stream, field=EVENT_FIELD)
    bookings = inbox(stream=settings.booking_stream, field=BOOKING_FIELD)
    commands = inbox(stream=OPS_STREAM, field=COMMAND_FIELD)
    bodies = BodyReader(settings.webhook_body_limit)
    auth_failures = AuthFailureLimiter(
        a_minute=settings.rejection_limit,
        trusted_proxies=os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1"),
        counts=counts,
    )
    webhook = SeamWebhook(
        intake=WebhookIntake(
            WebhookSecrets(
                (secret.get_secret_value() for secret in settings.seam_webhook_secret), sender_clock=sender_clock
            ),
            events,
        ),
        bodies=bodies,
        parked_webhooks=ParkedWebhooks(
            redis, stream=settings.event_stream, clock=clock, sync_replicas=settings.sync_replicas
        ),
        admission=Admission(),
    )
    webhook_endpoint = PostEndpoint(webhook.handle, auth_failures)
    routes: list[BaseRoute] = [
        Route(_WEBHOOK_PATH, webhook_endpoint, methods=["POST"]),
        Route("/healthz", healthz),
        Route("/readyz", Readiness(redis, sync_replicas=settings.sync_replicas).readyz),
    ]
    for_bookings = booking_routes(
        settings,
        inbox=bookings,
        bodies=bodies,
        auth_failures=auth_failures,
        refused=RefusedBookings(redis, clock=clock),
        clock=clock,
    )
    routes += for_bookings.routes
    if settings.slack_signing_secret is not None:
        secret = settings.slack_signing_secret.get_secret_value()
        slack = SlackActions(signing_secret=secret, inbox=commands, clock=clock, bodies=bodies)
        routes.append(Route("/slack/actions", PostEndpoint(slack.handle, auth_failures), methods=["POST"]))

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        writers = [asyncio.create_task(inbox.run()) for inbox in (events, bookings, commands)]
        yield
        for writer in writers:
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        for_bookings.close()
        await redis.aclose()

    starlette = Starlette(routes=routes, lifespan=lifespan, exception_handlers={HTTPException: _answer_in_json})
    # A redirect would lead to the Host header's address, without TLS: clients would send their token there.
    starlette.router.redirect_slashes = False
    return Web(starlette, webhook_endpoint)


async def _answer_in_json(request: Request, error: Exception) -> Response:
    """Answer Starlette's own refusals (404, 405) in JSON, as ours are."""
    assert isinstance(error, HTTPException)  # noqa: S101 - what it is registered for
    phrase = HTTPStatus(error.status_code).phrase.lower().replace(" ", "_")
    content = {"error": phrase}
    if error.status_code == HTTPStatus.METHOD_NOT_ALLOWED and request.url.path.startswith("/bookings"):
        content["right"] = _HOW_TO_CHANGE
    return json_response(error.status_code, content, error.headers)
