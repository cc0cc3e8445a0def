"""Groups of alerts with a real data server: one message for many, one parent for its children."""

from dataclasses import replace
from datetime import timedelta
from threading import Barrier
from typing import Any

from redis import Redis

from shared.domain.alerting.alert import mark_handled
from shared.domain.alerting.budget import Rate
from shared.domain.alerting.causes import Cause, Member
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.silences import Silence
from tests.shared.keys import wrong_keys
from tests.shared.stories import NOW
from tests.worker.alert_messages import notice
from tests.worker.alert_stage import WINDOW, Channel, Stage
from tests.worker.machine import at_once
from worker.alerts.channel import NotDelivered
from worker.alerts.slack import slack_message

TWENTY = [f"BK-{number}" for number in range(20)]


def test_twenty_doors_are_one_message_and_so_is_their_end(stage: Stage, channel: Channel) -> None:
    """In any order within the window. Afterwards nothing is due, and every key is a known one."""
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


def test_new_members_of_a_cause_are_told_by_name(stage: Stage, channel: Channel) -> None:
    """After a pause, all of them together; an urgent one at once. The text names the new ones."""

    def tell(*numbers: int, check_in_hours: float) -> None:
        check_in = NOW + timedelta(hours=check_in_hours)
        told = notice("BK-1", problem="booking_parked", check_in=check_in)
        told = replace(told, key="parked/booking-created/x", booking_id="", happened="It could not be used.")
        members = tuple(Member(f"{number}-0", f"Booking BK-{number}") for number in numbers)
        stage.ledger.record_cause(Cause(told, hit=len(members), members=members))

    tell(1, check_in_hours=12)
    stage.let(2 * WINDOW)
    for number in range(2, 7):
        tell(*range(1, number), check_in_hours=12)
        stage.let(timedelta(minutes=1))
    assert len(channel.got) == 1
    stage.let(timedelta(minutes=15))
    assert [message.first.news for message in channel.got] == ["opened", "changed"]
    assert channel.got[1].first.joined.splitlines() == [f"Booking BK-{number}" for number in range(5, 1, -1)]
    assert ("New since the last message", channel.got[1].first.joined) in channel.got[1].facts
    tell(*range(1, 7), check_in_hours=2)
    stage.let(timedelta(minutes=1))
    assert [message.first.news for message in channel.got[2:]] == ["rose"]
    assert channel.got[2].first.joined == "Booking BK-6"


def test_an_outage_of_seam_is_one_message(stage: Stage, channel: Channel) -> None:
    """One message for a hundred bookings, with their number; a nearer check-in pages; the end is one message, too."""
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


def test_another_problem_of_the_same_booking_is_told_during_an_outage(stage: Stage, channel: Channel) -> None:
    """A parent inhibits only its own children."""
    stage.tell("BK-1", problem="seam_unavailable")
    stage.tell("BK-1", problem="code_problem")
    stage.let(timedelta(minutes=1))
    assert {message.first.key for message in channel.got} == {"seam/unavailable", "booking/BK-1/code_problem/d-1"}


def test_a_problem_that_ends_before_it_was_told_is_told_to_nobody(stage: Stage, channel: Channel) -> None:
    """A short problem is no alert."""
    stage.tell("BK-1")
    stage.let(timedelta(seconds=10))
    stage.tell("BK-1", raised=False)
    stage.let(timedelta(hours=1), step=WINDOW)
    assert channel.got == []
    assert stage.due.count(stage.now) == (0, 0)


def test_a_flood_from_many_threads_is_one_message(redis_client: Redis) -> None:
    """Nothing that is raised while the group is delivered is missed."""
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


def test_a_channels_budget_delays_and_merges_and_lets_pages_through(redis_client: Redis) -> None:
    """No message is dropped; waiting alerts are sent together."""
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
    """A problem that is still open is told then; a handled one isn't told again for a day."""
    stage.silences.add(Silence(silence_id="s", until=NOW + timedelta(hours=2), problem="no_slot"))
    stage.tell("BK-1", check_in=NOW + timedelta(hours=60))
    stage.let(timedelta(hours=1, minutes=59), step=timedelta(minutes=1))
    assert channel.got == []
    stage.let(timedelta(minutes=2))
    assert channel.told() == [("open", 1)]


def test_a_handled_alert_sends_no_reminders_but_tells_its_end(stage: Stage, channel: Channel) -> None:
    """Others of its group remind without it."""
    stage.tell("BK-1", "BK-2", check_in=NOW + timedelta(hours=23), problem="no_slot")
    stage.let(WINDOW)
    stage.ledger.update("booking/BK-1/no_slot/d-1", lambda it: mark_handled(it, "ann"))
    stage.let(timedelta(hours=5), step=timedelta(minutes=10))
    assert channel.told() == [("open", 2), ("open", 1)]
    assert channel.got[1].first.booking_id == "BK-2"
    stage.tell("BK-1", raised=False)
    stage.let(timedelta(minutes=1))
    assert channel.told()[-1] == ("resolved", 1)


def test_news_of_one_alert_changes_nothing_for_others(stage: Stage, channel: Channel) -> None:
    """A problem that changes is told alone, as changed."""
    stage.tell("BK-1", "BK-2")
    stage.let(WINDOW)
    stage.ledger.record_notice(replace(notice("BK-1", at=stage.now), happened="It is worse."))
    stage.let(WINDOW)
    assert channel.got[-1].title == "Changed: Booking BK-1 on Room 101"
    assert channel.told() == [("open", 2), ("open", 1)]


