"""`oracode alerts`: what is open and who was told, and the actions; also without the channels' secrets."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from click.testing import CliRunner, Result
from redis import Redis

from shared.clock import system_clock
from shared.domain.alerting.causes import Cause
from shared.domain.alerting.notifications import Group, Notification, with_notification
from shared.domain.alerting.receipts import record_delivery
from shared.domain.door.issues import issues_of_device
from shared.ledger.alerts import AlertLedger
from shared.ledger.door_issues import DoorIssues
from tests.shared.ledgers import RETENTION, alert_ledger, due_at
from tests.support.server import DataServer
from tests.worker.alert_messages import notice
from tests.worker.recording_server import Got, Recorder, Reply, recording
from worker.cli import oracode
from worker.cli.context import settings_for
from worker.cli.doctor import _alerts
from worker.cli.findings import Finding
from worker.ports import open_ports

KEY = "booking/BK-1/no_slot/d-1"


@pytest.fixture
def alerts(redis_client: Redis, data_server: DataServer, monkeypatch: pytest.MonkeyPatch) -> AlertLedger:
    """Return a ledger with one open alert, and point the command line at it."""
    for name in ("ALERT_URLS", "ALERTS_FILE", "DOORS_FILE", "ORACODE_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REDIS_URL", data_server.url)
    ledger = alert_ledger(redis_client, ["a"], clock=system_clock)
    soon = datetime.now(UTC) + timedelta(hours=1)
    ledger.record_notice(notice(at=system_clock(), check_in=soon, subject="Booking BK-1 on \x1b[31mRoom 101"))
    ledger.update(KEY, lambda it: record_delivery(it, "a", 1))
    return ledger


def run(*arguments: str) -> Result:
    """Run one command."""
    result = CliRunner().invoke(oracode, ["alerts", *arguments])
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


@pytest.mark.usefixtures("alerts")
def test_list_says_what_is_open() -> None:
    """How much it hurries now, what to do, who was told; no terminal is garbled."""
    shown = run("list").stdout
    assert shown.startswith("PAGE    Booking BK-1 on ")
    assert "Europe/Berlin" in shown
    assert f"{KEY}   told: a; raised once" in shown
    assert "\x1b" not in shown


@pytest.mark.usefixtures("alerts")
def test_list_as_json_and_filtered() -> None:
    """One object a line."""
    (line,) = run("list", "--json", "--problem", "no_slot").stdout.splitlines()
    listed = json.loads(line)
    assert (listed["key"], listed["severity"], listed["told"]) == (
        KEY,
        "page",
        {"a": {"up_to_date": True, "lost": False}},
    )
    assert run("list", "--json", "--problem", "too_long").stdout == ""
    assert "Nothing of this kind is open." in run("list", "--problem", "too_long").stdout


def test_what_is_over_is_listed_when_asked_for(alerts: AlertLedger) -> None:
    """With `--all`."""
    alerts.record_notice(notice(raised=False))
    assert "Nothing is open." in run("list").stdout
    assert run("list", "--all").stdout.startswith("OK ")


def test_an_alert_of_a_door_lists_whom_it_hits_and_what_it_holds_back(redis_client: Redis, alerts: AlertLedger) -> None:
    """Ten bookings by name, and how many there are; what only repeats it names it."""
    error = {"error_code": "hub_disconnected", "message": "Lost."}
    issues = issues_of_device({"errors": [error]})
    pipeline = redis_client.pipeline(transaction=False)
    DoorIssues(redis_client, clock=system_clock, retention=RETENTION).remember_door(pipeline, "d-1", issues, "")
    pipeline.execute()
    key = "door/d-1/trouble"
    subjects = tuple(f"Booking BK-{number} on Room 101" for number in range(10))
    alerts.record_cause(Cause(replace(notice(), key=key, problem="door_trouble", booking_id=""), 12, subjects))
    child = "booking/BK-9/code_problem/d-1"
    alerts.record_notice(replace(notice(), key=child, problem="code_problem", inherited="hub_disconnected"))
    shown = run("list").stdout
    assert "hit: Booking BK-0 on Room 101" in shown
    assert "hit: 12 bookings in all" in shown
    assert f"{child}   told: by the alert {key}" in shown
    listed = {each["key"]: each for each in map(json.loads, run("list", "--json").stdout.splitlines())}
    assert (listed[key]["hit"], len(listed[key]["subjects"]), listed[key]["inhibited_by"]) == (12, 10, "")
    assert listed[child]["inhibited_by"] == key
    alerts.resolve(key)
    assert f"{child}   told: nobody yet" in run("list").stdout


def test_children_name_their_parent(alerts: AlertLedger) -> None:
    """Nobody wonders why a booking's problem was told to nobody."""
    alerts.record_notice(notice(problem="in_doubt"))
    assert "told: by the alert seam/unavailable" in run("list").stdout


def test_handle(alerts: AlertLedger) -> None:
    """By whom; what isn't open can't be handled."""
    assert run("handle", KEY, "--by", "ann").exit_code == 0
    alert = alerts.get(KEY)
    assert alert is not None
    assert alert.handled_by == "ann"
    assert "handled by ann" in run("list").stdout
    assert run("handle", "booking/none").exit_code == 1


