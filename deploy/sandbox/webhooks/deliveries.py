"""Which webhook messages are on their way, and when each is tried again.

Schedule and limits are those of Seam's "Webhooks" page and of Svix, which carries them out: the
first try at once, then 5 s, 5 min, 30 min, 2 h, 5 h, 10 h and 10 h after the failure before; one
``svix-id`` for all tries of a message.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from uuid import uuid4

from deploy.sandbox.store import Collection, Store

RETRY_PAUSES = (
    timedelta(seconds=5),
    timedelta(minutes=5),
    timedelta(minutes=30),
    timedelta(hours=2),
    timedelta(hours=5),
    timedelta(hours=10),
    timedelta(hours=10),
)


class DeliveryStatus(StrEnum):
    """What became of a message; the field for it is `fate`, in stored messages and in the control API."""

    PENDING = "pending"
    HELD = "held"
    DELIVERED = "delivered"
    GAVE_UP = "gave_up"
    DROPPED = "dropped"


@dataclass(frozen=True, slots=True)
class Attempt:
    """One try: the status of the answer, or why there was none."""

    at: datetime
    status: int | None = None
    error: str | None = None

    @property
    def is_success(self) -> bool:
        """Svix: any 2xx; a redirect is a failure."""
        return self.status is not None and 200 <= self.status < 300  # noqa: PLR2004 -- the 2xx class


@dataclass(frozen=True, slots=True)
class Delivery:
    """One message to one webhook; `message_id` is its ``svix-id``."""

    message_id: str
    webhook_id: str
    event_id: str
    event_type: str
    fate: DeliveryStatus
    next_attempt_at: datetime | None
    attempts: tuple[Attempt, ...] = ()


def new_message_id() -> str:
    """Return an id in Svix's form."""
    return f"msg_{uuid4().hex}"


def after(delivery: Delivery, attempt: Attempt, concluded_at: datetime, retry_scale: float) -> Delivery:
    """Return the delivery after a try: done, due again, or given up."""
    attempts = (*delivery.attempts, attempt)
    tried = replace(delivery, attempts=attempts, next_attempt_at=None)
    if attempt.is_success or delivery.fate is DeliveryStatus.DELIVERED:
        return replace(tried, fate=DeliveryStatus.DELIVERED)
    if len(attempts) > len(RETRY_PAUSES):
        return replace(tried, fate=DeliveryStatus.GAVE_UP)
    pause = RETRY_PAUSES[len(attempts) - 1] * retry_scale
    return replace(tried, next_attempt_at=concluded_at + pause)


class Deliveries:
    """All messages, by their id."""

    def __init__(self, store: Store) -> None:
        """Load the messages."""
        self._kept = Collection(store, "deliveries", Delivery)

    def __len__(self) -> int:
        return len(self._kept)

    def put(self, delivery: Delivery) -> Delivery:
        """Insert or replace a message."""
        self._kept.put(delivery.message_id, delivery)
        return delivery

    def find(self, message_id: str) -> Delivery | None:
        """Return one message."""
        return self._kept.get(message_id)

    def everything(self) -> list[Delivery]:
        """Return all messages, oldest first."""
        return self._kept.values()

    def with_status(self, status: DeliveryStatus) -> list[Delivery]:
        """Return the messages with one status, oldest first."""
        return [delivery for delivery in self._kept.values() if delivery.fate is status]

    def of_event(self, event_id: str) -> list[Delivery]:
        """Return the messages of one event."""
        return [delivery for delivery in self._kept.values() if delivery.event_id == event_id]
