"""`oracode backup`: a consistent file taken from a running server, and that file restored into another one."""

import json
import subprocess
import threading
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner
from redis import Redis

from deploy.local.data_server import find_binary
from deploy.local.ports import free_port
from tests.support.server import DataServer
from tests.support.waiting import wait_until
from worker.cli.backup import command


@pytest.fixture
def server(tmp_path: Path) -> Iterator[DataServer]:
    """Run a data server of this test's own."""
    server = DataServer(tmp_path / "redis")
    server.start()
    yield server
    server.stop()


def back_up(url: str, directory: Path, monkeypatch: pytest.MonkeyPatch) -> Any:
    """Run the command and return its result."""
    monkeypatch.setenv("REDIS_URL", url)
    return CliRunner().invoke(command, [str(directory), "--json"])


def restore(file: Path, directory: Path) -> Iterator[Redis]:
    """Do what docs/backup.md says, with a new server; lend a client once it keeps its data again."""
    directory.mkdir()
    (directory / "dump.rdb").write_bytes(file.read_bytes())
    port = free_port()
    arguments = ["--port", str(port), "--dir", str(directory), "--appendonly", "no", "--save", ""]
    with subprocess.Popen([find_binary(), *arguments], stdout=subprocess.DEVNULL) as process:
        with closing(Redis(port=port, decode_responses=True)) as client:
            wait_until(lambda: _answers(client), what="the restored server")
            client.config_set("appendonly", "yes")
            wait_until(lambda: _has_file(client), what="the append-only file")
            yield client
        process.terminate()
        process.wait(10)


def _answers(client: Redis) -> bool:
    try:
        return bool(client.ping())
    except Exception:  # noqa: BLE001 - not listening yet, or loading
        return False


def _has_file(client: Redis) -> bool:
    info: Any = client.info("persistence")
    return bool(info["aof_enabled"]) and not info["aof_rewrite_in_progress"] and not info["aof_rewrite_scheduled"]


@pytest.mark.parametrize("is_diskless", [True, False], ids=["sent-at-once", "by-a-file-of-the-servers"])
def test_a_backup_is_one_moment_of_a_server_that_is_written_to(
    server: DataServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_diskless: bool
) -> None:
    """Two keys that are always written together are equal in it, streams are whole, and only its owner may read it."""
    with closing(Redis.from_url(server.url)) as client:
        client.config_set("repl-diskless-sync", "yes" if is_diskless else "no")
        client.config_set("repl-diskless-sync-delay", 0)
        for number in range(2_000):
            client.xadd("booking-created", {"message": f"booking {number}", "filler": "x" * 200})
        ending = threading.Event()

        def write() -> None:
            with closing(Redis.from_url(server.url)) as writer:
                number = 0
                while not ending.is_set():
                    number += 1
                    writer.mset({"one": number, "other": number})

        thread = threading.Thread(target=write)
        thread.start()
        try:
            wait_until(lambda: int(client.get("one") or 0) > 50, what="writes")
            result = back_up(server.url, tmp_path / "backups", monkeypatch)
        finally:
            ending.set()
            thread.join()
    assert result.exit_code == 0, result.output
    told = json.loads(result.stdout)
    file = Path(told["file"])
    assert list((tmp_path / "backups").iterdir()) == [file]
    assert file.stat().st_size == told["bytes"]
    assert file.stat().st_mode & 0o777 == 0o600
    for restored in restore(file, tmp_path / "restored"):
        assert restored.get("one") == restored.get("other")
        assert int(restored.get("one") or 0) > 50
        assert restored.xlen("booking-created") == 2_000


def test_a_server_that_refuses_leaves_no_file(
    server: DataServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Exit 1, in the server's own words, with what to do instead; as managed servers answer."""
    with closing(Redis.from_url(server.url)) as client:
        client.acl_setuser(
            "app", enabled=True, passwords=["+app"], keys=["*"], categories=["+@all"], commands=["-sync"]
        )
    result = back_up(f"redis://app:app@127.0.0.1:{server.port}/0", tmp_path / "backups", monkeypatch)
    assert result.exit_code == 1
    assert "NOPERM" in result.output
    assert "provider's snapshots" in result.output
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_server_that_is_away_leaves_no_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """It ends as every command does then, and the directory stays empty."""
    result = back_up(f"redis://127.0.0.1:{free_port()}/0", tmp_path / "backups", monkeypatch)
    assert type(result.exception).__module__ == "redis.exceptions"
    assert list((tmp_path / "backups").iterdir()) == []


def test_a_directory_that_is_none_is_told(server: DataServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Exit 2, with its name."""
    (tmp_path / "file").write_text("")
    result = back_up(server.url, tmp_path / "file" / "backups", monkeypatch)
    assert result.exit_code == 2
    assert "file" in result.output
