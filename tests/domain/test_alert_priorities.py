"""The order of messages that wait for a channel: by priority, then by age; none waits for ever."""

from dataclasses import dataclass, field
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.alerting.budget import MOST_WAITING, Budget, Priority, Rate, spend, without_place
from tests.shared.stories import NOW

RATE = Rate(burst=3, every=timedelta(seconds=15))
WAITING = (Priority.WARNING, Priority.INFO, Priority.RESOLVED)


@dataclass
class Channel:
    """A channel with its burst used up. A waiting message comes back at the time that it was given."""

    now: datetime = NOW
    budget: Budget = field(default_factory=lambda: Budget(0, NOW))
    come: dict[str, tuple[datetime, Priority]] = field(default_factory=dict)
    told: list[str] = field(default_factory=list)

    def ask(self, name: str, priority: Priority) -> None:
        """Ask to send a message: it is sent, or comes back later."""
        self.budget, again_at = spend(self.budget, RATE, self.now, name=name, priority=priority)
        self.come.pop(name, None)
        if again_at is None:
            self.told.append(name)
        else:
            assert again_at > self.now
            self.come[name] = again_at, priority

    def next(self) -> None:
        """Go on to the next time at which a message comes back. Several at one time come in the worst order."""
        self.now = min(at for at, _ in self.come.values())
        due = [(priority, name) for name, (at, priority) in self.come.items() if at <= self.now]
        for priority, name in sorted(due, key=lambda each: WAITING.index(each[0]), reverse=True):
            self.ask(name, priority)

    def run(self) -> None:
        """Go on until all are sent."""
        for _ in range(10_000):
            if not self.come:
                return
            self.next()
        raise AssertionError("some are never told")


def test_warnings_go_before_information_before_resolved_alerts() -> None:
    """In any order of arrival; within a priority the oldest first."""
    channel = Channel()
    for number in range(8):
        for priority in reversed(WAITING):
            channel.ask(f"{priority.name} {number}", priority)
            channel.now += timedelta(milliseconds=100)
    channel.run()
    assert channel.told == [f"{priority.name} {number}" for priority in WAITING for number in range(8)]


def test_a_page_does_not_wait() -> None:
    """The waiting messages keep their places."""
    channel = Channel()
    channel.ask("warning", Priority.WARNING)
    channel.ask("page", Priority.PAGE)
    assert channel.told == ["page"]
    channel.now += timedelta(seconds=1)
    channel.ask("later", Priority.WARNING)
    channel.run()
    assert channel.told == ["page", "warning", "later"]


def test_nothing_waits_for_ever() -> None:
    """Endless warnings can delay a message of the lowest priority by half an hour, and no longer."""
    channel = Channel()
    channel.ask("resolved", Priority.RESOLVED)
    number = 0
    while "resolved" not in channel.told:
        channel.now += RATE.every
        channel.ask(f"warning {number}", Priority.WARNING)
        number += 1
        for name, (at, priority) in list(channel.come.items()):
            if at <= channel.now:
                channel.ask(name, priority)
        assert channel.now - NOW < timedelta(hours=2)
    assert channel.told.count("resolved") == 1


def test_a_message_with_a_higher_priority_now_moves_forward() -> None:
    """It keeps its age."""
    channel = Channel()
    for name in ("a", "b"):
        channel.ask(name, Priority.WARNING)
    channel.ask("rises", Priority.INFO)
    channel.now += timedelta(seconds=1)
    channel.ask("c", Priority.WARNING)
    channel.ask("rises", Priority.WARNING)
    channel.run()
    assert channel.told == ["a", "b", "rises", "c"]


def test_a_message_that_has_nothing_to_tell_any_more_delays_no_other() -> None:
    """It gives its place back. If its worker died, the place is kept for some minutes."""
    channel = Channel()
    for number in range(50):
        channel.ask(f"gone {number}", Priority.WARNING)
    for number in range(50):
        channel.budget = without_place(channel.budget, f"gone {number}")
    channel.come.clear()
    channel.ask("next", Priority.RESOLVED)
    assert channel.come["next"][0] == NOW + RATE.every
    assert without_place(channel.budget, "nobody") is channel.budget
    for number in range(50):
        channel.ask(f"dead {number}", Priority.WARNING)
    channel.come = {"next": channel.come["next"]}
    channel.run()
    assert channel.now - NOW < timedelta(minutes=5)


def test_the_queue_is_bounded() -> None:
    """The least urgent messages get no place; they come again nevertheless."""
    channel = Channel()
    for number in range(MOST_WAITING + 50):
        channel.ask(f"info {number}", Priority.INFO)
    channel.ask("warning", Priority.WARNING)
    assert len(channel.budget.waiting) == MOST_WAITING
    assert channel.budget.waiting[0].name == "warning"
    channel.run()
    assert len(channel.told) == MOST_WAITING + 51


@pytest.mark.parametrize("priority", WAITING)
def test_nothing_waits_while_tokens_are_left(priority: Priority) -> None:
    """At any priority."""
    budget, again_at = spend(Budget(3, NOW), RATE, NOW, name="a", priority=priority)
    assert (budget, again_at) == (Budget(2, NOW), None)


@given(st.lists(st.tuples(st.sampled_from(WAITING), st.integers(0, 40)), max_size=40))
def test_each_message_is_sent_once_in_the_order_of_the_queue(arrivals: list[tuple[Priority, int]]) -> None:
    """For any arrivals: never more than the rate allows, and no message passes one that waits and comes before it."""
    channel, turns = Channel(), dict[str, datetime]()
    for number, (priority, pause) in enumerate(arrivals):
        channel.now += timedelta(milliseconds=pause)
        turns[str(number)] = channel.now + (priority.value or timedelta())
        channel.ask(str(number), priority)
    channel.run()
    assert sorted(channel.told) == sorted(turns)
    assert [turns[name] for name in channel.told] == sorted(turns.values())
    assert len(channel.told) <= (channel.now - NOW) / RATE.every + 0.01
