"""ALERTS_FILE: what it may contain, what is made of it, and every problem with its path."""

import re
from collections.abc import Iterator
from datetime import time, timedelta
from pathlib import Path
from typing import get_args

import httpx
import pytest
from pydantic import BaseModel, SecretStr
from redis import Redis

from shared.domain.alerting.missed_heartbeats import LEVELS, MISSED_HEARTBEATS
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.timing_policy import PAGE_JOIN_WINDOW, REMINDERS
from shared.domain.stay.stay import UnitRules
from shared.domain.times.durations import parse_duration
from shared.settings import Settings
from tests.support.server import DataServer
from tests.worker.alert_messages import notice
from worker.alerts.alerts_file import InvalidAlertsFile, load_alerts_file
from worker.alerts.alerts_file_schema import (
    AlertsFile,
    ChannelPart,
    EmailPart,
    PagerDutyPart,
    RatePart,
    RoutePart,
    SeverityPart,
    SlackBotPart,
)
from worker.alerts.setup import Alerting, InvalidAlerting, load_alerting

WHOLE = """
channels:
  ops: {type: slack, url_env: SLACK_URL}
  bot: {type: slack_bot, token_env: SLACK_TOKEN, channel: C1}
  tower: {type: teams, url: https://teams.example/x}
  duty: {type: pagerduty, key_env: DUTY_KEY}
  hook: {type: webhook, url: https://hook.example/x, secret_env: HOOK_SECRET}
  mail: {type: email, host: smtp.example, from: a@example.com, to: [b@example.com], username: u, password_env: MAIL}
  other: {type: apprise, url_env: OTHER}
routes:
  - {channels: ops}
  - {channels: [duty, mail], severity: page, problems: no_slot}
  - {channels: tower, buildings: Tower A, tags: [vip]}
fallback: mail
severity: {page_before: 3h, warn_before: 2d, problems: {nearly_full: info}}
reminders: {page: [5m], info: 1d, warning: []}
group_window: 0s
page_join_window: 4m
quiet_hours: {from: 22:00, to: 07:00, time_zone: Europe/Berlin}
rate: {burst: 3, every: 1m}
absence: {bookings_silent: 2d}
"""
# Each line stands for ten of the line before: ten lines expand to ten thousand million texts.
LAUGHS = "a0: &a0 lol\n" + "".join(f"a{n}: &a{n} [{', '.join([f'*a{n - 1}'] * 10)}]\n" for n in range(1, 11))
SECRETS = {
    "SLACK_URL": "https://hooks.slack.com/tell-nobody",
    "SLACK_TOKEN": "xoxb-tell-nobody",
    "DUTY_KEY": "key-tell-nobody",
    "HOOK_SECRET": "whsec_dGVsbC1ub2JvZHk=",
    "MAIL": "tell-nobody",
    "OTHER": "json://127.0.0.1/tell-nobody",
}


@pytest.fixture
def secrets(monkeypatch: pytest.MonkeyPatch) -> None:
    """Put the secrets into the environment."""
    for name, text in SECRETS.items():
        monkeypatch.setenv(name, text)


def written(folder: Path, text: str | bytes) -> Path:
    """Return a file with this text."""
    path = folder / "alerts.yaml"
    path.write_bytes(text if isinstance(text, bytes) else text.encode())
    return path


def loaded(path: Path, server: DataServer, **fields: object) -> Alerting:
    """Return the channels and rules that are made of the file."""
    units = {"101": UnitRules(unit="101", device_ids=("d-1",), building="Tower A", tags=("vip",))}
    settings = Settings(redis_url=SecretStr(server.url), alerts_file=path, **fields)  # type: ignore[arg-type]
    with httpx.Client() as client:
        return load_alerting(settings, client, units)


@pytest.mark.usefixtures("secrets")
def test_everything_that_may_be_set(tmp_path: Path, data_server: DataServer, redis_client: Redis) -> None:
    """Channels in their order, routes, and every rule."""
    del redis_client
    urls = (SecretStr("slack+https://hooks.slack.com/x"),)
    alerting = loaded(written(tmp_path, WHOLE), data_server, alert_urls=urls, runbook_url="https://wiki")
    names = ("slack-1", "ops", "bot", "tower", "duty", "hook", "mail", "other")
    assert tuple(channel.name for channel in alerting.channels) == names == alerting.policy.routing.channels
    policy, it = alerting.policy, notice()
    assert policy.routing.channels_for(it, Severity.INFO) == ("slack-1", "ops", "tower")
    assert policy.routing.channels_for(it, Severity.PAGE) == ("slack-1", "ops", "tower", "duty", "mail")
    assert policy.mute_time is not None
    assert (policy.mute_time.starts, policy.mute_time.ends) == (time(22), time(7))
    assert (policy.page_before, policy.warn_before) == (timedelta(hours=3), timedelta(days=2))
    assert policy.levels["nearly_full"] is Severity.INFO
    assert policy.pause(Severity.PAGE, 9) == timedelta(minutes=5)
    assert policy.pause(Severity.INFO, 0) == timedelta(days=1)
    assert policy.pause(Severity.WARNING, 0) is None
    assert policy.page_join_window == timedelta(minutes=4)
    assert (policy.group_window, policy.rate.burst, policy.runbook_url) == (timedelta(), 3, "https://wiki")
    assert policy.silent_for == {"bookings_silent": timedelta(days=2)}


