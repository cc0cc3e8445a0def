"""Missed heartbeats are told; and the heartbeat URL is called once a minute."""

import threading
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis
from redis.exceptions import RedisError

from shared import redis_keys
from shared.clock import system_clock
from shared.domain.alerting.missed_heartbeats import SWEEP, WEBHOOK
from shared.domain.code.webhook_gap import TELL_AFTER, Gap
from shared.ledger.heartbeats import Heartbeats
from shared.ledger.processes import ProcessIdentity, ProcessSigns
from shared.ledger.reconciliation import Progress, ReconciliationLedger
from shared.redis_client import connect
from tests.shared.ledgers import alert_ledger
from tests.shared.stories import NOW
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from worker.handlers.record_last_webhook import RecordLastWebhook
from worker.liveness import missed_heartbeats
from worker.liveness.heartbeat import Heartbeat
from worker.liveness.missed_heartbeats import MissedHeartbeatWatch


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = NOW

    def __call__(self) -> datetime:
        """Return its time."""
        return self.now


def test_a_missing_sweep_is_told_and_done_by_another_process(redis_client: Redis) -> None:
    """Until sweeps come again: that is told, too."""
    clock, swept = Clock(), list[int]()
    alerts, beats = alert_ledger(redis_client, ["a"], clock=clock), Heartbeats(redis_client)
    watch = MissedHeartbeatWatch(
        alerts=alerts,
        beats=beats,
        signs=ProcessSigns(redis_client),
        reconciliation=ReconciliationLedger(redis_client),
        clock=clock,
        sweep=lambda: swept.append(1),
    )
    watch.look()
    assert list(alerts.all()) == []

    beats.beat(SWEEP, clock.now)
    clock.now += timedelta(minutes=2)
    watch.look()
    assert (list(alerts.all()), len(swept)) == ([], 1)
    clock.now += timedelta(seconds=1)
    for _ in range(3):
        watch.look()
    (alert,) = alerts.all()
    assert (alert.key, alert.severity, alert.count, len(swept)) == ("absence/sweep_silent", "page", 1, 4)

    beats.beat(SWEEP, clock.now)
    watch.look()
    (alert,) = alerts.all()
    assert (alert.is_open, len(swept)) == (False, 4)


def test_the_pre_arrival_check_is_missed_after_a_day(redis_client: Redis) -> None:
    """It is a periodic job; its last run is noted with those of all periodic jobs."""
    clock = Clock()
    alerts, beats = alert_ledger(redis_client, ["a"], clock=clock), Heartbeats(redis_client)
    redis_client.hset(redis_keys.PERIODIC_JOBS, "check_arrivals", NOW.isoformat())
    watch = MissedHeartbeatWatch(
        alerts=alerts,
        beats=beats,
        signs=ProcessSigns(redis_client),
        reconciliation=ReconciliationLedger(redis_client),
        clock=clock,
        sweep=lambda: None,
    )
    clock.now += timedelta(hours=26)
    watch.look()
    assert list(alerts.all()) == []
    clock.now += timedelta(minutes=1)
    watch.look()
    assert [alert.notice.subject for alert in alerts.all()] == ["Missing: check arrivals"]


def test_web_is_missed_and_comes_back(redis_client: Redis) -> None:
    """Two minutes after the last sign of life of any `web`; if there never was one, it isn't missed."""
    clock = Clock()
    alerts, signs = alert_ledger(redis_client, ["a"], clock=clock), ProcessSigns(redis_client)
    watch = MissedHeartbeatWatch(
        alerts=alerts,
        beats=Heartbeats(redis_client),
        signs=signs,
        reconciliation=ReconciliationLedger(redis_client),
        clock=clock,
        sweep=lambda: None,
    )
    web = ProcessIdentity(process="web", host="h", pid=1, version="1.2.3", started_at=NOW)
    signs.sign(replace(web, process="worker"))
    watch.look()
    assert list(alerts.all()) == []
    for silent_for, is_open in ((60, None), (130, True)):
        signs.sign(web)
        redis_client.zincrby(redis_keys.PROCESSES, -silent_for, signed_as(redis_client, "web"))
        watch.look()
        assert [alert.is_open for alert in alerts.all()] == [is_open][: is_open is not None]
    (alert,) = alerts.all()
    assert (alert.key, alert.severity, alert.notice.subject) == ("absence/web_silent", "page", "Missing: web")
    signs.sign(web)
    watch.look()
    assert [alert.is_open for alert in alerts.all()] == [False]


def test_a_web_that_gives_no_signs_is_not_missed_while_it_takes_webhooks(redis_client: Redis) -> None:
    """It is of an older version: it is missed until the first webhook, and again when webhooks don't come."""
    clock = Clock()
    clock.now = system_clock()
    alerts, signs = alert_ledger(redis_client, ["a"], clock=clock), ProcessSigns(redis_client)
    beats = Heartbeats(redis_client)
    watch = MissedHeartbeatWatch(
        alerts=alerts,
        beats=beats,
        signs=signs,
        reconciliation=ReconciliationLedger(redis_client),
        clock=clock,
        sweep=lambda: None,
    )
    signs.sign(ProcessIdentity(process="web", host="h", pid=1, version="1.2.3", started_at=clock.now))
    redis_client.zincrby(redis_keys.PROCESSES, -600, signed_as(redis_client, "web"))
    watch.look()
    assert [alert.is_open for alert in alerts.all()] == [True]
    beats.beat(WEBHOOK, clock.now)
    clock.now += timedelta(minutes=2)
    watch.look()
    assert [(alert.key, alert.is_open) for alert in alerts.all()] == [("absence/web_silent", False)]
    gap = Gap(since=clock.now - timedelta(minutes=1), last_missed=clock.now, missed=TELL_AFTER)
    ReconciliationLedger(redis_client).save(Progress(cursor=clock.now, gap=gap))
    watch.look()
    assert [alert.is_open for alert in alerts.all()] == [True]


