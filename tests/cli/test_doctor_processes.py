"""What the doctor says of processes, streams and failed signatures: tables, and servers that don't answer."""

import os
import signal
import socket
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import timedelta
from pathlib import Path

import pytest
from redis import Redis

from shared.ledger.auth_failures import FailedTries
from shared.ledger.processes import ProcessSigns
from shared.liveness.fleet import BEAT, CONSOLE, PROCESSES, WEB, WORKER, groups_of
from shared.stream_backlog import StreamBacklog
from tests.shared.stories import NOW
from tests.shared.test_processes import A_MINUTE, seen, started
from tests.support.server import DataServer
from tests.support.waiting import PATIENCE
from worker.cli.context import settings_for
from worker.cli.doctor import findings
from worker.cli.doctor_processes import judge_processes, judge_stream, judge_tries
from worker.cli.doctor_server import unusable
from worker.cli.findings import Finding

ALL = {WEB: seen(WEB), WORKER: seen(WORKER), BEAT: seen(BEAT), CONSOLE: seen(CONSOLE)}


def found(*names: str, dead: tuple[str, ...] = (), silent_for: timedelta = A_MINUTE) -> dict[str, Finding]:
    """Return the findings where these processes live and those have died a minute ago."""
    those = [ALL[name] for name in names] + [seen(name, silent_for=silent_for) for name in dead]
    return {each.subject: each for each in judge_processes(groups_of(those, NOW), NOW)}


def verdicts(*names: str, dead: tuple[str, ...] = ()) -> dict[str, str]:
    """Return their verdicts."""
    return {subject.removeprefix("process "): each.verdict for subject, each in found(*names, dead=dead).items()}


def test_all_alive_is_well() -> None:
    """With version, process and host of each."""
    assert verdicts(*PROCESSES) == dict.fromkeys(PROCESSES, "ok")
    assert "1 alive (1.2.3, pid 1 on h, for 1 day), 0 restart(s)" in found(*PROCESSES)["process web"].text


def test_web_alone_is_bad() -> None:
    """Webhooks are accepted, and nobody does anything with them."""
    assert verdicts(WEB) == {WEB: "ok", WORKER: "bad", BEAT: "bad", CONSOLE: "warn"}


def test_a_web_without_signs_that_takes_webhooks_is_a_warning() -> None:
    """One of an older version: it can't be said that it is dead, nor that it lives."""
    webhook_at = NOW - timedelta(seconds=5)
    for those in ([ALL[WORKER], seen(WEB, silent_for=A_MINUTE)], [ALL[WORKER]], []):
        web, *_ = judge_processes(groups_of(those, NOW, webhook_at=webhook_at), NOW)
        assert (web.subject, web.verdict) == ("process web", "warn")
        assert "took a webhook 5 s ago" in web.text
        assert "0.2.0" in web.text


def test_all_dead_is_bad() -> None:
    """Within a minute of their end, and with since when."""
    those = found(dead=PROCESSES, silent_for=timedelta(seconds=30))
    assert {each.verdict for name, each in those.items() if CONSOLE not in name} == {"bad"}
    assert "its last sign of life was 30 s ago" in those["process worker"].text
    assert those["process worker"].remedy


def test_before_the_first_start_nothing_is_bad() -> None:
    """The doctor is asked then, too; it says what is to be started."""
    (only,) = judge_processes(groups_of([], NOW), NOW)
    assert only.verdict == "warn"
    assert "web, worker, beat, console" in only.remedy


def test_a_process_that_dies_again_and_again_is_a_warning() -> None:
    """Somebody starts it anew each time, so nothing else shows it."""
    those = [*(seen(silent_for=A_MINUTE, ago=A_MINUTE) for _ in range(3)), *ALL.values()]
    (web, *_) = judge_processes(groups_of([*those, seen(ago=timedelta())], NOW), NOW)
    assert web.verdict == "warn"
    assert "3 restart(s)" in web.text
    assert "log" in web.remedy