def test_the_end_of_two_alerts_is_told_after_a_lost_answer(stage: Stage, channel: Channel) -> None:
    """Both may have been told; one of them ends before the other is sent again."""

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
    """Raise problems that page, one after another."""
    for number in range(first, last):
        stage.tell(f"BK-{number}", problem="slot_changed", check_in=stage.now + timedelta(hours=1))
        stage.let(every)


def threads_of(channel: Channel) -> list[str]:
    """Return the conversation of each problem of each message."""
    return [item.thread for message in channel.got for item in message.items]


def test_doors_that_lose_their_slots_one_after_another_are_one_incident(stage: Stage, channel: Channel) -> None:
    """The first one pages at once; the others are updates, and the incident ends when all of them have."""
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


def test_a_page_joins_no_incident_that_paged_long_ago(stage: Stage, channel: Channel) -> None:
    """That one wouldn't page again: after the window it is another incident, with another name."""
    pages(stage, 0, 2, every=timedelta(minutes=1))
    stage.tell("BK-0", problem="slot_changed", raised=False)
    stage.let(timedelta(minutes=11))
    pages(stage, 0, 1, every=timedelta(minutes=1))
    opened = [item for message in channel.got for item in message.items if item.news == "opened"]
    assert [item.booking_id for item in opened] == ["BK-0", "BK-1", "BK-0"]
    assert opened[0].thread == opened[1].thread != opened[2].thread


def test_a_page_joins_no_warning(stage: Stage, channel: Channel) -> None:
    """It hasn't paged anybody."""
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


def test_other_request_ids_are_no_news(stage: Stage, channel: Channel) -> None:
    """The same failure again: nothing is told, and the alert is still handled."""
    ids = ("11111111-1111-4111-8111-111111111111", "22222222-2222-4222-8222-222222222222")
    stage.tell("BK-1", happened=f"Seam says: no (request {ids[0]}).")
    stage.let(WINDOW)
    stage.ledger.update("booking/BK-1/no_slot/d-1", lambda it: mark_handled(it, "ann"))
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


def test_waiting_messages_are_sent_by_priority(redis_client: Redis) -> None:
    """A page at once; then warnings, information, and last resolved alerts. Also after a worker was killed."""
    channel = Channel("a")
    rate = Rate(burst=1, every=timedelta(seconds=15))
    stage = Stage(redis_client, [channel], group_window=timedelta(), rate=rate)

    def tell(name: str, *, hours: int, **fields: Any) -> None:
        stage.ledger.record_notice(
            notice(name, key=f"one/{name}", at=stage.now, check_in=NOW + timedelta(hours=hours), **fields)
        )

    tell("over", hours=20)
    stage.let(timedelta())
    tell("over", hours=20, raised=False)
    stage.let(timedelta())
    for number in range(3):
        tell(f"info-{number}", hours=200)
        stage.let(timedelta())
    for number in range(3):
        tell(f"warning-{number}", hours=20)
        stage.let(timedelta(milliseconds=1))
    assert channel.told() == [("open", 1)]
    tell("page", hours=1)
    stage.let(timedelta())

    stage.now += rate.every
    stage.due.claim(stage.now, 500)  # by a worker that is killed with it
    stage.let(timedelta(minutes=5))
    told = [(item.booking_id, message.status) for message in channel.got for item in message.items]
    warnings, infos = ([f"{name}-{number}" for number in range(3)] for name in ("warning", "info"))
    assert told[:2] == [("over", "open"), ("page", "open")]
    assert [name for name, _ in told[2:8]] == [*warnings, *infos]
    assert told[8:] == [("over", "resolved")]


def test_a_change_before_the_first_message_delays_nothing(redis_client: Redis) -> None:
    """A cause that changes with each message of a flood is told when its group has waited."""
    channel = Channel("a")
    stage = Stage(redis_client, [channel])
    for number in range(8):
        stage.tell("BK-1", happened=f"Something else: {number}.", check_in=NOW + timedelta(hours=20))
        stage.let(timedelta(seconds=5))
    assert channel.told()[:1] == [("open", 1)]


def test_an_alert_that_another_one_replaces_is_not_told_as_solved(stage: Stage, channel: Channel) -> None:
    """It says which alert tells of the problem now. If it opens again, its next end is a real one."""
    key = "parked/booking-created/0f1e"
    cause = Cause(notice("BK-1", "booking_parked", key=key, at=stage.now), hit=1)
    stage.ledger.record_cause(cause)
    stage.let(WINDOW)
    moved = stage.ledger.supersede(key, goes_on_in="It is now part of the alert '9 parked bookings'.")
    assert moved is not None
    assert moved.is_unsolved
    stage.let(WINDOW)
    told = channel.got[-1]
    assert (told.status, told.is_gone) == ("resolved", False)
    assert told.title == "Closed, not solved: Booking BK-1 on Room 101"
    assert told.next_step == "It is now part of the alert '9 parked bookings'."
    assert "white_check_mark" not in str(slack_message(told))
    stage.ledger.record_cause(cause)
    stage.let(WINDOW)
    stage.ledger.resolve(key)
    stage.let(WINDOW)
    told = channel.got[-1]
    assert (told.is_gone, told.title) == (True, "Resolved: Booking BK-1 on Room 101")
    assert "white_check_mark" in str(slack_message(told))
