"""Alerts in Redis: one record a problem, in the due-set while a channel is behind."""

from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

from redis import Redis

from shared import redis_keys
from shared.domain.alerts import delivered
from shared.domain.records import AlertNotice
from shared.ledger.due import alert_item
from tests.shared.ledgers import RETENTION, alert_ledger, at, due_at
from tests.shared.stories import NOW

NOTICE = AlertNotice(at=NOW, raised=True, key="booking/BK-1/no_slot/d-1", problem="no_slot", happened="Nothing fits.")
MEMBER = alert_item(NOTICE.key).encoded()


def test_an_alert_is_due_until_every_channel_has_it(redis_client: Redis) -> None:
    """At once for those that are behind; out of the due-set when none is."""
    alerts = alert_ledger(redis_client, ["slack-1", "webhook-2"])
    alerts.tell(NOTICE)
    assert due_at(redis_client, MEMBER) == NOW
    alerts.update(NOTICE.key, lambda it: delivered(it, "slack-1", 1))
    assert due_at(redis_client, MEMBER) == NOW
    alerts.update(NOTICE.key, lambda it: delivered(it, "webhook-2", 1))
    assert due_at(redis_client, MEMBER) is None


def test_without_channels_it_is_kept_and_not_due(redis_client: Redis) -> None:
    """People can still read it."""
    alerts = alert_ledger(redis_client)
    alerts.tell(NOTICE)
    assert [alert.notice for alert in alerts.all()] == [NOTICE]
    assert due_at(redis_client, MEMBER) is None


def test_a_problem_nobody_was_told_of_leaves_nothing(redis_client: Redis) -> None:
    """Resolving what was never raised writes nothing."""
    alerts = alert_ledger(redis_client, ["slack-1"])
    alerts.tell(replace(NOTICE, raised=False))
    assert alerts.get(NOTICE.key) is None
    assert alerts.update(NOTICE.key, lambda it: it) is None
    assert redis_client.dbsize() == 0


def test_many_workers_that_tell_the_same_count_right(redis_client: Redis) -> None:
    """One open alert, told once, counted forty times."""
    alerts = alert_ledger(redis_client, ["slack-1"])
    with ThreadPoolExecutor(8) as workers:
        list(workers.map(lambda _: alerts.tell(NOTICE), range(40)))
    alert = alerts.get(NOTICE.key)
    assert alert is not None
    assert (alert.count, alert.sequence, alert.is_open) == (40, 1, True)


def test_alerts_are_forgotten_after_their_retention(redis_client: Redis) -> None:
    """The record expires, and the index drops it."""
    alerts = alert_ledger(redis_client)
    alerts.tell(NOTICE)
    expires_at = redis_client.expiretime(redis_keys.alert_record(NOTICE.key))
    assert expires_at == int((NOW + RETENTION).timestamp())
    later = alert_ledger(redis_client, clock=at(NOW + RETENTION + timedelta(seconds=1)))
    assert list(later.all()) == []
    assert redis_client.zcard(redis_keys.ALERTS) == 0