def test_a_silence_from_beginning_to_end(alerts: AlertLedger, redis_client: Redis) -> None:
    """Listed while it lasts; ended early, what it held back is looked at now."""
    assert run("silence", "--for", "2h", "--key", "booking/BK-1/*", "--why", "the installer is there").exit_code == 0
    assert "silent until" in run("list").stdout
    (line,) = run("silences", "--json").stdout.splitlines()
    silence = json.loads(line)
    assert (silence["key"], silence["why"]) == ("booking/BK-1/*", "the installer is there")
    assert "the installer is there" in run("silences").stdout

    alerts.groups.reschedule("no_slot/ops", None, seen=alerts.groups.members("no_slot/ops"))
    assert run("unsilence", silence["silence_id"]).exit_code == 0
    assert due_at(redis_client, '["alert","no_slot/ops"]') is not None
    assert run("unsilence", silence["silence_id"]).exit_code == 1
    assert "Nothing is silenced." in run("silences").stdout


BAD_SILENCES = [
    ["--for", "2h"],
    ["--for", "2", "--key", "x"],
    ["--for", "31d", "--key", "x"],
    ["--key", "x"],
    ["--for", "2h", "--device", "Room 101"],
]


@pytest.mark.usefixtures("alerts")
@pytest.mark.parametrize("arguments", BAD_SILENCES, ids=["of everything", "no unit", "too long", "no end", "no door"])
def test_silences_that_would_be_regretted(arguments: list[str]) -> None:
    """Refused, each with a reason."""
    assert run("silence", *arguments).exit_code == 2


def test_without_the_channels_secrets_one_can_still_look(
    alerts: AlertLedger, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The worker alone needs them; testing a channel says what is missing."""
    del alerts
    path = tmp_path / "alerts.yaml"
    path.write_text("channels: {a: {type: slack, url_env: NOT_HERE}}")
    monkeypatch.setenv("ALERTS_FILE", str(path))
    assert run("list").exit_code == 0
    tried = run("test")
    assert tried.exit_code == 2
    assert "NOT_HERE is not set" in tried.stderr


def honest(got: Got) -> Reply:
    """Take every message, as a webhook and as Slack do."""
    return Reply(200, b"ok" if "slack" in got.path else b"")


@pytest.fixture
def sink() -> Iterator[Recorder]:
    """Run a server that takes alerts."""
    with recording(honest) as recorder:
        yield recorder


@pytest.mark.usefixtures("alerts")
def test_a_channel_is_tested(sink: Recorder, monkeypatch: pytest.MonkeyPatch) -> None:
    """One, or all; the answer is shown, and no secret."""
    signed = sink.url.replace("http://", "webhook+http://whsec_dGVsbC1ub2JvZHk=@")
    monkeypatch.setenv("ALERT_URLS", f"slack+{sink.url}/slack/tell-nobody {signed}/hook")
    both = run("test")
    assert (both.exit_code, both.stdout) == (0, "slack-1: delivered: ok\nwebhook-2: delivered: HTTP 200\n")
    assert len(sink.got) == 2
    sink.faults = [Reply(500)]
    failed = run("test", "slack-1")
    assert (failed.exit_code, failed.stdout) == (1, "slack-1: not delivered: HTTP 500\n")
    unknown = run("test", "nobody")
    assert (unknown.exit_code, unknown.stderr) == (2, "There is no such channel. There are: slack-1, webhook-2.\n")


def test_the_doctor_finds_a_page_that_nobody_took(alerts: AlertLedger) -> None:
    """With the error of the last try."""
    stuck = Notification(
        channel="a",
        status="open",
        members={KEY: 2},
        delivery_id="x",
        is_page=True,
        at=system_clock(),
        attempts=5,
        error="HTTP 500",
    )
    alerts.groups.update("no_slot/ops", lambda it: with_notification(it, stuck))
    ports = open_ports(settings_for("REDIS_URL"))
    (finding,) = _alerts(ports)
    assert isinstance(finding, Finding)
    assert (finding.verdict, "a has not taken a page" in finding.text, "HTTP 500" in finding.text) == (
        "bad",
        True,
        True,
    )
    alerts.groups.update("no_slot/ops", lambda _: Group())
    assert list(_alerts(ports)) == []


@pytest.mark.usefixtures("alerts")
def test_a_misspelt_kind_is_not_silenced() -> None:
    """It would hold back nothing; what is meant is named. Parents and absences are kinds, too."""
    near = run("silence", "--for", "2h", "--problem", "nearly_ful")
    assert (near.exit_code, "nearly_full" in near.stderr) == (2, True)
    far = run("silence", "--for", "2h", "--problem", "zzz")
    assert (far.exit_code, "sweep_silent" in far.stderr) == (2, True)
    assert "Nothing is silenced." in run("silences").stdout
    for known in ("nearly_full", "seam_unavailable", "sweep_silent"):
        assert run("silence", "--for", "2h", "--problem", known).exit_code == 0


@pytest.mark.usefixtures("alerts")
def test_a_silence_says_how_it_is_ended() -> None:
    """The command can be copied."""
    made = run("silence", "--for", "2h", "--problem", "no_slot").stdout.strip()
    name = made.split(":")[0]
    assert made.endswith(f"End it: oracode alerts unsilence {name}")
    assert run("unsilence", name).exit_code == 0


@pytest.mark.usefixtures("alerts")
def test_the_incident_of_a_test_is_resolved(monkeypatch: pytest.MonkeyPatch) -> None:
    """Nobody has to close it; where that fails, it is said."""
    with recording(lambda _: Reply(202)) as duty:
        monkeypatch.setenv("ALERT_URLS", duty.url.replace("http://", "pagerduty+http://key@"))
        assert run("test").exit_code == 0
        first, second = (got.parsed for got in duty.got)
        assert (first["event_action"], second["event_action"]) == ("trigger", "resolve")
        assert first["dedup_key"] == second["dedup_key"]
        duty.faults = [Reply(202), Reply(500)]
        failed = run("test")
        assert (failed.exit_code, "not resolved" in failed.stdout) == (1, True)
