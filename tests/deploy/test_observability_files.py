"""Prometheus' rules and Grafana's dashboard use exactly the metrics that there are; promtool judges the rules."""

import json
import re
from collections.abc import Collection, Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import yaml
from pydantic import SecretStr

from shared import redis_keys
from shared.current_units import CurrentUnits
from shared.domain.alerting.missed_heartbeats import BOOKINGS, SWEEP, WEBHOOK
from shared.liveness.fleet import PROCESSES
from shared.metrics import CATALOGUE
from shared.settings import Settings
from tests.deploy.promql import selectors
from tests.deploy.test_deploy_files import PROJECT, says, tool
from tests.support.server import DataServer
from worker.assembly import build_handlers
from worker.ports import open_ports

RULES = PROJECT / "deploy/prometheus/alerts.yml"
CONFIGURATION = PROJECT / "deploy/prometheus/prometheus.yml"
DASHBOARD = PROJECT / "deploy/grafana/oracode.json"
TABLE = PROJECT / "docs/metrics.md"
CURVES = PROJECT / "tests/deploy/alerts_test.yml"
# Shown by every process beside the catalogue.
BESIDE = {"oracode_build_info"}
SAMPLES = {sample: row for row in CATALOGUE.values() for sample in row.samples}


def rules() -> list[dict[str, Any]]:
    """Return every alert."""
    groups = yaml.safe_load(RULES.read_text())["groups"]
    return [rule for group in groups for rule in group["rules"]]


def panels() -> list[dict[str, Any]]:
    """Return every panel that shows something."""
    found: list[dict[str, Any]] = json.loads(DASHBOARD.read_text())["panels"]
    return [panel for panel in found if panel["type"] != "row"]


def expressions() -> Iterator[tuple[str, str]]:
    """Yield every query, and where it stands."""
    for rule in rules():
        yield rule["alert"], rule["expr"]
    for panel in panels():
        for target in panel["targets"]:
            yield panel["title"], target["expr"]


def curves() -> Iterator[tuple[str, str]]:
    """Yield each curve that promtool's tests of the alerts are made of, and the test that has it."""
    for test in yaml.safe_load(CURVES.read_text())["tests"]:
        for curve in test["input_series"]:
            yield test["name"], curve["series"]


def test_every_name_is_a_metric() -> None:
    """A misspelled or renamed one would alert nobody and show nothing, in silence."""
    used = [(where, name) for where, text in (*expressions(), *curves()) for name in re.findall(r"\boracode_\w+", text)]
    assert [(where, name) for where, name in used if name not in SAMPLES and name not in BESIDE] == []


def test_every_metric_is_shown_or_alerted_on() -> None:
    """One that nobody looks at costs, and serves nobody."""
    used = " ".join(text for _, text in expressions())
    assert [row.name for row in CATALOGUE.values() if not re.search(rf"\b{row.name}(_bucket)?\b", used)] == []


@pytest.fixture(scope="module")
def parts(data_server: DataServer, tmp_path_factory: pytest.TempPathFactory) -> frozenset[str]:
    """Return the parts of the worker that note when they worked: heartbeats, and the jobs of a whole worker."""
    doors = tmp_path_factory.mktemp("doors") / "doors.yml"
    doors.write_text("units: {}\n")
    settings = Settings(redis_url=SecretStr(data_server.url), seam_api_key=SecretStr("seam_test"))
    ports = open_ports(settings)
    ports.redis.flushall()
    handlers = build_handlers(
        # With the jobs that only some settings want.
        settings.model_copy(update={"sync_replicas": 1}),
        ports,
        channels=(),
        units=CurrentUnits(doors),
        look=lambda _booking_id, _device_id: None,
    )
    handlers.periodic_jobs.ensure()
    members: Any = ports.redis.zrange(redis_keys.DUE, 0, -1)
    jobs = {name for subject, name in map(json.loads, members) if subject == "chore"}
    for name in jobs:
        ports.redis.hset(redis_keys.PERIODIC_JOBS, name, "2026-12-01T00:00:00+00:00")
    for name in (SWEEP, BOOKINGS, WEBHOOK):
        ports.beats.beat(name, datetime(2026, 12, 1, tzinfo=UTC))
    return frozenset(ports.beats.last())


def known_values(name: str, label: str, parts: frozenset[str]) -> Collection[str] | None:
    """Return the values that a label of a metric can have; None where a setting or a route names them.

    Raises KeyError for a label that the metric lacks.
    """
    if label == "job":
        return re.findall(r"job_name: (\S+)", CONFIGURATION.read_text())
    if name not in SAMPLES:
        return {"process": PROCESSES}.get(label)
    listed = SAMPLES[name].labels[label]
    return listed or {"part": parts}.get(label)


def test_every_value_of_a_label_is_one_that_it_has(parts: frozenset[str]) -> None:
    """`outcome="given_up"` of a counter that says `lost` would alert nobody either."""
    checked = set()
    for where, text in (*expressions(), *curves()):
        for name, matchers in selectors(text):
            for each in matchers:
                known = known_values(name, each.label, parts)
                assert known is None or each.unmatched(known) == [], (where, name, each)
                checked |= {each.label} if known is not None else set()
    # Those that alerts rest on: none of them may fall out of this test unseen.
    assert checked >= {"process", "part", "reason", "outcome", "readiness", "severity", "job"}


