"""The assembly of process `web`: the only place that knows all its parts."""

import asyncio
import os
from collections.abc import AsyncGenerator, Mapping
from contextlib import asynccontextmanager, suppress
from typing import Any

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from receiver.bookings import BookingEndpoint
from receiver.express import Express
from receiver.http import BodyReader
from receiver.inbox import Inbox
from receiver.rejections import Rejections
from receiver.sidelines import Sidelines
from receiver.slack_actions import SlackActions
from receiver.units import KnownUnits
from receiver.verification import Verifier
from receiver.webhook import SeamWebhook
from shared.clock import Clock, system_clock
from shared.contracts import BOOKING_FIELD, EVENT_FIELD, OPS_STREAM
from shared.ops_commands import COMMAND_FIELD
from shared.redis_client import connect_async
from shared.settings import Settings

REQUIRED = ("SEAM_WEBHOOK_SECRET", "REDIS_URL")


class Web(Starlette):
    """Starlette, and what its server may call without it."""

    def __init__(self, *, express: Mapping[bytes, Express], **options: Any) -> None:
        super().__init__(**options)
        self.express = express


def create_app(settings: Settings, clock: Clock = system_clock) -> Web:
    """Assemble the app; connections open with its lifespan and close with it."""
    redis = connect_async(settings.redis_address)
    events = Inbox(redis, stream=settings.event_stream, field=EVENT_FIELD, clock=clock)
    bookings = Inbox(redis, stream=settings.booking_stream, field=BOOKING_FIELD, clock=clock)
    orders = Inbox(redis, stream=OPS_STREAM, field=COMMAND_FIELD, clock=clock)
    sidelines = Sidelines(redis)
    bodies = BodyReader(settings.webhook_body_limit)
    rejections = Rejections(
        a_minute=settings.rejection_limit, trusted_proxies=os.environ.get("FORWARDED_ALLOW_IPS", "127.0.0.1")
    )
    webhook = SeamWebhook(
        verifier=Verifier(secret.get_secret_value() for secret in settings.seam_webhook_secret),
        inbox=events,
        sidelines=sidelines,
        clock=clock,
        bodies=bodies,
        rejections=rejections,
        stream=settings.event_stream,
    )
    booking_endpoint = BookingEndpoint(
        tokens=tuple(token.get_secret_value() for token in settings.booking_tokens),
        inbox=bookings,
        bodies=bodies,
        rejections=rejections,
        units=KnownUnits(settings.doors_file) if settings.doors_file else None,
    )
    signing_secret = settings.slack_signing_secret
    slack_actions = SlackActions(
        signing_secret=signing_secret.get_secret_value() if signing_secret else None,
        inbox=orders,
        clock=clock,
        bodies=bodies,
        rejections=rejections,
    )

    async def readyz(_: Request) -> Response:
        is_ready = await sidelines.is_reachable()
        return JSONResponse(
            {"status": "ready"} if is_ready else {"status": "not_ready", "failing": ["redis"]},
            status_code=200 if is_ready else 503,
        )

    @asynccontextmanager
    async def lifespan(_: Starlette) -> AsyncGenerator[None]:
        writers = [asyncio.create_task(inbox.run()) for inbox in (events, bookings, orders)]
        yield
        for writer in writers:
            writer.cancel()
            with suppress(asyncio.CancelledError):
                await writer
        await redis.aclose()

    return Web(
        express={b"/webhooks/seam": webhook.take_at_once},
        routes=[
            Route("/webhooks/seam", webhook),
            Route("/bookings", booking_endpoint),
            Route("/slack/actions", slack_actions),
            Route("/healthz", _healthz, methods=["GET"]),
            Route("/readyz", readyz, methods=["GET"]),
        ],
        lifespan=lifespan,
    )


async def _healthz(_: Request) -> Response:
    return JSONResponse({"status": "alive"})
