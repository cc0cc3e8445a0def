"""Prometheus' rules and Grafana's dashboard use exactly the metrics that there are; promtool judges the rules."""

import json
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml

from shared.metrics import CATALOGUE
from tests.deploy.test_deploy_files import PROJECT, says, tool

RULES = PROJECT / "deploy/prometheus/alerts.yml"
CONFIGURATION = PROJECT / "deploy/prometheus/prometheus.yml"
DASHBOARD = PROJECT / "deploy/grafana/oracode.json"
TABLE = PROJECT / "docs/metrics.md"
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


def test_every_name_is_a_metric() -> None:
    """A misspelled or renamed one would alert nobody and show nothing, in silence."""
    used = [(where, name) for where, text in expressions() for name in re.findall(r"\boracode_\w+", text)]
    assert [(where, name) for where, name in used if name not in SAMPLES and name not in BESIDE] == []


def test_every_metric_is_shown_or_alerted_on() -> None:
    """One that nobody looks at costs, and serves nobody."""
    used = " ".join(text for _, text in expressions())
    assert [row.name for row in CATALOGUE.values() if not re.search(rf"\b{row.name}(_bucket)?\b", used)] == []


def test_every_value_of_a_label_is_one_that_it_has() -> None:
    """`outcome="given_up"` of a counter that says `lost` would alert nobody either."""
    found = 0
    for where, text in expressions():
        for name, label, values in re.findall(r'(oracode_\w+)\{(\w+)=~?"([^"]*)"\}', text):
            allowed = SAMPLES[name].labels[label]
            found += 1
            for value in values.split("|"):
                assert not allowed or value in allowed, (where, name, value)
    assert found > 5


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
    says(tool("promtool"), "test", "rules", str(PROJECT / "tests/deploy/alerts_test.yml"))
