"""No process starts on a data server that clearly loses data: a table, and the real thing."""

import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest
from redis import Redis

from deploy.local.ports import free_port as find_free_port
from shared.durability import refusal_of, store_problems
from shared.settings import Settings
from tests.support.server import DataServer
from tests.support.waiting import wait_until

PROJECT = Path(__file__).resolve().parents[2]
GOOD = {"aof_enabled": 1, "maxmemory_policy": "noeviction"}
PROCESSES = {
    "web": ["receiver"],
    "worker": ["worker", "worker"],
    "beat": ["worker", "beat"],
    "console": ["receiver.console"],
}


@pytest.mark.parametrize(
    ("says", "subjects"),
    [
        pytest.param(GOOD, [], id="safe"),
        pytest.param(GOOD | {"aof_enabled": 0}, ["append-only file"], id="no-file"),
        pytest.param(GOOD | {"maxmemory_policy": "allkeys-lru"}, ["eviction policy"], id="evicts"),
        pytest.param(GOOD | {"maxmemory_policy": "volatile-ttl"}, ["eviction policy"], id="evicts-what-expires"),
        pytest.param({"aof_enabled": 0, "maxmemory_policy": "x"}, ["append-only file", "eviction policy"], id="both"),
        pytest.param({}, [], id="nothing-is-known"),
    ],
)
def test_what_loses_data(says: dict[str, Any], subjects: list[str]) -> None:
    """Only what the server says counts against it."""
    found = store_problems(says)
    assert [each.subject for each in found] == subjects
    assert all(each.remedy for each in found)


@pytest.mark.parametrize("allow_unsafe", [False, True])
def test_a_cluster_is_refused_whatever_is_allowed(*, allow_unsafe: bool) -> None:
    """In one sentence that says why, and what to do."""
    refusal = refusal_of(GOOD | {"cluster_enabled": 1}, allow_unsafe=allow_unsafe)
    assert refusal is not None
    assert "Cluster" in refusal
    assert "cluster mode off" in refusal
    assert refusal_of(GOOD | {"cluster_enabled": 0}, allow_unsafe=allow_unsafe) is None


def test_what_loses_data_may_be_allowed() -> None:
    """By ALLOW_UNSAFE_STORE alone."""
    unsafe = GOOD | {"aof_enabled": 0}
    assert "appendonly yes" in (refusal_of(unsafe, allow_unsafe=False) or "")
    assert refusal_of(unsafe, allow_unsafe=True) is None


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DataServer]:
    """Run a data server of this test's own, whose configuration it may change."""
    server = DataServer(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


@pytest.fixture
def free_port() -> int:
    """Return a port that nobody listens on."""
    return find_free_port()


def start(command: list[str], redis_url: str, output: Path, **settings: str) -> "subprocess.Popen[bytes]":
    """Start a process with these settings and none else; what it says goes into `output`."""
    ours = {name.upper() for name in Settings.model_fields}
    kept = {name: value for name, value in os.environ.items() if name.upper() not in ours}
    given = {
        "SEAM_API_KEY": "seam_key",
        "SEAM_WEBHOOK_SECRET": "whsec_dGhlIHNlY3JldA==",
        "SEAM_ENDPOINT": "http://[::1]:1",
        "CONSOLE_TOKENS": "ada:operator:tell-nobody-at-all-tell-nobody",
    }
    with output.open("wb") as file:
        return subprocess.Popen(
            [sys.executable, "-m", *command],
            cwd=PROJECT,
            env=kept | given | {"REDIS_URL": redis_url} | settings,
            stdout=file,
            stderr=subprocess.STDOUT,
        )


def loosen(server: DataServer) -> None:
    """Turn the append-only file off, and write that into the server's configuration."""
    with Redis.from_url(server.url) as client:
        client.config_set("appendonly", "no")
        client.config_rewrite()


@pytest.mark.parametrize("command", PROCESSES.values(), ids=PROCESSES.keys())
def test_a_process_refuses_a_server_that_loses_data(server: DataServer, tmp_path: Path, command: list[str]) -> None:
    """Exit 2 names the setting, what is wrong, how to correct it, and how to start nevertheless.

    No password is shown.
    """
    loosen(server)
    process = start(command, server.url, tmp_path / "log")
    assert process.wait(30) == 2
    said = (tmp_path / "log").read_text()
    assert "REDIS_URL names a data server that loses data: append-only file is off" in said
    assert "appendonly yes" in said
    assert "ALLOW_UNSAFE_STORE=true" in said
    assert server.url not in said


def test_an_unsafe_server_that_is_allowed_is_used(server: DataServer, tmp_path: Path, free_port: int) -> None:
    """For a managed server whose durability is of another kind."""
    loosen(server)
    process = start(["receiver"], server.url, tmp_path / "log", ALLOW_UNSAFE_STORE="true", PORT=str(free_port))
    try:
        wait_until(lambda: answers(free_port, "/readyz") == 200, within=30, what="web")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def test_web_starts_without_its_server_and_judges_it_later(server: DataServer, tmp_path: Path, free_port: int) -> None:
    """It serves at once, as ever; it ends with 2 when the server comes and clearly loses data."""
    loosen(server)
    server.stop()
    process = start(["receiver"], server.url, tmp_path / "log", PORT=str(free_port))
    try:
        wait_until(lambda: answers(free_port, "/healthz") == 200, within=30, what="web")
        assert answers(free_port, "/readyz") == 503
        server.start()
        assert process.wait(15) == 2
        assert "data_server.refused" in (tmp_path / "log").read_text()
    finally:
        process.kill()
        process.wait(15)


def test_a_server_that_may_not_be_asked_is_not_refused(server: DataServer, tmp_path: Path, free_port: int) -> None:
    """Where INFO is forbidden nothing is known; `oracode doctor` says so."""
    loosen(server)
    with Redis.from_url(server.url) as client:
        client.acl_setuser(
            "shy", enabled=True, passwords=["+shy"], keys=["*"], categories=["+@all"], commands=["-info"]
        )
    url = f"redis://shy:shy@127.0.0.1:{server.port}/0"
    process = start(["receiver"], url, tmp_path / "log", PORT=str(free_port))
    try:
        wait_until(lambda: answers(free_port, "/readyz") == 200, within=30, what="web")
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(15)


def answers(port: int, path: str) -> int:
    """Return the status that `web` answers with; 0 where it doesn't."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}{path}", timeout=10).status_code
    except httpx.HTTPError:
        return 0