def test_an_event_that_comes_at_once_came_by_webhook(redis_client: Redis) -> None:
    """By the time of its entry. An event that the reconciliation may have added, or without a time, proves nothing."""
    now = datetime(2026, 12, 1, 12, tzinfo=UTC)
    entry_id = f"{int(now.timestamp() * 1000)}-0"
    beats = Heartbeats(redis_client)
    for event in (
        {"created_at": (now - timedelta(seconds=60)).isoformat()},
        {"created_at": (now + timedelta(seconds=60)).isoformat()},
        {"created_at": "yesterday"},
        {},
    ):
        RecordLastWebhook(beats)({entry_id: event})
    assert beats.last() == {}
    earlier = f"{int(now.timestamp() * 1000) - 5_000}-0"
    just_now = {"created_at": (now - timedelta(seconds=3)).isoformat()}
    RecordLastWebhook(beats)({entry_id: just_now, earlier: just_now, "1-0": {}})
    assert beats.last() == {WEBHOOK: now}


def signed_as(redis: Redis, process: str) -> str:
    """Return the member for a process's sign of life."""
    found: Any = redis.zrange(redis_keys.PROCESSES, 0, -1)
    return next(str(each) for each in found if f'"process": "{process}"' in each)


def test_a_heartbeat_is_not_missed_while_the_data_server_is_away(tmp_path: Path) -> None:
    """After minutes without a data server, sweeps get a moment to come again before anybody is paged."""
    server, clock, swept = DataServer(tmp_path), Clock(), list[int]()
    server.start()
    client = connect(server.url)
    beats = Heartbeats(client)
    watch = MissedHeartbeatWatch(
        alerts=alert_ledger(client, ["a"], clock=clock),
        beats=beats,
        signs=ProcessSigns(client),
        reconciliation=ReconciliationLedger(client),
        clock=clock,
        sweep=lambda: swept.append(1),
    )
    beats.beat(SWEEP, clock.now)
    server.kill()
    with pytest.raises((RedisError, OSError)):
        watch.look()
    clock.now += timedelta(minutes=3)
    server.start()
    watch.look()
    alerts = alert_ledger(client, ["a"], clock=clock)
    assert (list(alerts.all()), swept) == ([], [])
    watch.look()
    assert [alert.key for alert in alerts.all()] == ["absence/sweep_silent"]
    client.close()
    server.stop()


def test_the_check_survives_its_own_errors(redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever it raises, it runs again."""
    monkeypatch.setattr(missed_heartbeats, "_LOOK_EVERY", timedelta(milliseconds=1))
    looked: list[int] = []

    def crash() -> datetime:
        looked.append(1)
        raise OSError if len(looked) % 2 else ZeroDivisionError

    watch = MissedHeartbeatWatch(
        alerts=alert_ledger(redis_client),
        beats=Heartbeats(redis_client),
        signs=ProcessSigns(redis_client),
        reconciliation=ReconciliationLedger(redis_client),
        clock=crash,
        sweep=lambda: None,
    )
    stopping = threading.Event()
    thread = threading.Thread(target=watch.run, args=(stopping,))
    thread.start()
    wait_until(lambda: len(looked) > 4, what="more looks")
    stopping.set()
    thread.join(5)
    assert not thread.is_alive()


URL = "https://hc.example/ping/tell-nobody"


def heartbeat(redis: Redis, clock: Clock, handle: httpx.MockTransport, url: str = URL) -> Heartbeat:
    """Return a heartbeat with calls that go to `handle`."""
    return Heartbeat(beats=Heartbeats(redis), url=url, client=httpx.Client(transport=handle), clock=clock)


def test_all_workers_together_call_the_url_once_a_minute(redis_client: Redis) -> None:
    """For any number of workers."""
    called: list[str] = []

    def handle(request: httpx.Request) -> httpx.Response:
        called.append(str(request.url))
        return httpx.Response(200)

    workers = [heartbeat(redis_client, Clock(), httpx.MockTransport(handle)) for _ in range(3)]
    for worker in workers * 3:
        worker()
    assert called == [URL]
    assert Heartbeats(redis_client).last()[SWEEP] == NOW
    redis_client.delete("oracode:turn:heartbeat")
    workers[0]()
    assert len(called) == 2


@pytest.mark.parametrize("failure", ["500", "302", "away"])
def test_a_call_that_fails_disturbs_nothing(
    redis_client: Redis, capsys: pytest.CaptureFixture[str], failure: str
) -> None:
    """It is logged without the URL, and redirects aren't followed."""

    def handle(request: httpx.Request) -> httpx.Response:
        if failure == "away":
            raise httpx.ConnectError(f"no way to {request.url}")
        return httpx.Response(int(failure), headers={"location": "https://elsewhere.example"})

    heartbeat(redis_client, Clock(), httpx.MockTransport(handle))()
    output = capsys.readouterr().out
    assert "heartbeat.failed" in output
    assert "tell-nobody" not in output


def test_without_a_url_nothing_is_called(redis_client: Redis) -> None:
    """The sweep's heartbeat is noted nevertheless."""
    heartbeat(redis_client, Clock(), httpx.MockTransport(lambda _: httpx.Response(500)), url="")()
    assert SWEEP in Heartbeats(redis_client).last()
    assert redis_client.keys("oracode:turn:*") == []
