"""A simulated week of 2,000 bookings through the real ledger, due-set and delivery, with a clock of its own.

It counts the messages that a person gets, compared with one for each event, and checks that every problem that needed a
person was told.
"""

from collections import defaultdict
from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any, Final, cast

import pytest
from redis import Redis

from shared.clock import Clock
from shared.domain.alerting.alert import mark_handled
from shared.domain.alerting.inhibition import parent_of
from shared.domain.alerting.routing import Route, Routing
from shared.domain.alerting.severity import PAGE_BEFORE, Severity
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.ledger.alert_channels import ChannelBudgets
from shared.ledger.alerts import AlertLedger
from shared.ledger.door_issues import DoorIssues
from shared.ledger.due_set import DueSet
from shared.ledger.silences import Silences
from tests.shared.stories import NOW
from tests.worker.alert_week import BOOKINGS, Fault, Week
from worker.alerts.delivery import AlertDelivery
from worker.alerts.inhibition_by_doors import Inhibition
from worker.alerts.message import AlertMessage

# How long a problem may be untold after it starts (or rises): the group window, a sweep, the channel's budget.
GRACE: Final = timedelta(minutes=2)


class Inbox:
    """A channel that records its messages."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.got: list[AlertMessage] = []

    def send(self, message: AlertMessage) -> str:
        """Record the message."""
        self.got.append(message)
        return "kept"


class Simulation:
    """The real parts, with a clock that jumps from event to event."""

    def __init__(self, redis: Redis, week: Week, *, handles_after: timedelta | None) -> None:
        self._handles_after = handles_after
        self._seen = 0
        self._to_handle: list[tuple[datetime, str]] = []
        self.now = week.starts
        self.ops, self.duty = Inbox("ops"), Inbox("duty")
        routes = (Route(channels=("ops",)), Route(channels=("duty",), severity=Severity.PAGE))
        policy = AlertPolicy(routing=Routing(channels=("ops", "duty"), routes=routes, places=week.places()))
        clock: Clock = lambda: self.now  # noqa: E731 - moved by us
        self.due = DueSet(redis, lease=timedelta(minutes=1))
        self.ledger = AlertLedger(redis, due=self.due, clock=clock, retention=timedelta(days=90), policy=policy)
        issues = DoorIssues(redis, clock=clock, retention=timedelta(days=90))
        self.deliver = AlertDelivery(
            ledger=self.ledger,
            silences=Silences(redis, clock=clock),
            inhibition=Inhibition(alerts=self.ledger, issues=issues, clock=clock),
            budgets=ChannelBudgets(redis, rate=policy.rate),
            channels=(self.ops, self.duty),
            lease=self.due.lease,
            clock=clock,
        )
        self._redis = redis

    def run(self, week: Week) -> None:
        """Run the week; between events, everything that is due is done at its second."""
        for notice in week.events():
            self._until(notice.at)
            self.ledger.record_notice(notice)
        self._until(week.ends)

    def _until(self, moment: datetime) -> None:
        while (due_at := self._next_due()) is not None and due_at <= moment:
            # There is a sweep each second.
            self.now = max(self.now, due_at + timedelta(seconds=1))
            for item, _ in self.due.claim(self.now, 500):
                self.deliver(*item.ids)
            self._handle()
        self.now = max(self.now, moment)

    def _handle(self) -> None:
        """Let people mark a problem as handled, some time after they were told."""
        if self._handles_after is None:
            return
        for message in self.ops.got[self._seen :]:
            keys = [item.key for item in message.items if item.status == "open"]
            self._to_handle += [(message.at + self._handles_after, key) for key in keys]
        self._seen = len(self.ops.got)
        for _, key in [each for each in self._to_handle if each[0] <= self.now]:
            self.ledger.update(key, lambda it: mark_handled(it, "ann"))
        self._to_handle = [each for each in self._to_handle if each[0] > self.now]

    def _next_due(self) -> datetime | None:
        found: Any = self._redis.zrange("oracode:due", 0, 0, withscores=True)
        return datetime.fromtimestamp(float(found[0][1]) / 1000, NOW.tzinfo) if found else None


@pytest.fixture(scope="module")
def week() -> Week:
    """Return the week."""
    return Week(NOW)


@pytest.fixture
def quick_redis(redis_client: Redis) -> Iterator[Redis]:
    """Lend an empty database that doesn't wait for the disk: a week has some ten thousand writes."""
    before = redis_client.config_get("appendfsync")
    redis_client.config_set("appendfsync", "no")
    yield redis_client
    redis_client.config_set("appendfsync", cast(Any, before)["appendfsync"])


