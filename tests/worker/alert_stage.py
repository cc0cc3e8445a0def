"""Channels that record their messages, and a ledger and a worker of alerts with a clock of their own."""

from collections.abc import Callable, Sequence
from datetime import timedelta
from threading import Lock
from typing import Any

from redis import Redis

from shared.domain.alerting.routing import Routing
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.ledger.alert_channels import ChannelBudgets
from shared.ledger.alerts import AlertLedger
from shared.ledger.door_issues import DoorIssues
from shared.ledger.due_set import DueSet
from shared.ledger.silences import Silences
from tests.shared.ledgers import LEASE, RETENTION
from tests.shared.stories import NOW
from tests.worker.alert_messages import notice
from worker.alerts.delivery import AlertDelivery
from worker.alerts.inhibition_by_doors import Inhibition
from worker.alerts.message import AlertMessage

WINDOW = timedelta(seconds=30)


class Killed(BaseException):
    """The worker is killed: nothing after this line happens."""


class Channel:
    """A channel that records its messages; `trouble` is called before a message is taken, `after` when it was."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.got: list[AlertMessage] = []
        self.trouble: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        self._lock = Lock()

    def send(self, message: AlertMessage) -> str:
        """Take the message, unless `trouble` raises."""
        self.trouble()
        with self._lock:
            self.got.append(message)
        self.after()
        return "kept"

    def told(self) -> list[tuple[str, int]]:
        """Return each message's status and size."""
        return [(message.status, len(message.items)) for message in self.got]


class Changeable(Channel):
    """A channel that can update its messages; it records the updates."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.shown: list[AlertMessage] = []

    def update(self, message: AlertMessage) -> str:
        """Show the update, unless it fails."""
        self.trouble()
        self.shown.append(message)
        self.after()
        return "changed"


class Stage:
    """A ledger and a worker, with a clock of their own."""

    def __init__(self, redis: Redis, channels: Sequence[Channel], **policy: Any) -> None:
        self.now = NOW
        names = tuple(channel.name for channel in channels)
        rules = AlertPolicy(**({"routing": Routing(channels=names)} | policy))
        self.redis = redis
        self.due = DueSet(redis, lease=LEASE)
        self.ledger = AlertLedger(redis, due=self.due, clock=self.clock, retention=RETENTION, policy=rules)
        self.silences = Silences(redis, clock=self.clock)
        issues = DoorIssues(redis, clock=self.clock, retention=RETENTION)
        self.deliver = AlertDelivery(
            ledger=self.ledger,
            silences=self.silences,
            inhibition=Inhibition(alerts=self.ledger, issues=issues, clock=self.clock),
            budgets=ChannelBudgets(redis, rate=rules.rate),
            channels=tuple(channels),
            lease=LEASE,
            clock=self.clock,
        )

    def clock(self) -> Any:
        """Return the stage's time."""
        return self.now

    def tell(self, *bookings: str, raised: bool = True, **fields: Any) -> None:
        """Tell the same problem of each booking."""
        for booking in bookings:
            self.ledger.record_notice(notice(booking, raised=raised, **({"at": self.now} | fields)))

    def let(self, passed: timedelta, *, step: timedelta = timedelta(seconds=5)) -> None:
        """Let time pass, and sweep as the worker does."""
        until = self.now + passed
        while True:
            for item, _ in self.due.claim(self.now, 500):
                self.deliver(*item.ids)
            if self.now >= until:
                return
            self.now = min(until, self.now + step)
