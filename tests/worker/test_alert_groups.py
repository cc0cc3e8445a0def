"""Groups of alerts on a real data server: one message for many, one cause for its children, and kills in between."""

from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import timedelta
from threading import Barrier, Lock
from typing import Any

import pytest
from redis import Redis

from shared.domain.alerting.alert import handled, remarked
from shared.domain.alerting.budget import Rate
from shared.domain.alerting.policy import AlertPolicy
from shared.domain.alerting.routing import Route, Routing
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.silences import Silence
from shared.ledger.alert_channels import ChannelBudgets
from shared.ledger.alerts import AlertLedger
from shared.ledger.due import DueSet
from shared.ledger.silences import Silences
from tests.shared.keys import wrong_keys
from tests.shared.ledgers import LEASE, RETENTION
from tests.shared.stories import NOW
from tests.worker.alert_messages import notice
from tests.worker.machine import at_once
from worker.alerts.channel import NotDelivered
from worker.alerts.delivery import AlertDelivery
from worker.alerts.message import AlertMessage

WINDOW = timedelta(seconds=30)


class Killed(BaseException):
    """The worker is gone: nothing after this line happens."""


class Channel:
    """A channel that keeps what it gets; `trouble` is called before, `after` once it has it."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.got: list[AlertMessage] = []
        self.trouble: Callable[[], None] = lambda: None
        self.after: Callable[[], None] = lambda: None
        self._lock = Lock()

    def send(self, message: AlertMessage) -> str:
        """Take the message, or not."""
        self.trouble()
        with self._lock:
            self.got.append(message)
        self.after()
        return "kept"

    def told(self) -> list[tuple[str, int]]:
        """Return each message's status and size."""
        return [(message.status, len(message.items)) for message in self.got]


class Changeable(Channel):
    """A channel that can change what it has shown; it keeps what it showed then."""

    def __init__(self, name: str) -> None:
        super().__init__(name)
        self.shown: list[AlertMessage] = []

    def update(self, message: AlertMessage) -> str:
        """Show it as it is now, or not."""
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
        self.deliver = AlertDelivery(
            ledger=self.ledger,
            silences=self.silences,
            budgets=ChannelBudgets(redis, rate=rules.rate),
            channels=tuple(channels),
            lease=LEASE,
            clock=self.clock,
        )

    def clock(self) -> Any:
        """Return the stage's time."""
        return self.now

    def tell(self, *bookings: str, raised: bool = True, **fields: Any) -> None:
        """Tell of the same problem with each booking."""
        for booking in bookings:
            self.ledger.tell(notice(booking, raised=raised, **({"at": self.now} | fields)))

    def let(self, passed: timedelta, *, step: timedelta = timedelta(seconds=5)) -> None:
        """Let time pass, sweeping as the worker does."""
        until = self.now + passed
        while True:
            for item in self.due.claim(self.now, 500):
                self.deliver(*item.ids)
            if self.now >= until:
                return
            self.now = min(until, self.now + step)


@pytest.fixture
def channel() -> Channel:
    """Return a channel."""
    return Channel("a")


@pytest.fixture
def stage(redis_client: Redis, channel: Channel) -> Stage:
    """Return a stage with that channel."""
    return Stage(redis_client, [channel])


TWENTY = [f"BK-{number}" for number in range(20)]


def test_twenty_doors_are_one_message_and_so_is_their_end(stage: Stage, channel: Channel) -> None:
    """However they come within the window; afterwards nothing is due, and every key is a known one."""
    for booking in TWENTY:
        stage.tell(booking, problem="no_slots_configured")
        stage.let(timedelta(seconds=1), step=timedelta(seconds=1))
    stage.let(WINDOW)
    assert channel.told() == [("open", 20)]
    assert wrong_keys(stage.redis) == []

    stage.tell(*TWENTY, problem="no_slots_configured", raised=False)
    stage.let(2 * WINDOW)
    assert channel.told() == [("open", 20), ("resolved", 20)]
    assert stage.due.count(stage.now) == (0, 0)
    assert stage.ledger.groups.members("no_slots_configured/installer") == {}