@pytest.mark.parametrize(
    ("query", "wrong"),
    [
        ('oracode_processes_alive{process="web"} == 0', []),
        ('oracode_processes_alive{process=~"web|wroker"} == 0', ["wroker"]),
        ('oracode_processes_alive{process!="wbe"}', ["wbe"]),
        ('oracode_processes_alive{process=~"w.*"}', []),
        ('oracode_processes_alive{process=~"x.*|beat"}', ["x.*"]),
        ('sum(oracode_bookings{state = "reday",}) > 1', ["reday"]),
        ('rate(oracode_seam_requests_total{endpoint="/devices/get", outcome="anserwed"}[5m])', ["anserwed"]),
        ('rate(oracode_seam_requests_total{outcome="answered",endpoint=~"/devices/(get|lsit)"}[5m])', []),
        (
            'rate(oracode_seam_requests_total{outcome="answered",endpoint=~"/device/(get|list)"}[5m])',
            ["/device/(get|list)"],
        ),
        ('oracode_auth_failures_last_hour{reason=~"wrong_signature|too_odl"} > 1', ["too_odl"]),
        ('oracode_auth_failures_total{reason!~"slack|tokens"}', ["tokens"]),
        ('oracode_last_done_timestamp_seconds{part="chore:recnocile"}', ["chore:recnocile"]),
        ('oracode_last_done_timestamp_seconds{part="sweep"}', []),
        ('up{job="oracode-wbe"}', ["oracode-wbe"]),
        ('oracode_alert_notifications_total{channel="any",outcome="given_up"}', []),
    ],
)
def test_a_wrong_value_is_found_among_several_conditions(query: str, wrong: list[str], parts: frozenset[str]) -> None:
    """Also of a regular expression, and of one that excludes."""
    found = []
    for name, matchers in selectors(query):
        for each in matchers:
            known = known_values(name, each.label, parts)
            found += [] if known is None else each.unmatched(known)
    assert found == wrong


@pytest.mark.parametrize("query", ['{job="oracode-web"}', 'up{job="a"', "up{job}", 'up{job="a" part="b"}'])
def test_a_selector_that_cant_be_read_is_an_error(query: str) -> None:
    """And never one without conditions."""
    with pytest.raises(ValueError, match="selector"):
        selectors(query)


def test_every_label_of_a_sum_or_a_legend_is_one_of_the_metric() -> None:
    """A legend `{{proces}}` would be blank."""
    for panel in panels():
        for target in panel["targets"]:
            labels = {"le", "job", "version", "process"}
            for name in re.findall(r"\boracode_\w+", target["expr"]):
                labels |= set(SAMPLES[name].labels if name in SAMPLES else ())
            named = set(re.findall(r"\{\{(\w+)\}\}", target["legendFormat"]))
            named |= {each for by in re.findall(r"by \(([\w, ]+)\)", target["expr"]) for each in by.split(", ")}
            assert named <= labels, panel["title"]


def test_every_label_of_an_alert_is_one_of_the_metric() -> None:
    """`by (reasn)` would add up all reasons, and `{{ $labels.reasn }}` would be blank."""
    for rule in rules():
        of_metric = {
            label
            for name in re.findall(r"\boracode_\w+", rule["expr"])
            if name in SAMPLES
            for label in (*SAMPLES[name].labels, "le")
        }
        kept = {each for by in re.findall(r"by \(([\w, ]+)\)", rule["expr"]) for each in by.split(", ")}
        assert kept <= of_metric, rule["alert"]
        named = set(re.findall(r"\$labels\.(\w+)", " ".join(rule["annotations"].values())))
        is_added_up = re.search(r"\b(sum|count|histogram_quantile)\b", rule["expr"])
        assert named <= (kept - {"le"} if is_added_up else of_metric), rule["alert"]


def test_every_alert_says_what_it_means_and_what_to_do() -> None:
    """In a sentence each, with how loud it is."""
    names = [rule["alert"] for rule in rules()]
    assert len(names) == len(set(names))
    for rule in rules():
        assert rule["labels"]["severity"] in ("page", "warning")
        assert all(rule["annotations"][part].endswith(".") for part in ("summary", "description"))


def test_no_panel_covers_another() -> None:
    """Ids and places are their own."""
    found = json.loads(DASHBOARD.read_text())["panels"]
    assert len({panel["id"] for panel in found}) == len(found)
    cells = [
        (x, y)
        for place in (panel["gridPos"] for panel in found)
        for x in range(place["x"], place["x"] + place["w"])
        for y in range(place["y"], place["y"] + place["h"])
    ]
    assert len(cells) == len(set(cells))
    assert max(x for x, _ in cells) < 24


def test_the_documents_list_every_metric() -> None:
    """With kind, labels and sentence, as the code has them."""
    rows = re.findall(
        r"^\| `(oracode_\w+)` \| (\w+) \| ([^|]*) \| ([^|]*) \| (.*) \|$", TABLE.read_text(), re.MULTILINE
    )
    written = {name: (kind, labels, shown_by, text) for name, kind, labels, shown_by, text in rows}
    assert written == {
        row.name: (row.kind, ", ".join(f"`{it}`" for it in row.labels), ", ".join(row.shown_by), row.text)
        for row in CATALOGUE.values()
    }


def test_promtool_finds_nothing_wrong(tmp_path: Path) -> None:
    """In the rules, and in the configuration."""
    promtool = tool("promtool")
    assert f"SUCCESS: {len(rules())} rules found" in says(promtool, "check", "rules", str(RULES))
    # The token's file is there only where it runs.
    token = tmp_path / "metrics_token"
    token.write_text("x")
    copy = tmp_path / "prometheus.yml"
    copy.write_text(CONFIGURATION.read_text().replace("/run/secrets/metrics_token", str(token)))
    (tmp_path / "alerts.yml").write_text(RULES.read_text())
    says(promtool, "check", "config", str(copy))


def test_alerts_fire_when_they_should_and_not_else() -> None:
    """By promtool's own tests of rules, over curves of a system that is well, and of one that isn't."""
    says(tool("promtool"), "test", "rules", str(CURVES))
