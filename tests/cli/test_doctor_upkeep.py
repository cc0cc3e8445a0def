"""What the doctor says of what comes back by itself: tables, and a real ledger."""

from dataclasses import replace
from datetime import timedelta

import pytest
from redis import Redis

from shared import redis_keys
from shared.clock import system_clock
from shared.domain.alerting.arrivals import arrivals_of
from shared.domain.booking.record import Change, State
from shared.domain.code.webhook_gap import Gap
from shared.ledger.reconciliation import Progress, ReconciliationLedger
from tests.shared.ledgers import booking_ledger
from tests.shared.stories import CHECK_IN, NOW, booking, issued, with_door
from tests.support.server import DataServer
from worker.cli.context import settings_for
from worker.cli.doctor import findings
from worker.cli.doctor_upkeep import arrivals, periodic_jobs, upkeep, webhooks
from worker.ports import open_ports

FIVE_MINUTES = timedelta(minutes=5)


def test_webhooks_that_come_are_counted() -> None:
    """How many were compared, and how many of them went missing; a chance loss is no fault."""
    assert webhooks(Progress()).text == "nothing was compared yet"
    chance = Gap(since=NOW, last_missed=NOW, missed=1)
    found = webhooks(Progress(cursor=NOW, compared=40, missed=1, gap=chance))
    assert (found.verdict, found.remedy) == ("ok", "")
    assert "40 event(s)" in found.text


def test_webhooks_that_do_not_come_are_bad() -> None:
    """Since when, how many, and where to look."""
    found = webhooks(Progress(cursor=NOW, compared=40, missed=7, gap=Gap(since=NOW, last_missed=NOW, missed=5)))
    assert found.verdict == "bad"
    assert "5 event(s) came by none since 2036-11-21 12:00 UTC" in found.text
    assert "Seam's console" in found.remedy


@pytest.mark.parametrize(
    ("age", "every", "verdict"),
    [
        pytest.param(timedelta(minutes=15), FIVE_MINUTES, "ok", id="in time"),
        pytest.param(timedelta(minutes=16), FIVE_MINUTES, "warn", id="overdue"),
        pytest.param(timedelta(minutes=14), timedelta(seconds=1), "ok", id="often, but not so urgent"),
        pytest.param(timedelta(hours=3), timedelta(hours=1), "ok", id="seldom, and in time"),
        pytest.param(timedelta(hours=4), timedelta(hours=1), "warn", id="seldom, and overdue"),
        pytest.param(timedelta(seconds=-2), FIVE_MINUTES, "ok", id="another machine's clock"),
        pytest.param(None, FIVE_MINUTES, "warn", id="never, though others were"),
    ],
)
def test_the_comparison_with_seam_is_missed(age: timedelta | None, every: timedelta, verdict: str) -> None:
    """By its own interval, and not before a quarter of an hour."""
    runs = {"check_arrivals": (NOW - timedelta(hours=9)).isoformat()}
    if age is not None:
        runs["reconcile"] = (NOW - age).isoformat()
    reconcile, check = periodic_jobs(runs, NOW, reconcile_every=every)
    assert (reconcile.verdict, bool(reconcile.remedy)) == (verdict, verdict == "warn")
    assert (check.verdict, check.text) == ("ok", "done 9 h ago")


def test_before_the_first_start_nothing_is_missed() -> None:
    """The doctor is asked before the worker is started, too."""
    (found,) = periodic_jobs({}, NOW, reconcile_every=FIVE_MINUTES)
    assert (found.verdict, found.remedy) == ("ok", "")


def test_arrivals_at_risk_are_a_warning() -> None:
    """How many of how many, and the nearest by name."""
    risky = replace(with_door(booking(), state=State.WAITING, reason="no_slot", check_in=CHECK_IN), booking_id="BK-2")
    coming = arrivals_of([issued(), risky], since=NOW, until=CHECK_IN)
    found = arrivals(coming)
    assert (found.verdict, found.remedy) == ("warn", "go through them with `oracode arrivals`")
    assert "1 of 2" in found.text
    assert "BK-2" in found.text
    assert arrivals([each for each in coming if each.booking_id == "BK-1"]).verdict == "ok"


def test_the_doctor_reads_the_ledgers(
    redis_client: Redis, data_server: DataServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """All of it stands among its findings, and nothing else has to be there for it."""
    for name in ("ALERT_URLS", "ALERTS_FILE", "DOORS_FILE", "ORACODE_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REDIS_URL", data_server.url)
    now = system_clock()
    soon = now + timedelta(hours=5)
    it = with_door(booking(), state=State.FAILED, reason="refused_by_seam", check_in=soon, check_out=soon)
    booking_ledger(redis_client).record_message("BK-1", lambda _: Change(it))
    gap = Gap(since=now, last_missed=now, missed=3)
    ReconciliationLedger(redis_client).save(Progress(cursor=now, gap=gap, compared=3, missed=3))
    redis_client.hset(redis_keys.PERIODIC_JOBS, "reconcile", (now - timedelta(hours=1)).isoformat())
    settings = settings_for("REDIS_URL")
    found = {each.subject: each.verdict for each in upkeep(settings, open_ports(settings))}
    assert found == {
        "webhooks": "bad",
        "periodic job reconcile": "warn",
        "periodic job check_arrivals": "ok",
        "versions": "ok",
        "arrivals": "warn",
    }
    assert found.items() <= {each.subject: each.verdict for each in findings(settings)}.items()
