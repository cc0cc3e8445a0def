"""The ledgers on the tests' data server, as the worker assembles them."""

from collections.abc import Callable, Sequence
from datetime import datetime, timedelta

from redis import Redis

from shared.clock import Clock
from shared.domain.alerting.routing import Routing
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger, Outbox
from shared.ledger.due_set import DueSet
from shared.ledger.outbox import OutboxPublisher
from shared.streams import OutcomeStream
from tests.shared.stories import NOW

LEASE = timedelta(minutes=1)
RETENTION = timedelta(days=90)


def at(moment: datetime) -> Clock:
    """Return a clock that stands still."""
    return lambda: moment


_STILL = at(NOW)


def due_set(redis: Redis) -> DueSet:
    """Return the due-set."""
    return DueSet(redis, lease=LEASE)


def booking_ledger(redis: Redis, clock: Clock = _STILL, *, outbox: Outbox | None = None) -> BookingLedger:
    """Return the booking ledger; what its bookings have to tell goes to `outbox`, or where the worker has it go."""
    outcomes = OutcomeStream(redis, "access-code-outcomes")
    outbox = outbox or OutboxPublisher(
        publish_outcome=outcomes.publish,
        alerts=alert_ledger(redis, clock=clock),
        queue_outcome=lambda _booking_id, _sequence, _event: None,
    )
    return BookingLedger(redis, due=due_set(redis), outbox=outbox, clock=clock, retention=RETENTION)


def alert_ledger(redis: Redis, channels: Sequence[str] = (), clock: Clock = _STILL) -> AlertLedger:
    """Return the alert ledger."""
    policy = AlertPolicy(routing=Routing(channels=tuple(channels)), group_window=timedelta())
    return AlertLedger(redis, due=due_set(redis), clock=clock, retention=RETENTION, policy=policy)


def due_at(redis: Redis, member: str) -> datetime | None:
    """Return when a member of the due-set is due."""
    milliseconds = redis.zscore("oracode:due", member)
    return datetime.fromtimestamp(float(str(milliseconds)) / 1000, NOW.tzinfo) if milliseconds is not None else None


def once(action: Callable[[], None]) -> Callable[[], None]:
    """Return what does `action` the first time it is called, and nothing after."""
    left = [action]

    def call() -> None:
        if left:
            left.pop()()

    return call