@pytest.mark.parametrize(
    ("handles_after", "most"), [(None, 1 / 3), (timedelta(minutes=10), 1 / 5)], ids=["nobody reacts", "people react"]
)
def test_a_week_of_alerts(
    quick_redis: Redis,
    week: Week,
    capsys: pytest.CaptureFixture[str],
    handles_after: timedelta | None,
    most: float,
) -> None:
    """Far fewer messages than events; and every problem, page and end was told."""
    simulation = Simulation(quick_redis, week, handles_after=handles_after)
    simulation.run(week)
    ops, duty = simulation.ops.got, simulation.duty.got
    events = week.events()
    with capsys.disabled():
        _show(week, ops, duty, len(events), "people react" if handles_after else "nobody reacts")

    heard = {name: _heard(got) for name, got in (("ops", ops), ("duty", duty))}
    untold = [
        fault for fault in week.faults if _lasts(fault, week) > GRACE and not _was_told(fault, heard["ops"], week)
    ]
    assert untold == []
    unpaged = [fault for fault in week.faults if _should_page(fault, week) and not _was_paged(fault, heard["duty"])]
    assert unpaged == []
    for told in heard.values():
        still_open = {key for key, words in told.items() if words[-1][1] == "open"}
        is_open = {alert.key for alert in simulation.ledger.all() if alert.is_open}
        assert still_open <= is_open

    assert len(ops) < len(events) * most
    # Two buildings and Seam's outage are a handful of messages, for any number of bookings.
    assert max(len(message.items) for message in ops) > 50


Words = list[tuple[datetime, str, Severity]]


def _heard(messages: list[AlertMessage]) -> dict[str, Words]:
    """Return when each key was told, with which news and severity."""
    words: dict[str, Words] = defaultdict(list)
    for message in messages:
        for item in message.items:
            words[item.key].append((message.at, item.status, item.severity))
    return words


def _teller(fault: Fault) -> str:
    parent = parent_of(fault.notice)
    return parent.key if parent else fault.notice.key


def _end(fault: Fault, week: Week) -> datetime:
    return fault.ends_at or week.ends


def _lasts(fault: Fault, week: Week) -> timedelta:
    return _end(fault, week) - fault.begins_at


def _was_told(fault: Fault, heard: dict[str, Words], week: Week) -> bool:
    """Say whether the problem or its parent was told as open, and not as over yet."""
    words = [(at, status) for at, status, _ in heard.get(_teller(fault), ()) if at <= fault.begins_at + GRACE]
    return bool(words) and words[-1][1] == "open" and words[-1][0] <= _end(fault, week)


def _page_from(fault: Fault) -> datetime:
    assert fault.notice.check_in is not None
    return max(fault.begins_at, fault.notice.check_in - PAGE_BEFORE)


def _should_page(fault: Fault, week: Week) -> bool:
    """Say whether the problem was open when it should page, for longer than the grace."""
    until = min(_end(fault, week), fault.notice.check_out or week.ends)
    return until - _page_from(fault) > GRACE


def _was_paged(fault: Fault, heard: dict[str, Words]) -> bool:
    """Say whether it paged in time: its latest message by then is a page, and isn't resolved."""
    by = _page_from(fault) + GRACE
    words = [(status, level) for at, status, level in heard.get(_teller(fault), ()) if at <= by]
    return bool(words) and words[-1] == ("open", Severity.PAGE)


def _show(week: Week, ops: list[AlertMessage], duty: list[AlertMessage], events: int, how: str) -> None:
    opened = sum(message.is_open for message in ops)
    reasons: dict[str, int] = defaultdict(int)
    for message in ops:
        reasons[message.first.news] += 1
    told = ", ".join(f"{count} {name}" for name, count in sorted(reasons.items()))
    print(  # noqa: T201 - the figures are what this test is for
        f"\n{how}: a week of {BOOKINGS} bookings, {len(week.faults)} problems: "
        f"one alert an event would be {events} messages; "
        f"people got {len(ops)} ({opened} of problems, {len(ops) - opened} of their end: {told}); "
        f"the duty phone {len(duty)}"
    )
