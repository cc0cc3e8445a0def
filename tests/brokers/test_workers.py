"""Workers on RabbitMQ as their broker: several on one host, and tasks that none of them knows."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest
from celery import Celery

from tests.support.rabbitmq import RabbitMQ
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from worker.broker import broker_settings
from worker.consumers.unknown_tasks import MOST_RETURNS, RETURNS


@pytest.fixture
def logs(rabbitmq: RabbitMQ, data_server: DataServer, project: Path, tmp_path: Path) -> Iterator[tuple[Path, ...]]:
    """Run two workers on one host; yield their logs."""
    settings = {"REDIS_URL": data_server.url, "CELERY_BROKER_URL": rabbitmq.url, "LOG_LEVEL": "info"}
    seam = {"SEAM_API_KEY": "seam_test", "SEAM_ENDPOINT": "http://127.0.0.1:9"}
    paths = (tmp_path / "first.log", tmp_path / "second.log")
    processes = []
    for path in paths:
        with path.open("w") as output:
            command = [sys.executable, "-m", "worker", "worker"]
            environment = {**os.environ, **settings, **seam}
            processes.append(subprocess.Popen(command, cwd=project, env=environment, stdout=output, stderr=output))
    yield paths
    for process in processes:
        process.terminate()
    for process in processes:
        process.wait(30)


@pytest.fixture
def app(rabbitmq: RabbitMQ) -> Iterator[Celery]:
    """Return an app that sends to them."""
    app = Celery(broker=rabbitmq.url, set_as_current=False)
    app.conf.update(task_default_queue="oracode", **broker_settings(rabbitmq.url))
    yield app
    app.close()


def test_two_workers_of_one_host_work(logs: tuple[Path, ...], app: Celery) -> None:
    """Both answer: neither keeps the other from its queue of commands."""

    def names() -> set[str]:
        return {name for answer in app.control.ping(timeout=1) or [] for name in answer}

    wait_until(lambda: len(names()) == 2, within=40, what="two workers")
    assert not any("RESOURCE_LOCKED" in path.read_text() for path in logs)


def test_a_task_that_nobody_knows_is_given_back_and_goes_away(logs: tuple[Path, ...], app: Celery) -> None:
    """It goes to the next worker that asks; after its last return it is thrown away."""
    name = f"of.another.version.{uuid4().hex}"
    app.send_task(name, ("x",))
    app.send_task(name, ("y",), headers={RETURNS: MOST_RETURNS})

    def told() -> list[tuple[int, str]]:
        lines = [line for path in logs for line in path.read_text().splitlines() if line.startswith("{")]
        found = [json.loads(line) for line in lines if name in line]
        return sorted((line["returns"], line["event"]) for line in found if line.get("task") == name)

    expected = [(0, "task.given_back"), (1, "task.given_back"), (2, "task.given_back"), (MOST_RETURNS, "task.unknown")]
    wait_until(lambda: told()[:4] == expected, within=40, what="it came back twice, and the other is thrown away")