def test_an_outage_of_seam_is_one_message(stage: Stage, channel: Channel) -> None:
    """A hundred bookings, one word; it says how many; a nearer check-in makes it a page; its end is one word too."""
    hundred = [f"BK-{number}" for number in range(100)]
    stage.tell(*hundred, problem="seam_unavailable", check_in=NOW + timedelta(hours=90))
    stage.let(timedelta(minutes=1))
    ((status, count),) = channel.told()
    assert (status, count, channel.got[0].first.key) == ("open", 1, "seam/unavailable")
    assert "100 bookings are hit" in channel.got[0].first.affects

    stage.tell("BK-near", problem="in_doubt", check_in=NOW + timedelta(hours=1))
    stage.let(timedelta(minutes=1))
    assert [message.severity for message in channel.got] == [Severity.INFO, Severity.PAGE]

    stage.tell("BK-near", problem="in_doubt", raised=False)
    stage.tell(*hundred[1:], problem="seam_unavailable", raised=False)
    stage.let(timedelta(minutes=2))
    assert [message.status for message in channel.got] == ["open", "open"]
    stage.tell(hundred[0], problem="seam_unavailable", raised=False)
    stage.let(timedelta(minutes=2))
    assert [message.status for message in channel.got] == ["open", "open", "resolved"]
    assert stage.due.count(stage.now) == (0, 0)


def test_other_trouble_of_the_same_booking_is_told_during_an_outage(stage: Stage, channel: Channel) -> None:
    """The parent stands for its own children alone."""
    stage.tell("BK-1", problem="seam_unavailable")
    stage.tell("BK-1", problem="code_problem")
    stage.let(timedelta(minutes=1))
    assert {message.first.key for message in channel.got} == {"seam/unavailable", "booking/BK-1/code_problem/d-1"}


def test_what_is_over_before_it_was_told_is_told_to_nobody(stage: Stage, channel: Channel) -> None:
    """A blink is no alert."""
    stage.tell("BK-1")
    stage.let(timedelta(seconds=10))
    stage.tell("BK-1", raised=False)
    stage.let(timedelta(hours=1), step=WINDOW)
    assert channel.got == []
    assert stage.due.count(stage.now) == (0, 0)


def test_a_kill_after_the_send_repeats_the_same_message(stage: Stage, channel: Channel) -> None:
    """At least once, under the same id, and not before the lease is over; newcomers don't change it."""

    def kill() -> None:
        raise Killed

    channel.after = kill
    stage.tell("BK-1", "BK-2")
    stage.now += WINDOW
    with pytest.raises(Killed):
        stage.let(timedelta())
    channel.after = lambda: None
    stage.tell("BK-3")
    stage.let(LEASE * 3)
    first, repeat, newcomer = channel.got
    assert first.delivery_id == repeat.delivery_id
    assert (len(repeat.items), [item.booking_id for item in newcomer.items]) == (2, ["BK-3"])


def test_kills_anywhere_lose_nothing(redis_client: Redis) -> None:
    """Whatever write a worker dies at: in the end every problem was told, and every end."""
    for dies_at in range(1, 26):
        redis_client.flushall()
        channel = Channel("a")
        stage = Stage(_Dying(redis_client, dies_at), [channel])  # type: ignore[arg-type]
        for raised in (True, False):
            for booking in ("BK-1", "BK-2"):
                try:
                    stage.tell(booking, raised=raised)
                except Killed:
                    # Whoever tells does it again: the booking's outbox still holds it.
                    stage.tell(booking, raised=raised)
            for _ in range(60):
                try:
                    stage.let(timedelta(seconds=5))
                except Killed:
                    continue
        told = {(item.booking_id, item.status) for message in channel.got for item in message.items}
        assert told == {(booking, status) for booking in ("BK-1", "BK-2") for status in ("open", "resolved")}, dies_at


class _Dying:
    """A connection whose worker is killed at its n-th write, once."""

    def __init__(self, redis: Redis, dies_at: int) -> None:
        self._redis = redis
        self._left = dies_at

    def __getattr__(self, name: str) -> Any:
        if name in ("zadd", "zrem", "pipeline", "evalsha", "set"):
            self._left -= 1
            if self._left == 0:
                raise Killed
        return getattr(self._redis, name)


