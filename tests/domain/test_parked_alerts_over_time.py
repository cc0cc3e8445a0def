"""The alerts of parked messages as messages come and go: an alert is resolved only when its messages are gone."""

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.alerting.affected_by_parked import ParkedMessage
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.causes import Cause, raise_cause, resolve_cause, supersede_cause
from shared.domain.alerting.parked_alert_limit import MOST_CAUSES, MOST_URGENT, Candidate, with_own_alert
from shared.domain.alerting.parked_messages import ended_alerts, parked_causes
from shared.domain.alerting.severity import PAGE_BEFORE, Severity
from shared.domain.messages.hints import Hints
from shared.domain.messages.message import unknown_unit
from shared.domain.messages.parked_causes import cause_of
from shared.domain.messages.parked_kind import ParkedKind
from tests.shared.stories import issued

NOW = datetime(2026, 11, 20, tzinfo=UTC)
STREAM = "booking-created"
OTHERS = f"parked/{STREAM}/others"


def problem(number: int) -> str:
    """Return one of many different problems."""
    return str(unknown_unit(f"Room {number}"))


def key_of(message: ParkedMessage) -> str:
    """Return the key of the alert for the cause of this message alone."""
    return f"parked/{STREAM}/{cause_of(message.problems).name}"


@dataclass
class Inbox:
    """The parked list, with the alerts that were told; `ended` are those that the last update ended, and how."""

    now: datetime = NOW
    last_id: int = 0
    messages: list[ParkedMessage] = field(default_factory=list)
    alerts: dict[str, Alert] = field(default_factory=dict)
    told_by: dict[str, set[str]] = field(default_factory=dict)
    ended: dict[str, str] = field(default_factory=dict)

    def park(self, number: int, hours: float | None = None) -> ParkedMessage:
        """Park a message with the problem of this number, of a guest who comes in so many hours."""
        self.last_id += 1
        check_in = None if hours is None else self.now + timedelta(hours=hours)
        message = ParkedMessage(
            parked_id=f"{self.last_id}-0",
            stream=STREAM,
            problems=(problem(number),),
            hints=Hints(f"BK-{self.last_id}", check_in),
        )
        self.messages.append(message)
        return message

    def tell(self) -> list[Cause]:
        """Update the alerts from the messages, as the periodic job does."""
        self.now += timedelta(seconds=1)
        known = self.open_alerts()
        causes = parked_causes(self.messages, self.now, open_alerts=known)
        for cause in causes:
            key, level = cause.notice.key, Severity.WARNING
            after = raise_cause(self.alerts.get(key), cause, group=key, level=level)
            assert after is not None
            self.alerts[key] = after
        self.ended = ended_alerts(known, causes)
        for key, goes_on_in in self.ended.items():
            before = self.alerts[key]
            after = (
                supersede_cause(before, self.now, goes_on_in=goes_on_in)
                if goes_on_in
                else resolve_cause(before, self.now)
            )
            assert after is not None
            self.alerts[key] = after
        for message in self.messages:
            self.told_by.setdefault(self.alert_of(message), set()).add(message.parked_id)
        return causes

    def open_alerts(self) -> list[Alert]:
        """Return the open alerts."""
        return [alert for alert in self.alerts.values() if alert.is_open]

    def open_keys(self) -> set[str]:
        """Return the keys of the open alerts."""
        return {alert.key for alert in self.open_alerts()}

    def alert_of(self, message: ParkedMessage) -> str:
        """Return the key of the open alert that tells of the message."""
        own = key_of(message)
        return own if own in self.open_keys() else OTHERS


def names(numbers: Iterable[int]) -> set[str]:
    """Return the keys of the alerts of these problems."""
    return {f"parked/{STREAM}/{cause_of([problem(number)]).name}" for number in numbers}