CHANNEL = "channels: {a: {type: slack, url: https://x.example/y}}\n"
PROBLEMS = [
    ("", ["channels: Field required"]),
    ("[]", ["file: Input should be a valid dictionary"]),
    ("a: [1", ["line 2: is not YAML"]),
    (b"\xff\xfe\xff", ["is not readable text"]),
    ("channels: {}\nchanels: {}", ["channels: names no channel", "chanels: Extra inputs"]),
    ("", ["channels: "]),
    ("a: &a [*a]", ["is nested too deeply, or holds an alias of itself"]),
    (LAUGHS, ["says more than 100000 things: aliases stand for too much"]),
    ("channels: {a: {type: fax}}", ["channels.a: Input tag 'fax'"]),
    ("channels: {a: {type: slack}}", ["channels.a.slack: needs one of url and url_env"]),
    ("channels: {a: {type: slack, url: ftp://x}}", ["channels.a.slack.url: is not an address"]),
    ("channels: {a: {type: slack, url: 'https://h:99999/y'}}", ["channels.a.slack.url: is not an address"]),
    ("channels: {a: {type: slack, url: 'https://h h/y'}}", ["channels.a.slack.url: is not an address"]),
    ("channels: {a: {type: slack, url: 'https://[::1/y'}}", ["channels.a.slack.url: is not an address"]),
    ("channels: {a: {type: slack, url_env: NOT_THERE}}", ["channels.a.slack.url_env: NOT_THERE is not set"]),
    ("channels: {a: {type: slack, url: https://x/y, tokn: z}}", ["channels.a.slack.tokn: Extra inputs"]),
    ("channels: {'a b': {type: slack, url: https://x/y}}", ["channels.a b.[key]: 'a b' is no name for a channel"]),
    (CHANNEL + CHANNEL, ["channels: stands a second time on line 2"]),
    (
        CHANNEL + "routes: [{channels: [a, b]}]\nfallback: c",
        ["routes.0.channels: there is no channel 'b'", "fallback: "],
    ),
    (
        CHANNEL + "routes: [{channels: a, devices: [11111111-1111-1111-1111-444444444444, Room 101]}]",
        ["routes.0.devices.1: 'Room 101' is not a UUID: give the device_id as Seam shows it"],
    ),
    (
        CHANNEL + "routes: [{channels: a, problems: no_slots}]",
        ["routes.0.problems.0: 'no_slots' is no kind of problem"],
    ),
    (CHANNEL + "routes: [{channels: a, severity: loud}]", ["routes.0.severity: Input should be 'info'"]),
    (CHANNEL + "group_window: 30", ["group_window: '30' is not a duration"]),
    (
        CHANNEL + "quiet_hours: {from: 25:00, to: 7, time_zone: Mars/X}",
        ["quiet_hours.from: ", "quiet_hours.to: ", "zone"],
    ),
    (CHANNEL + "severity: {page_before: 3d, warn_before: 1h}", ["severity: page_before is longer"]),
    (CHANNEL + "absence: {cat_silent: 1d}", ["absence.cat_silent.[key]: 'cat_silent' is nothing that can be missed"]),
    (
        "channels: {a: {type: email, host: h, from: x, to: []}}",
        ["email.from: is not a mail", "email.to: names nobody"],
    ),
    (
        "channels: {a: {type: email, host: h, from: x@y, to: [z@y, z], port: 0}}",
        ["email.port: ", "email.to.1: is no"],
    ),
    (
        CHANNEL + "routes: [{channels: b, severity: loud}, 7, {channels: 7}]\nfallback: c\ngroup_window: soon",
        [
            "routes.0.channels: there is no channel 'b'",
            "fallback: there is no",
            "routes.0.severity: ",
            "group_window: ",
        ],
    ),
    ("channels: {a: {type: email, host: h, from: x@y, to: z@y, username: u}}", ["username and password_env belong"]),
]


@pytest.mark.parametrize(("text", "problems"), PROBLEMS)
def test_every_problem_is_named_with_its_path(tmp_path: Path, text: str | bytes, problems: list[str]) -> None:
    """All of them at once."""
    with pytest.raises(InvalidAlertsFile) as invalid:
        load_alerts_file(written(tmp_path, text))
    assert len(invalid.value.problems) >= len(problems)
    for problem in problems:
        assert problem in str(invalid.value)