def test_two_workers_at_once_send_once(redis_client: Redis) -> None:
    """Whoever writes the parcel down first sends it."""
    channel = Channel("a")
    workers = [Stage(redis_client, [channel]) for _ in range(4)]
    workers[0].tell("BK-1", "BK-2")
    for worker in workers:
        worker.now += WINDOW
    at_once(*(lambda worker=worker: worker.deliver("no_slot/ops") for worker in workers))
    assert channel.told() == [("open", 2)]


def test_a_flood_from_many_threads_is_one_message(redis_client: Redis) -> None:
    """Nothing that is told while a group is looked at is slept over."""
    channel = Channel("a")
    stage = Stage(redis_client, [channel], group_window=timedelta())
    together = Barrier(8)

    def work(number: int) -> None:
        together.wait(10)
        for each in range(10):
            stage.tell(f"BK-{number}-{each}")
            stage.let(timedelta())

    at_once(*(lambda number=number: work(number) for number in range(8)))
    stage.let(timedelta(minutes=3))
    told = [item.booking_id for message in channel.got for item in message.items]
    assert sorted(told) == sorted({f"BK-{number}-{each}" for number in range(8) for each in range(10)})


def test_a_channel_that_fails_leads_to_the_fallback(redis_client: Redis) -> None:
    """After four tries; once the first works again it hears too, and both hear of the end."""
    first, second = Channel("a"), Channel("b")
    routing = Routing(channels=("a", "b"), routes=(Route(channels=("a",)),), fallback="b")
    stage = Stage(redis_client, [first, second], routing=routing, group_window=timedelta())

    def fail() -> None:
        raise NotDelivered("HTTP 500")

    first.trouble = fail
    stage.tell("BK-1")
    stage.let(timedelta(minutes=2), step=timedelta(seconds=1))
    assert (first.told(), second.told()) == ([], [("open", 1)])
    first.trouble = lambda: None
    stage.let(timedelta(minutes=15))
    assert first.told() == [("open", 1)]
    stage.tell("BK-1", raised=False)
    stage.let(timedelta(minutes=1))
    assert (first.told()[-1], second.told()[-1]) == (("resolved", 1), ("resolved", 1))


@pytest.mark.parametrize(("left", "told"), [(timedelta(minutes=90), 1), (timedelta(hours=20), 0)])
def test_a_page_does_not_wait_out_the_pause_that_a_channel_names(
    redis_client: Redis, left: timedelta, told: int
) -> None:
    """The fallback channel is told at once; what hurries less waits for the channel that was meant."""
    first, second = Channel("a"), Channel("b")
    routing = Routing(channels=("a", "b"), routes=(Route(channels=("a",)),), fallback="b")
    stage = Stage(redis_client, [first, second], routing=routing, group_window=timedelta())

    def put_off() -> None:
        raise NotDelivered("HTTP 429", retry_after=timedelta(hours=1))

    first.trouble = put_off
    stage.tell("BK-1", check_in=stage.now + left)
    stage.let(timedelta(seconds=30), step=timedelta(seconds=1))
    assert second.told() == [("open", 1)] * told


def test_a_channel_with_a_bug_keeps_nobody_else_from_hearing(redis_client: Redis) -> None:
    """Whatever it raises; it is tried again like one that fails."""
    broken, good = Channel("a"), Channel("b")
    stage = Stage(redis_client, [broken, good], group_window=timedelta())

    def crash() -> None:
        raise ZeroDivisionError

    broken.trouble = crash
    stage.tell("BK-1")
    stage.let(timedelta())
    assert good.told() == [("open", 1)]
    (parcel,) = stage.ledger.groups.load("no_slot/ops")[0].parcels.values()
    assert (parcel.attempts, parcel.error) == (1, "ZeroDivisionError")


def test_a_channels_budget_delays_and_merges_and_lets_pages_through(redis_client: Redis) -> None:
    """Nothing is dropped; what waited goes out together."""
    channel = Channel("a")
    rate = Rate(burst=2, every=timedelta(minutes=1))
    stage = Stage(redis_client, [channel], group_window=timedelta(), rate=rate)
    for number in range(6):
        stage.tell(f"BK-{number}")
        stage.let(timedelta(seconds=1))
    assert channel.told() == [("open", 1), ("open", 1)]
    stage.tell("BK-page", problem="late_set", check_in=stage.now + timedelta(hours=1))
    stage.let(timedelta(seconds=1))
    assert channel.told()[2:] == [("open", 1)]
    stage.let(timedelta(minutes=4))
    assert channel.told()[3:] == [("open", 4)]