def test_a_flood_of_causes_ends_no_alert_that_was_told() -> None:
    """Sixty new causes come, each with more messages: the three alerts that were told stay, the others share one."""
    inbox = Inbox()
    for number in range(3):
        inbox.park(number)
    inbox.tell()
    told = names(range(3))
    for number in range(10, 70):
        inbox.park(number)
        inbox.park(number)
        inbox.tell()
        assert inbox.ended == {}
    assert told <= inbox.open_keys()
    assert len(inbox.open_keys()) == MOST_CAUSES + 1
    assert inbox.alerts[OTHERS].hit == 2 * (60 - (MOST_CAUSES - 3))


def test_an_alert_is_resolved_when_its_messages_are_gone() -> None:
    """Causes in the collecting alert stay there: after a clean-up nobody is told of old messages as new ones."""
    inbox = Inbox()
    for number in range(15):
        inbox.park(number)
    inbox.tell()
    (first, *rest), own = inbox.messages, inbox.open_keys() - {OTHERS}
    assert key_of(first) in own
    inbox.messages = rest
    inbox.tell()
    assert inbox.ended == {key_of(first): ""}
    assert inbox.open_keys() == own - {key_of(first)} | {OTHERS}
    new = inbox.park(99)
    inbox.tell()
    assert key_of(new) in inbox.open_keys()
    inbox.messages = [each for each in inbox.messages if key_of(each) in own or each is new]
    inbox.tell()
    assert inbox.ended == {OTHERS: ""}


def test_an_urgent_cause_leaves_the_collecting_alert() -> None:
    """At once, with an alert of its own. A collecting alert that is empty then isn't told as solved."""
    inbox = Inbox()
    for number in range(MOST_CAUSES):
        inbox.park(number, hours=30)
    last = inbox.park(50, hours=40)
    inbox.tell()
    assert inbox.alert_of(last) == OTHERS
    inbox.now += timedelta(hours=38, minutes=30)
    inbox.tell()
    assert key_of(last) in inbox.open_keys()
    assert OTHERS not in inbox.open_keys()
    assert "alerts of their own" in inbox.ended[OTHERS]
    assert inbox.alerts[OTHERS].is_unsolved
    urgent = inbox.park(51, hours=1)
    inbox.tell()
    assert key_of(urgent) in inbox.open_keys()


def test_urgent_causes_are_bounded_and_the_collecting_alert_is_as_urgent_as_they_are() -> None:
    """However many of them come."""
    inbox = Inbox()
    for number in range(100):
        inbox.park(number, hours=1 + number / 1000)
        inbox.tell()
    assert len(inbox.open_keys()) == MOST_CAUSES + MOST_URGENT + 1
    check_in = inbox.alerts[OTHERS].notice.check_in
    assert check_in is not None
    assert check_in - inbox.now <= PAGE_BEFORE


def test_an_alert_of_an_older_version_is_part_of_the_new_one() -> None:
    """The same mistake with other values had several alerts; none of them is told as solved."""
    inbox = Inbox()
    message = inbox.park(1)
    wrong = ("check_in: true is not text; give a time",)
    inbox.messages = [replace(message, problems=wrong)]
    inbox.tell()
    (alert,) = inbox.alerts.values()
    earlier = f"parked/{STREAM}/{cause_of(wrong).earlier_name}"
    assert earlier != alert.key
    inbox.alerts = {earlier: replace(alert, notice=replace(alert.notice, key=earlier))}
    inbox.tell()
    assert "It is now part of the alert" in inbox.ended[earlier]
    assert alert.key in inbox.open_keys()


def test_messages_that_a_full_list_pushed_out_are_not_told_as_solved() -> None:
    """Nobody replayed or discarded them."""
    inbox = Inbox()
    inbox.park(1)
    inbox.tell()
    (alert,) = inbox.open_alerts()
    later = inbox.park(2)
    causes = parked_causes([later], NOW, open_alerts=[alert])
    assert "pushed these out" in ended_alerts([alert], causes, oldest_kept=later.parked_id)[alert.key]
    assert ended_alerts([alert], causes, oldest_kept="1-0") == {alert.key: ""}


