"""Clocks that differ: noted by every process, told by an alert and by the doctor."""

import json
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from shared import redis_keys
from shared.clock import system_clock
from shared.domain.alerting.clock_skew import clock_skew_notice, key_of
from shared.ledger.alerts import AlertLedger
from shared.ledger.clocks import SENDER, ClockReading, ClockReadings
from tests.shared.keys import wrong_keys
from tests.shared.ledgers import alert_ledger
from tests.shared.stories import NOW
from worker.cli.doctor_server import judge_clocks
from worker.handlers.check_clocks import CheckClocks

SECOND = timedelta(seconds=1)
WORKER = "worker on b"


def readings(redis: Redis, ahead: timedelta = timedelta()) -> ClockReadings:
    """Return the readings as a process with a clock ahead of the data server's sees them."""
    return ClockReadings(redis, lambda: system_clock() + ahead)


def check(redis: Redis) -> AlertLedger:
    """Look once at what was noted; return what people are told."""
    alerts = alert_ledger(redis, clock=system_clock)
    CheckClocks(readings=readings(redis), alerts=alerts, clock=system_clock)()
    return alerts


def aged(redis: Redis, name: str, by: timedelta) -> None:
    """Make a reading older than it is."""
    content = json.loads(str(redis.hget(redis_keys.CLOCKS, name)))
    redis.hset(redis_keys.CLOCKS, name, json.dumps(content | {"at": content["at"] - by.total_seconds()}))


@pytest.mark.parametrize("ahead", [timedelta(), 300 * SECOND, -300 * SECOND], ids=["right", "ahead", "behind"])
def test_a_process_notes_its_own_clock(redis_client: Redis, ahead: timedelta) -> None:
    """By how far it is ahead of the data server's, whatever the reader's own clock says."""
    readings(redis_client, ahead).note_ours(WORKER)
    (found,) = readings(redis_client, timedelta(days=9)).latest()
    assert found.name == WORKER
    assert abs(found.ahead - ahead) < SECOND
    assert found.age < 2 * SECOND
    assert wrong_keys(redis_client) == []


def test_the_senders_clock_is_measured_by_the_data_servers(redis_client: Redis) -> None:
    """`web` is a minute ahead of the data server, the sender a minute ahead of `web`: so it is two minutes ahead."""
    readings(redis_client, 60 * SECOND).note_sender(60 * SECOND)
    (found,) = readings(redis_client).latest()
    assert found.is_of_sender
    assert abs(found.ahead - 120 * SECOND) < SECOND


def test_an_answer_that_took_long_tells_nothing(redis_client: Redis) -> None:
    """A data server that hangs for seconds doesn't make a clock look wrong."""
    times: Iterator[datetime] = iter([NOW, NOW + 3 * SECOND])
    slow = ClockReadings(redis_client, lambda: next(times))
    assert not slow.note_sender(timedelta())
    assert readings(redis_client).latest() == ()
    assert readings(redis_client).note_sender(timedelta())


@pytest.mark.parametrize("text", ["", "[]", "{}", '{"ahead_ms": "x", "at": 1}', '{"ahead_ms": 1, "at": 1e300}'])
def test_what_another_version_wrote_is_passed_over(redis_client: Redis, text: str) -> None:
    """It is no reason to show nothing of the others."""
    redis_client.hset(redis_keys.CLOCKS, "another", text)
    readings(redis_client).note_ours(WORKER)
    assert [each.name for each in readings(redis_client).latest()] == [WORKER]


@pytest.mark.parametrize("ahead", [31 * SECOND, -31 * SECOND], ids=["ahead", "behind"])
def test_people_are_told_of_a_clock_that_is_far_off(redis_client: Redis, ahead: timedelta) -> None:
    """One alert names the clock that is off; a second one says when the clock is right again."""
    readings(redis_client, timedelta()).note_ours("web on a")
    readings(redis_client, ahead).note_ours(WORKER)
    check(redis_client)
    alerts = check(redis_client)
    (alert,) = alerts.all()
    assert (alert.is_open, alert.key, alert.count) == (True, key_of(WORKER), 1)
    assert WORKER in alert.notice.subject
    assert "31 s" in alert.notice.happened
    readings(redis_client).note_ours(WORKER)
    (alert,) = check(redis_client).all()
    assert not alert.is_open


def test_a_clock_within_thirty_seconds_is_no_news(redis_client: Redis) -> None:
    """The doctor tells those."""
    readings(redis_client, 29 * SECOND).note_ours(WORKER)
    assert list(check(redis_client).all()) == []


def test_the_sender_is_told_of_with_what_is_at_stake(redis_client: Redis) -> None:
    """Its webhooks are refused beyond five minutes."""
    readings(redis_client).note_sender(-301 * SECOND)
    (alert,) = check(redis_client).all()
    assert alert.is_open
    assert "refused" in alert.notice.happened
    assert "5 min" in alert.notice.happened


def test_what_is_gone_is_over_and_forgotten(redis_client: Redis) -> None:
    """A process that ended has no clock any more; of the sender an hour without webhooks says nothing."""
    readings(redis_client, 60 * SECOND).note_ours(WORKER)
    readings(redis_client).note_sender(60 * SECOND)
    check(redis_client)
    aged(redis_client, WORKER, timedelta(minutes=2))
    aged(redis_client, SENDER, timedelta(minutes=2))
    assert {alert.key: alert.is_open for alert in check(redis_client).all()} == {
        key_of(WORKER): False,
        key_of(SENDER): True,
    }
    aged(redis_client, WORKER, timedelta(hours=3))
    aged(redis_client, SENDER, timedelta(hours=3))
    assert not any(alert.is_open for alert in check(redis_client).all())
    assert readings(redis_client).latest() == ()


def reading(name: str, seconds: float) -> ClockReading:
    """Return a reading of a moment ago."""
    return ClockReading(name=name, ahead=timedelta(seconds=seconds), age=SECOND)


@pytest.mark.parametrize(
    ("noted", "verdicts"),
    [
        pytest.param([], {}, id="nothing-noted"),
        pytest.param([reading(WORKER, 1), reading(SENDER, -20)], {"all clocks": "ok"}, id="all-close"),
        pytest.param([reading(WORKER, 3), reading("web on a", 0)], {f"clock of {WORKER}": "warn"}, id="not-close"),
        pytest.param([reading(WORKER, -11)], {f"clock of {WORKER}": "bad"}, id="far"),
        pytest.param([reading(SENDER, 31)], {f"clock of {SENDER}": "bad"}, id="the-sender"),
    ],
)
def test_the_doctor_names_each_clock_that_is_off(noted: Sequence[ClockReading], verdicts: dict[str, Any]) -> None:
    """The finding names the clock that is off, and what to do."""
    found = list(judge_clocks(noted))
    assert {each.subject: each.verdict for each in found} == verdicts
    assert all(each.remedy for each in found if each.verdict != "ok")


def test_a_notice_shows_the_direction() -> None:
    """Ahead or behind decides where one looks."""
    told = clock_skew_notice("web on a", -timedelta(minutes=5), is_of_sender=False, now=datetime.now(UTC))
    assert "5 min behind the data server's" in told.happened
    assert told.raised