def test_a_channel_may_not_have_the_name_of_one_in_alert_urls(tmp_path: Path, data_server: DataServer) -> None:
    """It is refused: their records would be mixed up."""
    urls = (SecretStr("slack+https://hooks.slack.com/x"),)
    text = CHANNEL.replace("{a:", "{slack-1:")
    with pytest.raises(InvalidAlerting, match=r"channels\.slack-1: a channel of ALERT_URLS is called so"):
        loaded(written(tmp_path, text), data_server, alert_urls=urls)


@pytest.mark.usefixtures("secrets")
def test_no_problem_quotes_a_secret(tmp_path: Path, data_server: DataServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """Neither a URL in the file nor a value of the environment."""
    monkeypatch.setenv("SLACK_URL", "tell-nobody")
    monkeypatch.setenv("HOOK_SECRET", "tell nobody")
    monkeypatch.setenv("OTHER", "nonsense://tell-nobody")
    for text in (
        WHOLE,
        WHOLE.replace("url_env: SLACK_URL", "url: 'tell-nobody:x'"),
        WHOLE.replace("url_env: SLACK_URL", "url: 'https://tell\u2100nobody/x'"),
        WHOLE.replace("SLACK_URL", "MAIL"),
    ):
        with pytest.raises((InvalidAlerting, InvalidAlertsFile)) as invalid:
            loaded(written(tmp_path, text), data_server)
        assert "tell" not in str(invalid.value)


def test_a_missing_file(tmp_path: Path) -> None:
    """The problem says that there is no such file."""
    with pytest.raises(InvalidAlertsFile, match="No such file"):
        load_alerts_file(tmp_path / "none.yaml")


def keys_of(part: type[BaseModel], path: str = "") -> Iterator[str]:
    """Yield every key of a part of the file, as the file has it, by its path; channels by their type."""
    for name, field in part.model_fields.items():
        key = f"{path}{field.alias or name}"
        inner = [each for each in (field.annotation, *get_args(field.annotation)) if is_part(each)]
        if name == "channels" and part is AlertsFile:
            for kind in get_args(get_args(ChannelPart)[0]):
                (type_name,) = get_args(kind.model_fields["type"].annotation)
                yield from (each for each in keys_of(kind, f"{type_name}.") if each != f"{type_name}.type")
        if not inner or name in ("channels", "routes"):
            yield key
        for each in inner:
            yield from keys_of(each, f"{key}.")


def is_part(annotation: object) -> bool:
    """Say whether the type is a part of the file."""
    return isinstance(annotation, type) and issubclass(annotation, BaseModel)


def test_the_rules_without_a_file_are_documented(project: Path) -> None:
    """Severities, reminders, and missed heartbeats, as the page sums them up."""
    text = (project / "docs/alerts-file.md").read_text().rpartition("`severity.problems` has")[2]
    severities, _, rest = text.partition("`reminders` has")
    reminders, _, heartbeats = rest.partition("`absence` knows")
    other = {name: level for name, level in LEVELS.items() if level is not Severity.WARNING}
    assert dict(re.findall(r"`(\w+): (\w+)`", severities)) == other
    said = {level: pauses.split(", ") for level, pauses in re.findall(r"`(\w+): \[([^]]+)]`", reminders)}
    assert {level: tuple(map(parse_duration, pauses)) for level, pauses in said.items()} == {
        level: pauses for level, pauses in REMINDERS.items() if pauses
    }
    silences = {name: parse_duration(said) for name, said in re.findall(r"`(\w+)`\s\(`(\w+)`\)", heartbeats)}
    assert silences == {name: each.silent_for for name, each in MISSED_HEARTBEATS.items() if each.silent_for}
    assert all(f"`{name}`" in heartbeats for name in MISSED_HEARTBEATS)


def test_every_key_is_documented(project: Path) -> None:
    """No key is missing in the table, and none is unknown; the defaults are right."""
    table = (project / "docs/alerts-file.md").read_text().split("<!-- keys")[1]
    rows = re.findall(r"^\| (`[^|]+`) \| ([^|]+) \|", table, re.MULTILINE)
    listed = {key: default for names, default in rows for key in re.findall(r"`([a-z_.]+)`", names)}
    assert listed.keys() == set(keys_of(AlertsFile))
    plain = {
        "slack_bot.api": SlackBotPart.model_fields["api"].default,
        "pagerduty.url": PagerDutyPart.model_fields["url"].default,
        "email.port": EmailPart.model_fields["port"].default,
        "email.security": EmailPart.model_fields["security"].default,
        "routes.severity": RoutePart.model_fields["severity"].default,
        "rate.burst": RatePart.model_fields["burst"].default,
    }
    assert {key: listed[key] for key in plain} == {key: f"`{default}`" for key, default in plain.items()}
    lengths = {
        "severity.page_before": SeverityPart().page_before,
        "severity.warn_before": SeverityPart().warn_before,
        "page_join_window": PAGE_JOIN_WINDOW,
        "rate.every": RatePart().every,
    }
    assert {key: parse_duration(listed[key].strip("`")) for key in lengths} == lengths