def test_a_silence_ends(stage: Stage, channel: Channel) -> None:
    """What is still open then is told; what was handled isn't told again for a day."""
    stage.silences.add(Silence(silence_id="s", until=NOW + timedelta(hours=2), problem="no_slot"))
    stage.tell("BK-1", check_in=NOW + timedelta(hours=60))
    stage.let(timedelta(hours=1, minutes=59), step=timedelta(minutes=1))
    assert channel.got == []
    stage.let(timedelta(minutes=2))
    assert channel.told() == [("open", 1)]


def test_handled_is_spared_reminders_and_told_of_the_end(stage: Stage, channel: Channel) -> None:
    """Reminders come without it."""
    stage.tell("BK-1", "BK-2", check_in=NOW + timedelta(hours=23), problem="no_slot")
    stage.let(WINDOW)
    stage.ledger.update("booking/BK-1/no_slot/d-1", lambda it: handled(it, "ann"))
    stage.let(timedelta(hours=5), step=timedelta(minutes=10))
    assert channel.told() == [("open", 2), ("open", 1)]
    assert channel.got[1].first.booking_id == "BK-2"
    stage.tell("BK-1", raised=False)
    stage.let(timedelta(minutes=1))
    assert channel.told()[-1] == ("resolved", 1)


def test_news_resets_nothing_for_others(stage: Stage, channel: Channel) -> None:
    """A problem that changes is told alone, as changed."""
    stage.tell("BK-1", "BK-2")
    stage.let(WINDOW)
    stage.ledger.tell(replace(notice("BK-1", at=stage.now), happened="It is worse."))
    stage.let(WINDOW)
    assert channel.got[-1].title == "Changed: Booking BK-1 on Room 101"
    assert channel.told() == [("open", 2), ("open", 1)]


def test_who_may_know_of_two_hears_of_the_end_of_each(stage: Stage, channel: Channel) -> None:
    """The answer was lost; one of the two is over before the other is sent again."""

    def lose() -> None:
        raise NotDelivered("ReadTimeout")

    channel.after = lose
    stage.tell("BK-1", "BK-2")
    stage.let(WINDOW)
    channel.after = lambda: None
    stage.tell("BK-1", raised=False)
    stage.let(timedelta(minutes=3))
    last = {item.booking_id: item.status for message in channel.got for item in message.items}
    assert last == {"BK-1": "resolved", "BK-2": "open"}
    assert len({item.thread for message in channel.got for item in message.items}) == 1


def pages(stage: Stage, first: int, last: int, *, every: timedelta) -> None:
    """Tell of problems that page, one after another."""
    for number in range(first, last):
        stage.tell(f"BK-{number}", problem="slot_changed", check_in=stage.now + timedelta(hours=1))
        stage.let(every)


def threads_of(channel: Channel) -> list[str]:
    """Return the conversation of each problem of each message."""
    return [item.thread for message in channel.got for item in message.items]


def test_doors_that_lose_their_slots_one_after_another_are_one_incident(stage: Stage, channel: Channel) -> None:
    """The first pages at once; the others are updates of it, and its end is the end of all."""
    pages(stage, 0, 1, every=timedelta(seconds=10))
    assert channel.told() == [("open", 1)]
    for number in range(1, 7):
        stage.tell(f"BK-{number}", problem="slot_changed", check_in=stage.now + timedelta(hours=1))
    stage.let(WINDOW)
    assert channel.told() == [("open", 1), ("open", 6)]
    assert channel.got[1].title == "6 more bookings: slot changed"
    pages(stage, 7, 20, every=timedelta(seconds=90))
    assert len(set(threads_of(channel))) == 1
    stage.tell(*TWENTY[:1], problem="slot_changed", raised=False)
    stage.let(WINDOW)
    (items,) = channel.got[-1].threads.values()
    assert {item.status for item in items} == {"open", "resolved"}


