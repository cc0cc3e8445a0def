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
from receiver.parked_webhooks import ParkedWebhooks
from receiver.refusals import json_response
from receiver.webhook_intake import WebhookIntake
from receiver.webhook_parsing import NotAnEvent, NotHandled
from shared import metrics, tracing

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
        intake: WebhookIntake,
        bodies: BodyReader,
        parked_webhooks: ParkedWebhooks,
        admission: Admission,
    ) -> None:
        self._intake = intake
        self._bodies = bodies
        self._parked_webhooks = parked_webhooks
        self._admission = admission
        self._access_log = AccessLog()

    async def handle(self, headers: Headers, receive: Receive) -> Response:
        """Answer 202 once the event is stored durably. Raises BodyReader's refusals, InvalidSignature, Unavailable."""
        began = time.perf_counter()
        # Over capacity a refusal must cost almost nothing, so it comes before the body is read and verified.
        self._admission.check_room()
        body = await self._bodies.read(receive, headers)
        async with self._admission.of(body):
            return await self._accept(headers, body, began)

    async def _accept(self, headers: Headers, body: bytes, began: float) -> Response:
        delivery = self._intake.take(headers, body)
        try:
            is_new = await delivery.is_new
        except NotAnEvent as unusable:
            log.warning("webhook.parked", delivery_id=unusable.delivery_id, reason_text=unusable.problem)
            await self._parked_webhooks.park(unusable)
            metrics.WEBHOOKS.add("parked")
            return _PARKED
        except NotHandled as ignored:
            await self._parked_webhooks.count_ignored(ignored.event_type)
            metrics.WEBHOOKS.add("ignored")
            return _IGNORED
        event = delivery.event
        self._access_log.add(event, is_new=is_new)
        seconds = time.perf_counter() - began
        metrics.WEBHOOK_SECONDS.observe(seconds)
        if is_new:
            tracing.record(
                "POST /webhooks/seam",
                seconds=seconds,
                begins=tracing.event_trace(event.event_id),
                attributes={"seam.event_id": event.event_id, "seam.event_type": event.event_type},
            )
        return _ACCEPTED if is_new else _DUPLICATE
