"""Shown messages are updated, and replies are posted, with a real data server and kills in between."""

from datetime import timedelta

import pytest
from redis import Redis

from shared.domain.alerting.alert import mark_handled
from shared.domain.alerting.message_versions import add_remark
from tests.shared.ledgers import LEASE
from tests.shared.stories import NOW
from tests.worker.alert_stage import WINDOW, Changeable, Channel, Killed, Stage
from worker.alerts.channel import NotDelivered

KEY = "booking/BK-1/no_slot/d-1"


@pytest.fixture
def changeable() -> Changeable:
    """Return a channel that can update its messages."""
    return Changeable("chat")


@pytest.fixture
def chat(redis_client: Redis, changeable: Changeable, channel: Channel) -> Stage:
    """Return a stage with that channel, and one that can't."""
    return Stage(redis_client, [changeable, channel])


def press(stage: Stage, by: str = "ann in Slack") -> None:
    """Mark as handled."""
    stage.ledger.update(KEY, lambda it: mark_handled(it, by, stage.now))


def test_a_handled_alert_is_shown_once_and_nobody_is_notified(
    chat: Stage, changeable: Changeable, channel: Channel
) -> None:
    """At once, if the message can be updated; a second click of the same person changes nothing."""
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


def test_an_alert_that_is_handled_before_it_is_told_says_so(chat: Stage, changeable: Changeable) -> None:
    """The message has it; there is no update afterwards."""
    chat.tell("BK-1")
    press(chat)
    chat.let(timedelta(minutes=5))
    assert changeable.got[0].first.handled.startswith("by ann in Slack")
    assert changeable.shown == []


def test_after_a_kill_the_update_is_repeated(chat: Stage, changeable: Changeable) -> None:
    """At least once, after the lease; and the end is told in any case."""

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


def test_a_refused_update_is_tried_again_and_then_given_up(chat: Stage, changeable: Changeable) -> None:
    """It delays no news."""

    def refuse() -> None:
        raise NotDelivered("no")

    chat.tell("BK-1", check_in=NOW + timedelta(hours=60))
    chat.let(WINDOW)
    press(chat)
    changeable.trouble = refuse
    chat.let(timedelta(hours=3), step=timedelta(minutes=5))
    alert = chat.ledger.get(KEY)
    assert alert is not None
    assert alert.receipt_of("chat").look == alert.look
    changeable.trouble = lambda: None
    chat.tell("BK-1", raised=False)
    chat.let(timedelta(minutes=2))
    assert changeable.told() == [("open", 1), ("resolved", 1)]
    assert changeable.shown == []


@pytest.mark.parametrize("is_over", [False, True])
def test_a_reply_is_posted_once(chat: Stage, changeable: Changeable, *, is_over: bool) -> None:
    """Also if the problem is over by then, and the alert has left its group."""
    chat.tell("BK-1", check_in=NOW + timedelta(hours=60))
    chat.let(WINDOW)
    if is_over:
        chat.tell("BK-1", raised=False)
        chat.let(timedelta(minutes=2))
    for _ in range(2):
        chat.ledger.update(KEY, lambda it: add_remark(it, "1-0", "ann chose a slot, and it was not done."))
        chat.let(timedelta(minutes=2))
    (shown,) = changeable.shown
    assert shown.remarks == ("ann chose a slot, and it was not done.",)
    assert shown.status == ("resolved" if is_over else "open")
    assert set(chat.ledger.groups.members("no_slot/ops")) == (set() if is_over else {KEY})


def test_a_reply_is_posted_in_its_own_conversation(chat: Stage, changeable: Changeable) -> None:
    """Also if other news of the same problem is told elsewhere first, together with other problems."""
    chat.tell("BK-1", check_in=NOW + timedelta(hours=60))
    chat.let(WINDOW)
    chat.tell("BK-1", check_in=NOW + timedelta(hours=60), happened="Its slots changed.")
    chat.tell("BK-2", check_in=NOW + timedelta(hours=60))
    chat.ledger.update(KEY, lambda it: add_remark(it, "1-0", "It was not done."))
    chat.let(timedelta(minutes=3))
    assert changeable.told() == [("open", 1), ("open", 2)]
    assert [message.remarks for message in changeable.got] == [(), ()]
    (shown,) = changeable.shown
    assert (shown.remarks, [*shown.threads], shown.first.key) == (("It was not done.",), [KEY], KEY)


def test_the_number_of_affected_bookings_is_updated_once_a_minute(
    chat: Stage, changeable: Changeable, channel: Channel
) -> None:
    """One is told, then fifteen more come: the message is updated, nobody is notified; others get a reminder."""
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
