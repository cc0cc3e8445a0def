"""Metrics: names by Prometheus' conventions, bounded labels, and each process showing its own."""

import re
from collections.abc import Iterator
from typing import get_args

import httpx
import pytest
from prometheus_client import generate_latest
from prometheus_client.parser import text_string_to_metric_families
from structlog.testing import capture_logs

from deploy.local.ports import free_port
from receiver.refusals import REFUSALS, InvalidSignature, InvalidToken, SignatureFault, TooManyAuthFailures
from shared import contracts, metrics
from shared.liveness.fleet import PROCESSES
from shared.metrics_server import registry_of, serve_metrics
from shared.seam import errors
from shared.seam.client import SeamCall
from shared.seam_calls import observe_seam_call
from shared.settings import Settings
from worker.task_metrics import TaskMetrics

ROWS = pytest.mark.parametrize("row", metrics.CATALOGUE.values(), ids=lambda row: row.name)


def samples(text: str) -> dict[tuple[str, ...], float]:
    """Return each sample by its name and the values of its labels, in the order of the labels' names."""
    families = text_string_to_metric_families(text)
    return {(each.name, *each.labels.values()): each.value for family in families for each in family.samples}


def shown(process: str) -> dict[tuple[str, ...], float]:
    """Return what a process shows now."""
    return samples(generate_latest(registry_of(process, "1.2.3")).decode())


@ROWS
def test_names_follow_the_conventions(row: metrics.Metric) -> None:
    """Prefix, unit or `_total` at the end, and a sentence."""
    assert re.fullmatch(r"oracode(_[a-z0-9]+)+", row.name)
    assert row.name.endswith("_total") == (row.kind == "counter")
    assert row.kind != "histogram" or row.name.endswith("_seconds")
    assert row.text.endswith(".")
    assert row.shown_by
    assert set(row.shown_by) <= set(PROCESSES)


@ROWS
def test_no_label_is_about_one_booking_door_or_guest(row: metrics.Metric) -> None:
    """A label names a kind, never a thing: else there are as many curves as bookings, and ids leave the ledger."""
    kinds = {"outcome", "reason", "endpoint", "task", "channel", "route", "status", "kind"}
    kinds |= {"state", "readiness", "severity", "process", "stream", "part"}
    assert set(row.labels) <= kinds


def test_what_a_channel_gives_up_first_is_an_increase() -> None:
    """Its curves are there from zero on: else an alert about the first notification that is given up never fires."""
    name = "oracode_alert_notifications_total"
    metrics.NOTIFICATIONS.start_at_zero(channel="night-desk")
    before = {key[2]: value for key, value in shown("worker").items() if key[:2] == (name, "night-desk")}
    assert before == {"delivered": 0, "failed": 0, "given_up": 0}
    metrics.NOTIFICATIONS.add("night-desk", "given_up")
    assert shown("worker")[name, "night-desk", "given_up"] == 1
    metrics.NOTIFICATIONS.start_at_zero(channel="night-desk")
    assert shown("worker")[name, "night-desk", "given_up"] == 1


def test_a_value_that_nobody_listed_is_other() -> None:
    """Whatever a caller passes, the number of curves stays bounded."""
    before = shown("worker").get(("oracode_seam_requests_total", "other", "other"), 0)
    metrics.SEAM_REQUESTS.add("/made/up/739158", "eaten_by_a_dog")
    assert shown("worker")["oracode_seam_requests_total", "other", "other"] == before + 1


@pytest.mark.parametrize("process", PROCESSES)
def test_each_process_shows_its_own(process: str) -> None:
    """Its rows of the catalogue, all from zero on where their labels are known, and memory and version."""
    names = {name for name, *_ in shown(process)}
    ours = [row for row in metrics.CATALOGUE.values() if process in row.shown_by and row.kind != "gauge"]
    ours = [row for row in ours if all(row.labels.values()) and row.name not in _FROM_REDIS]
    assert {name for row in ours for name in row.samples} <= names
    assert {"process_resident_memory_bytes", "oracode_build_info"} <= names
    others = {name for row in metrics.CATALOGUE.values() if process not in row.shown_by for name in row.samples}
    assert not names & others