def test_a_page_joins_no_incident_that_rang_long_ago(stage: Stage, channel: Channel) -> None:
    """Who has taken that one wouldn't be rung again: beyond the window it is an incident of its own, also by name."""
    pages(stage, 0, 2, every=timedelta(minutes=1))
    stage.tell("BK-0", problem="slot_changed", raised=False)
    stage.let(timedelta(minutes=11))
    pages(stage, 0, 1, every=timedelta(minutes=1))
    opened = [item for message in channel.got for item in message.items if item.news == "opened"]
    assert [item.booking_id for item in opened] == ["BK-0", "BK-1", "BK-0"]
    assert opened[0].thread == opened[1].thread != opened[2].thread


def test_a_page_joins_no_warning(stage: Stage, channel: Channel) -> None:
    """Nobody was rung for that."""
    stage.tell("BK-calm")
    stage.let(WINDOW)
    stage.tell("BK-also-calm")
    stage.let(WINDOW)
    stage.tell("BK-page", check_in=stage.now + timedelta(hours=1))
    stage.let(timedelta(seconds=10))
    calm, also_calm, page = threads_of(channel)
    assert calm == also_calm != page
    assert channel.got[1].title.startswith("1 more: ")
    assert not channel.got[2].joins


def test_other_ids_of_requests_are_no_news(stage: Stage, channel: Channel) -> None:
    """The same failure once more: nothing is told, and who takes care of it still does."""
    ids = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
    stage.tell("BK-1", happened=f"Seam says: no (request {ids[0]}).")
    stage.let(WINDOW)
    stage.ledger.update("booking/BK-1/no_slot/d-1", lambda it: handled(it, "ann"))
    stage.tell("BK-1", happened=f"Seam says: no (request {ids[1]}).")
    stage.let(2 * WINDOW)
    assert channel.told() == [("open", 1)]
    alert = stage.ledger.get("booking/BK-1/no_slot/d-1")
    assert alert is not None
    assert (alert.handled_by, alert.count) == ("ann", 2)
    assert ids[1] in alert.notice.happened
    stage.tell("BK-1", happened=f"Seam says: never (request {ids[1]}).")
    stage.let(WINDOW)
    assert channel.got[-1].title.startswith("Changed: ")


KEY = "booking/BK-1/no_slot/d-1"


@pytest.fixture
def changeable() -> Changeable:
    """Return a channel that can change what it has shown."""
    return Changeable("chat")


@pytest.fixture
def chat(redis_client: Redis, changeable: Changeable, channel: Channel) -> Stage:
    """Return a stage with that channel, beside one that can't."""
    return Stage(redis_client, [changeable, channel])


def press(stage: Stage, by: str = "ann in Slack") -> None:
    """Mark as handled."""
    stage.ledger.update(KEY, lambda it: handled(it, by, stage.now))


def test_handled_is_shown_once_and_nobody_is_notified(chat: Stage, changeable: Changeable, channel: Channel) -> None:
    """At once, where the message can be changed; a second press of the same person changes nothing."""
    chat.tell("BK-1", "BK-2", check_in=NOW + timedelta(hours=60))
    chat.let(WINDOW)
    press(chat)
    press(chat)
    chat.let(timedelta(seconds=1), step=timedelta(seconds=1))
    (shown,) = changeable.shown
    assert [item.handled for item in shown.items] == ["by ann in Slack, Fri 2036-11-21 13:00 Europe/Berlin"]
    assert [item.handled != "" for item in next(iter(shown.threads.values()))].count(True) == 1
    chat.let(timedelta(minutes=5))
    assert len(changeable.shown) == 1
    assert (channel.told(), changeable.told()) == ([("open", 2)], [("open", 2)])


def test_handled_before_it_was_told_is_told_so(chat: Stage, changeable: Changeable) -> None:
    """The message has it; nothing is changed afterwards."""
    chat.tell("BK-1")
    press(chat)
    chat.let(timedelta(minutes=5))
    assert changeable.got[0].first.handled.startswith("by ann in Slack")
    assert changeable.shown == []