def test_which_cause_gets_a_free_place() -> None:
    """Causes that are told, urgent ones, codes that shouldn't work, the nearest check-in, the most messages."""
    far = [Candidate(name=f"far-{number}", count=9) for number in range(MOST_CAUSES)]
    near = Candidate(name="near", count=1, due_at=NOW)
    cancels = Candidate(name="cancels", count=1, keeps_a_code=True)
    urgent = Candidate(name="urgent", count=1, due_at=NOW, is_urgent=True, is_collected=True)
    old = Candidate(name="old", count=1)
    collected = Candidate(name="collected", count=99, due_at=NOW, keeps_a_code=True, is_collected=True)
    found = with_own_alert([*far, near, cancels, urgent, old, collected], {"old"})
    assert found == ["urgent", "cancels", "near", *(f"far-{number}" for number in range(6)), "old"]


def test_a_cancellation_of_a_booking_that_stands_goes_before_new_bookings() -> None:
    """Its code works for a guest who doesn't come."""
    inbox = Inbox()
    for number in range(20):
        inbox.park(number)
        inbox.park(number)
    it = issued()
    cancels = replace(
        inbox.park(90), kind=ParkedKind.CANCELLATION, booking=it, hints=Hints(it.booking_id), arrival="99-0"
    )
    inbox.messages[-1] = cancels
    inbox.tell()
    assert inbox.alert_of(cancels) == key_of(cancels)


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("park"), st.integers(0, 29), st.sampled_from((None, 0.5, 3.0, 40.0))),
        st.tuples(st.just("flood"), st.integers(0, 29), st.sampled_from((None, 0.5, 40.0))),
        st.tuples(st.just("leave"), st.integers(0, 999), st.none()),
        st.tuples(st.just("clear"), st.integers(0, 29), st.none()),
        st.tuples(st.just("wait"), st.integers(1, 60), st.none()),
    ),
    max_size=25,
)


@settings(max_examples=60)
@given(STEPS)
def test_resolved_is_told_only_if_the_messages_are_gone(steps: list[tuple[str, int, float | None]]) -> None:
    """For any sequence of messages that come and go: an alert is open while one of its messages is left.

    A cause keeps its alert, all messages are told, no guest who comes soon is hidden, and there are few alerts.
    """
    inbox = Inbox()
    for what, number, hours in steps:
        before = inbox.open_keys()
        match what:
            case "park":
                inbox.park(number, hours)
            case "flood":
                for each in range(15):
                    inbox.park((number + each) % 30, hours)
            case "leave" if inbox.messages:
                inbox.messages.pop(number % len(inbox.messages))
            case "clear":
                inbox.messages = [each for each in inbox.messages if each.problems != (problem(number),)]
            case "wait":
                inbox.now += timedelta(hours=number)
            case _:
                pass
        inbox.tell()
        left = {message.parked_id for message in inbox.messages}
        keys = {key_of(message) for message in inbox.messages}
        for key, goes_on_in in inbox.ended.items():
            is_gone = not inbox.told_by[key] & left
            assert not goes_on_in or inbox.messages, "something goes on, and nothing is there"
            assert goes_on_in or is_gone, "resolved, and its messages are there"
            assert key == OTHERS or (is_gone and not goes_on_in), "an own alert ends with its messages, and only so"
        own = inbox.open_keys() - {OTHERS}
        assert own <= keys
        assert (before - {OTHERS}) & keys <= own
        assert len(own) <= MOST_CAUSES + MOST_URGENT
        for message in inbox.messages:
            assert inbox.alert_of(message) in inbox.open_keys()
        near = [each for each in inbox.messages if is_near(each, inbox.now)]
        hidden = [each for each in near if inbox.alert_of(each) == OTHERS]
        assert not hidden or len(own) == MOST_CAUSES + MOST_URGENT
        assert not hidden or inbox.alerts[OTHERS].notice.check_in is not None
        inbox.told_by = {key: ids for key, ids in inbox.told_by.items() if key in inbox.open_keys()}


def is_near(message: ParkedMessage, now: datetime) -> bool:
    """Say whether a guest of the booking comes soon."""
    check_in = message.hints.check_in
    return check_in is not None and timedelta(days=-1) < check_in - now <= PAGE_BEFORE