_FROM_REDIS = {metrics.EVENTS_COMPARED.name, metrics.EVENTS_MISSED.name}


def kinds_of(root: type[errors.SeamError]) -> Iterator[type[errors.SeamError]]:
    """Yield a class and all below it."""
    yield root
    for each in root.__subclasses__():
        yield from kinds_of(each)


def test_every_failure_of_a_call_has_an_outcome() -> None:
    """Of all that a call to Seam can end with, none is `other`."""
    roots = {errors.SeamError, errors.TryAgainLater}
    known = metrics.CATALOGUE["oracode_seam_requests_total"].labels["outcome"]
    for kind in set(kinds_of(errors.SeamError)) - roots:
        failure = kind.__new__(kind)
        before = shown("worker")
        observe_seam_call(SeamCall(path="/devices/get", seconds=0.1, failure=failure, request_id=None))
        after = shown("worker")
        changed = [key for key in after if key[0] == "oracode_seam_requests_total" and after[key] != before[key]]
        assert [(endpoint, outcome in known) for _, endpoint, outcome in changed] == [("/devices/get", True)]


def test_every_refusal_and_every_task_has_its_value() -> None:
    """A new one must not end up as `other`."""
    refused = {metrics.snake_case(each) for each in REFUSALS} - {
        metrics.snake_case(each) for each in (InvalidSignature, InvalidToken, TooManyAuthFailures)
    }
    assert set(metrics.CATALOGUE["oracode_requests_refused_total"].labels["reason"]) == refused
    reasons = {*get_args(SignatureFault), InvalidToken.reason}
    assert set(metrics.CATALOGUE["oracode_auth_failures_total"].labels["reason"]) == reasons
    tasks = {value for name, value in vars(contracts).items() if name.isupper() and "." in str(value)}
    tasks -= {contracts.SELF_PING, contracts.REJECTED_QUEUE}
    assert set(metrics.CATALOGUE["oracode_tasks_total"].labels["task"]) == tasks


class Task:
    """What Celery's signals name as the sender."""

    def __init__(self, name: str) -> None:
        self.name = name


def test_tasks_are_counted_and_timed() -> None:
    """By whether they ended with an error; a worker's calls to itself are no work."""
    each, task = TaskMetrics(), contracts.ADVANCE_DOOR

    def counts() -> tuple[float, ...]:
        found = shown("worker")
        return tuple(found["oracode_tasks_total", outcome, task] for outcome in ("done", "failed"))

    before = counts()
    for number, state in enumerate(("SUCCESS", "FAILURE", "SUCCESS")):
        each.begin(task_id=str(number), sender=Task(contracts.ADVANCE_DOOR))
        each.end(task_id=str(number), sender=Task(contracts.ADVANCE_DOOR), state=state)
    each.begin(task_id="own", sender=Task(contracts.SELF_PING))
    each.end(task_id="own", sender=Task(contracts.SELF_PING), state="SUCCESS")
    assert tuple(now - then for now, then in zip(counts(), before, strict=True)) == (2, 1)
    assert not [key for key in shown("worker") if contracts.SELF_PING in key]


def test_a_process_serves_them_on_a_port_of_its_own() -> None:
    """Only where METRICS_PORT is set; a port that is taken is logged, and keeps nothing from working."""
    port = free_port()
    settings = Settings(metrics_port=port)
    serve_metrics("beat", Settings(metrics_port=None), version="1.2.3")
    with pytest.raises(httpx.ConnectError):
        httpx.get(f"http://127.0.0.1:{port}/metrics")
    serve_metrics("beat", settings, version="1.2.3")
    found = samples(httpx.get(f"http://127.0.0.1:{port}/metrics").text)
    assert ("oracode_sweeps_sent_total",) in found
    with capture_logs() as logs:
        serve_metrics("beat", settings, version="1.2.3")
    assert [line["event"] for line in logs] == ["metrics.not_served"]
