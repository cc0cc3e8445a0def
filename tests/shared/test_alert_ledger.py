"""Alerts in Redis: one record a problem; its group is in the due-set from the moment that there is news."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from redis import Redis

from shared import redis_keys
from shared.domain.alerting.receipts import record_delivery
from shared.domain.booking.record import AlertNotice
from shared.ledger.due_set import alert_item
from tests.shared.ledgers import RETENTION, alert_ledger, at, due_at
from tests.shared.stories import NOW
from tests.support.round_trips import round_trips

NOTICE = AlertNotice(at=NOW, raised=True, key="booking/BK-1/no_slot/d-1", problem="no_slot", happened="Nothing fits.")
GROUP = "no_slot"
MEMBER = alert_item(GROUP).encoded()


def test_a_group_is_due_when_there_is_news(redis_client: Redis) -> None:
    """A group is due again at the time that its reader gives, unless it changed after it was read."""
    alerts = alert_ledger(redis_client, ["slack-1"])
    alerts.record_notice(NOTICE)
    assert due_at(redis_client, MEMBER) == NOW
    seen = alerts.groups.members(GROUP)
    alerts.groups.reschedule(GROUP, NOW + timedelta(hours=4), seen=seen)
    assert due_at(redis_client, MEMBER) == NOW + timedelta(hours=4)

    alerts.record_notice(replace(NOTICE, happened="Something else."))
    assert due_at(redis_client, MEMBER) == NOW


def test_news_during_a_look_at_its_group_keeps_the_group_due(redis_client: Redis) -> None:
    """The look that didn't see it puts the group to rest, and finds that it must wake it."""
    alerts = alert_ledger(redis_client, ["slack-1"])
    alerts.record_notice(NOTICE)
    seen = alerts.groups.members(GROUP)
    alerts.record_notice(replace(NOTICE, key="booking/BK-2/no_slot/d-1"))
    alerts.groups.reschedule(GROUP, None, seen=seen)
    assert due_at(redis_client, MEMBER) == NOW


def test_a_repeat_wakes_nobody(redis_client: Redis) -> None:
    """It is counted; what people see doesn't change, unless the check-in moved."""
    alerts = alert_ledger(redis_client, ["slack-1"])
    alerts.record_notice(NOTICE)
    alerts.groups.reschedule(GROUP, None, seen=alerts.groups.members(GROUP))
    alerts.record_notice(NOTICE)
    alerts.update(NOTICE.key, lambda it: record_delivery(it, "slack-1", 1))
    assert due_at(redis_client, MEMBER) is None
    alerts.record_notice(replace(NOTICE, check_in=NOW + timedelta(hours=3)))
    assert due_at(redis_client, MEMBER) == NOW


def test_an_alert_is_kept_for_people_to_read(redis_client: Redis) -> None:
    """Also where no channel is set."""
    alerts = alert_ledger(redis_client)
    alerts.record_notice(NOTICE)
    assert [alert.notice for alert in alerts.all()] == [NOTICE]


def test_a_problem_nobody_was_told_of_leaves_nothing(redis_client: Redis) -> None:
    """Resolving what was never raised writes nothing."""
    alerts = alert_ledger(redis_client, ["slack-1"])
    alerts.record_notice(replace(NOTICE, raised=False))
    assert alerts.get(NOTICE.key) is None
    assert alerts.update(NOTICE.key, lambda it: it) is None
    assert redis_client.dbsize() == 0


def test_many_workers_that_tell_the_same_count_right(redis_client: Redis) -> None:
    """One open alert, told once, counted forty times."""
    alerts = alert_ledger(redis_client, ["slack-1"])
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda _: alerts.record_notice(NOTICE), range(40)))
    alert = alerts.get(NOTICE.key)
    assert alert is not None
    assert (alert.count, alert.sequence, alert.is_open) == (40, 1, True)


def test_alerts_are_forgotten_after_their_retention(redis_client: Redis) -> None:
    """The record expires, and the index drops it."""
    alerts = alert_ledger(redis_client)
    alerts.record_notice(NOTICE)
    expires_at = redis_client.expiretime(redis_keys.alert_record(NOTICE.key))
    assert expires_at == int((NOW + RETENTION).timestamp())
    later = alert_ledger(redis_client, clock=at(NOW + RETENTION + timedelta(seconds=1)))
    assert list(later.all()) == []
    assert redis_client.zcard(redis_keys.ALERTS) == 0


def test_the_open_ones_among_many(redis_client: Redis) -> None:
    """Only those, each once; what is over, or was never told, isn't read. Nobody asks for none."""
    alerts = alert_ledger(redis_client)
    for number in range(3):
        alerts.record_notice(replace(NOTICE, key=f"a/{number}"))
    alerts.record_notice(replace(NOTICE, key="a/2", raised=False))
    with round_trips() as trips:
        found = alerts.open_among(["a/1", "a/2", "a/1", *(f"none/{number}" for number in range(500))])
    assert ([alert.key for alert in found], trips.count) == (["a/1"], 2)
    assert alerts.count_open() == len(alerts.open()) == 2
    with round_trips() as trips:
        assert alerts.open_among([]) == []
    assert trips.count == 0