def test_unread_entries_are_told_with_their_age() -> None:
    """An entry that is older than two reclaims is stuck; one that is fresh is not."""
    at = NOW - timedelta(seconds=90)
    backlog = StreamBacklog(unread=3, in_hand=1, oldest_at=at, oldest_unread_at=at + timedelta(seconds=50))
    it = judge_stream("booking-created", backlog, NOW, reclaim_after=A_MINUTE)
    assert it.text == (
        "4 waiting or under way, the oldest for 90 s, 3 of them read by no worker, the oldest of those for 40 s"
    )
    assert it.verdict == "ok"
    stuck = judge_stream("booking-created", backlog, NOW, reclaim_after=A_MINUTE / 2)
    assert (stuck.verdict, bool(stuck.remedy)) == ("bad", True)


def test_failed_signatures_by_reason() -> None:
    """How many, when last, and what would mend them."""
    tries = [
        FailedTries(reason="wrong_signature", count=7, last_at=NOW - A_MINUTE),
        FailedTries(reason="of_a_newer_version", count=1, last_at=NOW),
    ]
    first, second = judge_tries(tries, NOW)
    assert (first.verdict, first.text) == ("warn", "7 in the last hour: wrong_signature, the last 1 min ago")
    assert "SEAM_WEBHOOK_SECRET" in first.remedy
    assert "`webhook.rejected`" in second.remedy
    assert [each.verdict for each in judge_tries([], NOW)] == ["ok"]


@contextmanager
def silent_port() -> Iterator[int]:
    """Listen, take connections, and never answer."""
    with closing(socket.create_server(("127.0.0.1", 0))) as listening:
        yield int(listening.getsockname()[1])


def test_a_data_server_that_does_not_answer_is_found_in_five_seconds(monkeypatch: pytest.MonkeyPatch) -> None:
    """Not in thirty, each check finding it out for itself; what doesn't need it is checked all the same."""
    with silent_port() as port:
        monkeypatch.setenv("REDIS_URL", f"redis://:secret@127.0.0.1:{port}/0")
        monkeypatch.setenv("SEAM_API_KEY", "seam_test")
        monkeypatch.setenv("SEAM_ENDPOINT", "http://127.0.0.1:1")
        monkeypatch.delenv("BOOKING_QUEUE_URL", raising=False)
        monkeypatch.delenv("CELERY_BROKER_URL", raising=False)
        began = time.monotonic()
        told = [each for each in findings(settings_for("REDIS_URL", "SEAM_API_KEY")) if each.verdict == "bad"]
        assert time.monotonic() - began < 5 * PATIENCE
    (server,) = (each for each in told if each.subject == "data server")
    assert "Timeout" in server.text
    assert "REDIS_URL" in server.remedy
    assert [each.subject for each in told if each.subject in ("Seam", "work", "upkeep")] == ["Seam"]
    assert "secret" not in "".join(each.text for each in told)


def test_a_frozen_data_server_is_found_in_five_seconds(tmp_path: Path) -> None:
    """One that stands still takes connections, and answers nothing."""
    server = DataServer(tmp_path)
    server.start()
    try:
        assert unusable(server.url) is None
        os.kill(server.pid, signal.SIGSTOP)
        began = time.monotonic()
        frozen = unusable(server.url)
        assert time.monotonic() - began < 5 * PATIENCE
        os.kill(server.pid, signal.SIGCONT)
    finally:
        server.kill()
    gone = unusable(server.url)
    assert frozen is not None
    assert gone is not None
    assert (frozen.verdict, gone.verdict) == ("bad", "bad")


def test_the_doctor_reads_the_signs(
    redis_client: Redis, data_server: DataServer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """They stand among its findings, the stream of orders too."""
    for name in ("ALERT_URLS", "ALERTS_FILE", "DOORS_FILE", "ORACODE_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REDIS_URL", data_server.url)
    ProcessSigns(redis_client).sign(started(WEB))
    redis_client.xadd("ops-commands", {"command": "{}"})
    those = {each.subject: each for each in findings(settings_for("REDIS_URL"))}
    assert (those["process web"].verdict, those["process worker"].verdict) == ("ok", "bad")
    assert "1 of them read by no worker" in those["stream ops-commands"].text
    assert those["failed signatures"].verdict == "ok"
