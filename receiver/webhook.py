"""`POST /webhooks/seam`: verify, take the PINs out, append durably, answer. Nothing else, and nothing before.

A plain ASGI endpoint: Starlette routes to it, the request and response objects that cost more than the signature are
left out. The order of the checks is the contract's table: size, signature, readable, ours, new.
"""

from functools import partial
from typing import Final

import structlog
from starlette.types import Receive, Scope, Send

from receiver.accepted_lines import Accepted, AcceptedLines
from receiver.express import Answer
from receiver.http import BodyReader, BodyTooLarge, ClientGone, Headers, NoRoom, Prepared, answer_prepared, headers_of
from receiver.inbox import Inbox, Unavailable
from receiver.rejections import Rejections
from receiver.seam_event import NotAnEvent, as_ascii, parse_event, readable_text
from receiver.sidelines import Sidelines
from receiver.verification import InvalidSignature, Verifier
from shared.clock import Clock
from shared.contracts import EVENT_FIELD
from shared.domain.events import is_ours
from shared.parked import Parked

RETRY_AFTER: Final = {"retry-after": "5"}
_ACCEPTED: Final = Prepared(202, {"status": "accepted"})
_DUPLICATE: Final = Prepared(202, {"status": "duplicate"})
_IGNORED: Final = Prepared(202, {"status": "ignored"})
_PARKED: Final = Prepared(202, {"status": "parked"})
_NOT_ALLOWED: Final = Prepared(405, {"error": "method_not_allowed"}, {"allow": "POST"})
_UNAVAILABLE: Final = Prepared(503, {"error": "unavailable"}, RETRY_AFTER)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class SeamWebhook:
    """The endpoint. Every answer is one of the contract's table, in every weather."""

    def __init__(
        self,
        *,
        verifier: Verifier,
        inbox: Inbox,
        sidelines: Sidelines,
        clock: Clock,
        bodies: BodyReader,
        rejections: Rejections,
        stream: str,
    ) -> None:
        self._verifier = verifier
        self._inbox = inbox
        self._sidelines = sidelines
        self._clock = clock
        self._bodies = bodies
        self._rejections = rejections
        self._stream = stream
        self._told = AcceptedLines()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            prepared = await self._take(scope, receive)
        except ClientGone:
            return
        except InvalidSignature:
            await self._rejections.answer(scope, send, "invalid_signature")
            return
        except BodyTooLarge:
            prepared = Prepared(413, {"error": "body_too_large", "limit_bytes": self._bodies.limit})
        except (Unavailable, NoRoom):
            prepared = _UNAVAILABLE
        await answer_prepared(send, prepared)

    def take_at_once(self, headers: Headers, body: bytes, answer: Answer) -> bool:
        """Take a POST that is here as a whole, as `receiver.express` has it; False for all but what Seam sends daily.

        Answers at once where there is no room, and else when the event is on disk.
        """
        if self._inbox.is_full:
            # Past capacity the refusal must cost next to nothing, or refusing is what there is no time for.
            answer(_UNAVAILABLE)
            return True
        if len(body) > self._bodies.limit:
            return False
        try:
            delivery_id = self._verifier.verify(body, headers)
            event = parse_event(body)
        except (InvalidSignature, NotAnEvent):
            return False
        event_id, event_type = event["event_id"], event["event_type"]
        if not is_ours(event_type):
            return False
        accepted = (event_id, event_type, delivery_id)
        self._inbox.hand_over(event_id, as_ascii(event), partial(self._decided, answer, accepted))
        return True

    def _decided(self, answer: Answer, accepted: Accepted, is_new: bool | None) -> None:  # noqa: FBT001 - see `Then`
        if is_new is None:
            answer(_UNAVAILABLE)
            return
        self._told.tell(accepted, is_new=is_new)
        answer(_ACCEPTED if is_new else _DUPLICATE)

    async def _take(self, scope: Scope, receive: Receive) -> Prepared:
        if scope["method"] != "POST":
            return _NOT_ALLOWED
        self._inbox.check_room()
        headers = headers_of(scope)
        body = await self._bodies.read(receive, headers)
        delivery_id = self._verifier.verify(body, headers)
        try:
            event = parse_event(body)
        except NotAnEvent as reason:
            await self._park(delivery_id, body, str(reason))
            return _PARKED
        event_id, event_type = event["event_id"], event["event_type"]
        if not is_ours(event_type):
            await self._sidelines.count_ignored(event_type)
            return _IGNORED
        is_new = await self._inbox.append(event_id, as_ascii(event))
        self._told.tell((event_id, event_type, delivery_id), is_new=is_new)
        return _ACCEPTED if is_new else _DUPLICATE

    async def _park(self, delivery_id: str, body: bytes, reason: str) -> None:
        log.warning("webhook.parked", delivery_id=delivery_id, reason_text=reason)
        parked = Parked(
            stream=self._stream,
            field=EVENT_FIELD,
            source_id=delivery_id,
            message=readable_text(body),
            problems=(reason,),
            parked_at=self._clock().isoformat(),
        )
        await self._sidelines.park(parked)
