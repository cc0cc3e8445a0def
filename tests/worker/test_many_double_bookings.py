"""A door with more double bookings than have alerts: nearer ones push others out, and those aren't called resolved."""

from datetime import timedelta

import pytest
from redis import Redis

from shared.clock import system_clock
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.door_conflicts import MOST_PAIRS
from shared.domain.booking.record import State
from shared.ledger.alerts import AlertLedger
from shared.ledger.door_conflicts import DoorConflicts
from tests.console.bookings import DOOR, book, ledger_of, move
from tests.shared.ledgers import alert_ledger, due_set
from worker.handlers.check_conflicts import CheckConflicts


@pytest.fixture
def alerts(redis_client: Redis) -> AlertLedger:
    """Return the alerts, on the system's clock."""
    return alert_ledger(redis_client, clock=system_clock)


@pytest.fixture
def check(redis_client: Redis, alerts: AlertLedger) -> CheckConflicts:
    """Return the task, without a worker."""
    return CheckConflicts(
        ledger=ledger_of(redis_client),
        alerts=alerts,
        conflicts=DoorConflicts(redis_client, retention=timedelta(days=1)),
        due=due_set(redis_client),
        with_double_bookings=True,
        clock=system_clock,
    )


def told(alerts: AlertLedger) -> dict[str, Alert]:
    """Return the alerts of double bookings by key."""
    return {alert.key: alert for alert in alerts.all() if alert.notice.problem == "double_booked"}


def test_a_pair_that_is_pushed_out_is_not_solved(
    redis_client: Redis, alerts: AlertLedger, check: CheckConflicts
) -> None:
    """It is closed as that, and opens again when it is among the nearest; one of a guest who left is resolved."""
    for number in range(11):
        book(redis_client, f"BK-FAR-{number}", hours=100 + number)
    check(DOOR)
    before = told(alerts)
    assert len(before) == MOST_PAIRS
    for number in range(5):
        book(redis_client, f"BK-NEAR-{number}", hours=1 + number)
    check(DOOR)
    after = told(alerts)
    pushed_out = [alert for alert in after.values() if not alert.is_open]
    assert len(pushed_out) == len(after) - MOST_PAIRS == 10
    assert all(alert.is_unsolved and "BK-NEAR" not in alert.key for alert in pushed_out)
    assert all("only the nearest have an alert" in alert.notice.solved for alert in pushed_out)
    move(redis_client, "BK-NEAR-0", State.ENDED)
    check(DOOR)
    now_it = told(alerts)
    over = {key for key, alert in now_it.items() if "BK-NEAR-0" in key}
    assert len(over) == 4
    assert not any(now_it[key].is_open or now_it[key].is_unsolved for key in over)
    again = [alert for alert in pushed_out if now_it[alert.key].is_open]
    assert len(again) == 4
    assert sum(alert.is_open for alert in now_it.values()) == MOST_PAIRS