def test_a_kill_while_it_is_changed_changes_it_again(chat: Stage, changeable: Changeable) -> None:
    """At least once, after the lease; and the end is told whatever happened."""

    def kill() -> None:
        raise Killed

    chat.tell("BK-1", check_in=NOW + timedelta(hours=60))
    chat.let(WINDOW)
    press(chat)
    changeable.after = kill
    with pytest.raises(Killed):
        chat.let(timedelta())
    changeable.after = lambda: None
    chat.let(2 * LEASE)
    assert len(changeable.shown) == 2
    chat.tell("BK-1", raised=False)
    chat.let(timedelta(minutes=2))
    assert changeable.told() == [("open", 1), ("resolved", 1)]
    assert chat.due.count(chat.now) == (0, 0)


def test_a_change_that_is_refused_is_tried_again_and_given_up(chat: Stage, changeable: Changeable) -> None:
    """It holds up no news."""

    def refuse() -> None:
        raise NotDelivered("no")

    chat.tell("BK-1", check_in=NOW + timedelta(hours=60))
    chat.let(WINDOW)
    press(chat)
    changeable.trouble = refuse
    chat.let(timedelta(hours=3), step=timedelta(minutes=5))
    alert = chat.ledger.get(KEY)
    assert alert is not None
    assert alert.told_to("chat").look == alert.look
    changeable.trouble = lambda: None
    chat.tell("BK-1", raised=False)
    chat.let(timedelta(minutes=2))
    assert changeable.told() == [("open", 1), ("resolved", 1)]
    assert changeable.shown == []


@pytest.mark.parametrize("is_over", [False, True])
def test_a_remark_is_said_once(chat: Stage, changeable: Changeable, *, is_over: bool) -> None:
    """Also where the problem is over by then, and its group is left."""
    chat.tell("BK-1", check_in=NOW + timedelta(hours=60))
    chat.let(WINDOW)
    if is_over:
        chat.tell("BK-1", raised=False)
        chat.let(timedelta(minutes=2))
    for _ in range(2):
        chat.ledger.update(KEY, lambda it: remarked(it, "1-0", "ann chose a slot, and it was not done."))
        chat.let(timedelta(minutes=2))
    (shown,) = changeable.shown
    assert shown.remarks == ("ann chose a slot, and it was not done.",)
    assert shown.status == ("resolved" if is_over else "open")
    assert set(chat.ledger.groups.members("no_slot/ops")) == (set() if is_over else {KEY})


def test_a_remark_is_said_in_its_own_conversation(chat: Stage, changeable: Changeable) -> None:
    """Also where other news of the same problem is told elsewhere first, together with that of others."""
    chat.tell("BK-1", check_in=NOW + timedelta(hours=60))
    chat.let(WINDOW)
    chat.tell("BK-1", check_in=NOW + timedelta(hours=60), happened="Its slots changed.")
    chat.tell("BK-2", check_in=NOW + timedelta(hours=60))
    chat.ledger.update(KEY, lambda it: remarked(it, "1-0", "It was not done."))
    chat.let(timedelta(minutes=3))
    assert changeable.told() == [("open", 1), ("open", 2)]
    assert [message.remarks for message in changeable.got] == [(), ()]
    (shown,) = changeable.shown
    assert (shown.remarks, [*shown.threads], shown.first.key) == (("It was not done.",), [KEY], KEY)


def test_how_many_are_hit_is_kept_true_once_a_minute(chat: Stage, changeable: Changeable, channel: Channel) -> None:
    """One is told, then fifteen more come: the message is changed, nobody is notified, others wait for the reminder."""
    far = NOW + timedelta(hours=90)
    chat.tell("BK-1", problem="seam_unavailable", check_in=far)
    chat.let(timedelta(minutes=1))
    assert "1 booking is hit" in changeable.got[0].first.affects
    for number in range(2, 16):
        chat.tell(f"BK-{number}", problem="seam_unavailable", check_in=far)
        chat.let(timedelta(seconds=5), step=timedelta(seconds=1))
    chat.let(timedelta(minutes=3))
    assert "15 bookings are hit" in changeable.shown[-1].first.affects
    assert len(changeable.shown) <= 3
    assert (len(changeable.got), len(channel.got)) == (1, 1)
