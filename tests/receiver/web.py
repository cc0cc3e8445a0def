"""The app of process `web` in a thread of its own, spoken to over ASGI, and webhooks signed as Seam signs them."""

import json
from base64 import b64encode
from collections.abc import AsyncIterator, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from uuid import uuid4

import anyio
import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from pydantic import SecretStr
from standardwebhooks import Webhook

from receiver.app import create_app
from receiver.auth_failure_counts import AuthFailureCounts
from shared.settings import Settings

SECRET = "whsec_" + b64encode(b"the secret of the tests").decode()
OTHER_SECRET = "whsec_" + b64encode(b"another secret altogether").decode()
TOKEN = "a-booking-token"
# An app that doesn't answer at all must fail its test, not hold it up.
_ANSWER_WITHIN = 20

Headers = Sequence[tuple[bytes, bytes]]


def settings_for(redis_url: str, **fields: Any) -> Settings:
    """Return settings of `web`, whatever the environment of the tests holds."""
    known: dict[str, Any] = {
        "redis_url": SecretStr(redis_url),
        "seam_webhook_secret": (SecretStr(SECRET),),
        "booking_tokens": (SecretStr(TOKEN),),
    }
    return Settings(**(known | fields))


@dataclass(frozen=True, slots=True)
class Web:
    """A running `web`; every request goes through its whole app."""

    portal: BlockingPortal
    client: httpx.AsyncClient

    def send(self, method: str, path: str, *, body: bytes | list[bytes] = b"", headers: Headers = ()) -> httpx.Response:
        """Send one request; a list is sent in parts, with no length declared."""
        return self.portal.call(self._send, method, path, body, headers)

    async def _send(self, method: str, path: str, body: bytes | list[bytes], headers: Headers) -> httpx.Response:
        content = _in_parts(body) if isinstance(body, list) else body
        with anyio.fail_after(_ANSWER_WITHIN):
            return await self.client.request(method, path, content=content, headers=list(headers))

    def webhook(self, event: object, **options: Any) -> httpx.Response:
        """Deliver an event as Seam does: signed, to the webhook's address."""
        body = event if isinstance(event, bytes) else json.dumps(event).encode()
        return self.send("POST", "/webhooks/seam", body=body, headers=signed(body, **options))

    def webhooks(self, events: Sequence[object]) -> list[httpx.Response]:
        """Deliver many events at the same time."""
        return self.portal.call(self._webhooks, events)

    async def _webhooks(self, events: Sequence[object]) -> list[httpx.Response]:
        answers: dict[int, httpx.Response] = {}

        async def deliver(number: int, event: object) -> None:
            body = json.dumps(event).encode()
            answers[number] = await self._send("POST", "/webhooks/seam", body, signed(body))

        async with anyio.create_task_group() as group:
            for number, event in enumerate(events):
                group.start_soon(deliver, number, event)
        return [answers[number] for number in range(len(events))]

    def booking(self, booking: object, *, token: str | None = TOKEN) -> httpx.Response:
        """Hand over a booking message."""
        body = booking if isinstance(booking, bytes) else json.dumps(booking).encode()
        headers = [] if token is None else [(b"authorization", f"Bearer {token}".encode())]
        return self.send("POST", "/bookings", body=body, headers=headers)


@contextmanager
def running(settings: Settings, *, counts: AuthFailureCounts | None = None) -> Iterator[Web]:
    """Run the app with these settings, its lifespan included."""
    app = create_app(settings, counts=counts)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.starlette.router.lifespan_context(app.starlette)),
        portal.wrap_async_context_manager(
            httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url="http://web")
        ) as client,
    ):
        yield Web(portal, client)


def signed(
    body: bytes,
    *,
    secret: str = SECRET,
    delivery_id: str = "msg_1",
    at: float | None = None,
    family: str = "svix",
    changed: Mapping[str, bytes | None] | None = None,
) -> list[tuple[bytes, bytes]]:
    """Return the signature headers over `body`; `changed` replaces some of them, or (None) leaves them out."""
    moment = datetime.fromtimestamp(datetime.now(UTC).timestamp() if at is None else at, UTC)
    signature = Webhook(secret).sign(delivery_id, moment, body.decode())
    parts: dict[str, bytes | None] = {
        "id": delivery_id.encode(),
        "timestamp": str(int(moment.timestamp())).encode(),
        "signature": signature.encode(),
    }
    parts |= changed or {}
    return [(f"{family}-{name}".encode(), value) for name, value in parts.items() if value is not None]


def event_of(event_type: str = "access_code.created", **fields: Any) -> dict[str, Any]:
    """Return an event of this type, with an id of its own."""
    return {
        "event_id": str(uuid4()),
        "event_type": event_type,
        "access_code_id": str(uuid4()),
        "occurred_at": "2026-12-01T10:00:00.000Z",
    } | fields


def booking_of(**fields: Any) -> dict[str, Any]:
    """Return a good booking message in its envelope."""
    booking = {
        "booking_id": "BK-1",
        "device_ids": ["11111111-1111-1111-1111-444444444444"],
        "check_in": "2026-12-01T15:45:00-08:00",
        "check_out": "2026-12-05T10:15:00-08:00",
    } | fields
    return {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": "/pms/acme",
        "type": "booking.created",
        "data": booking,
    }


async def _in_parts(parts: list[bytes]) -> AsyncIterator[bytes]:
    for part in parts:
        yield part
