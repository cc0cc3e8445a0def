"""`POST /webhooks/seam`: verify the webhook, take the PINs out, append the event durably, then answer.

The checks are in the order of the contract: capacity, size, signature, readable, handled type, new.
"""

import time
from typing import Final

import structlog
from starlette.responses import Response
from starlette.types import Receive

from receiver.access_log import AccessLog
from receiver.admission import Admission
from receiver.bodies import BodyReader, Headers
from receiver.inbox import Inbox
from receiver.parked_webhooks import ParkedWebhooks
from receiver.refusals import json_response
from receiver.webhook_parsing import NotAnEvent, SeamEvent
from receiver.webhook_signature import WebhookSecrets
from shared import metrics, tracing
from shared.seam_event_redaction import Redactor

_ACCEPTED: Final = json_response(202, {"status": "accepted"})
_DUPLICATE: Final = json_response(202, {"status": "duplicate"})
_IGNORED: Final = json_response(202, {"status": "ignored"})
_PARKED: Final = json_response(202, {"status": "parked"})

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class SeamWebhook:
    """Handles Seam's webhooks."""

    def __init__(
        self,
        *,
        secrets: WebhookSecrets,
        inbox: Inbox,
        bodies: BodyReader,
        parked_webhooks: ParkedWebhooks,
        admission: Admission,
    ) -> None:
        self._secrets = secrets
        self._inbox = inbox
        self._bodies = bodies
        self._parked_webhooks = parked_webhooks
        self._admission = admission
        self._access_log = AccessLog()
        self._redactor = Redactor()

    async def handle(self, headers: Headers, receive: Receive) -> Response:
        """Answer 202 once the event is stored durably. Raises BodyReader's refusals, InvalidSignature, Unavailable."""
        began = time.perf_counter()
        # Over capacity a refusal must cost almost nothing, so it comes before the body is read and verified.
        self._admission.check_room()
        body = await self._bodies.read(receive, headers)
        async with self._admission.of(body):
            return await self._accept(headers, body, began)

    async def _accept(self, headers: Headers, body: bytes, began: float) -> Response:
        try:
            event = SeamEvent.from_http(headers, body, self._secrets, self._redactor)
        except NotAnEvent as unusable:
            log.warning("webhook.parked", delivery_id=unusable.delivery_id, reason_text=unusable.problem)
            await self._parked_webhooks.park(unusable)
            metrics.WEBHOOKS.add("parked")
            return _PARKED
        if not event.is_handled:
            await self._parked_webhooks.count_ignored(event.event_type)
            metrics.WEBHOOKS.add("ignored")
            return _IGNORED
        is_new = await self._inbox.append(event.event_id, event.as_json())
        self._access_log.add(event, is_new=is_new)
        seconds = time.perf_counter() - began
        metrics.WEBHOOKS.add("accepted" if is_new else "duplicate")
        metrics.WEBHOOK_SECONDS.observe(seconds)
        if is_new:
            tracing.record(
                "POST /webhooks/seam",
                seconds=seconds,
                begins=tracing.event_trace(event.event_id),
                attributes={"seam.event_id": event.event_id, "seam.event_type": event.event_type},
            )
        return _ACCEPTED if is_new else _DUPLICATE
