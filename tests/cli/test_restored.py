"""`oracode restored`: refused where it can't be true, and what it leaves for the worker."""

import json
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from redis import Redis

from shared import redis_keys
from shared.clock import system_clock
from shared.ledger.processes import ProcessSigns
from shared.ledger.rollback import LedgerPrimary
from shared.liveness.sign_of_life import this_process
from tests.support.server import DataServer
from worker.cli.restored import command

SETTLE = timedelta(seconds=30)


@pytest.fixture(autouse=True)
def settings(data_server: DataServer, redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """Let the command find the data server, which is empty."""
    assert redis_client.dbsize() == 0
    monkeypatch.setenv("REDIS_URL", data_server.url)


def restored(*arguments: str) -> Any:
    """Run the command."""
    return CliRunner().invoke(command, arguments)


def test_an_empty_server_was_not_restored() -> None:
    """A forgotten step is named before processes start on an empty server."""
    result = restored()
    assert result.exit_code == 1
    assert "empty" in result.output


def test_a_process_that_runs_has_written_already(redis_client: Redis) -> None:
    """It is named; nothing is noted."""
    ProcessSigns(redis_client).sign(this_process("worker"))
    result = restored("--since", "2026-11-28T12:00")
    assert result.exit_code == 1
    assert "worker (pid " in result.output
    assert not redis_client.exists(redis_keys.PRIMARY)


def test_the_backup_says_when_it_was_taken(redis_client: Redis) -> None:
    """By its last note; the processes of its time are long silent."""
    LedgerPrimary(redis_client, settle=SETTLE).note()
    redis_client.zadd(redis_keys.PROCESSES, {json.dumps({"process": "worker"}): 1})
    result = restored("--json")
    assert result.exit_code == 0, result.output
    rollback = LedgerPrimary(redis_client, settle=SETTLE).note().rollback
    assert rollback is not None
    assert rollback.is_restore
    assert json.loads(result.output) == {
        "since": rollback.since.isoformat(),
        "until": rollback.noticed_at.isoformat(),
    }


def test_a_backup_without_a_note_needs_the_time(redis_client: Redis) -> None:
    """Such as one of an older version: exit 2 says what to give."""
    redis_client.set(redis_keys.LEDGER_EPOCH, "a@1")
    result = restored()
    assert result.exit_code == 2
    assert "--since" in result.output
    taken_at = (system_clock() - timedelta(hours=1)).replace(second=0, microsecond=0)
    result = restored("--since", f"{taken_at:%Y-%m-%dT%H:%M}")
    assert result.exit_code == 0, result.output
    assert f"{taken_at:%Y-%m-%d %H:%M:%S} UTC" in result.output
    rollback = LedgerPrimary(redis_client, settle=SETTLE).note().rollback
    assert rollback is not None
    assert (rollback.since, rollback.is_restore, rollback.is_certain) == (taken_at, True, True)
