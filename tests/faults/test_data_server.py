"""A data server with faults: nothing is acknowledged that isn't stored, and everything goes on by itself after it."""

import os
import resource
import signal
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path

import httpx
import pytest
from redis.exceptions import RedisError

from shared import redis_keys
from shared.redis_client import connect
from tests.faults.load import fitting_stay, webhook
from tests.faults.stages import SETTINGS
from tests.support.machine import Machine
from tests.support.server import DataServer
from tests.support.waiting import wait_until

BACK_WITHIN = 15.0


@dataclass(frozen=True, slots=True)
class Stage:
    """A system on a data server that the test owns."""

    machine: Machine
    server: DataServer

    def config(self, **settings: object) -> None:
        """Change the server's configuration."""
        with connect(self.server.url) as redis:
            for name, value in settings.items():
                redis.config_set(name.replace("_", "-"), str(value))

    def replica_of(self, *primary: str) -> None:
        """Make the server a replica, or (NO ONE) a primary again."""
        with connect(self.server.url) as redis:
            redis.replicaof(*primary)

    def signal(self, number: signal.Signals) -> None:
        """Send the server a signal."""
        os.kill(self.server.pid, number)

    def webhook(self, code: str = "EVENTS") -> tuple[str, int]:
        """Deliver one event; return its id and the status."""
        run = self.machine.run()
        with httpx.Client(base_url=run["web_url"], timeout=15) as client:
            return webhook(client, run["webhook_secret"].split()[0], code)

    def stories(self) -> str:
        """Return the recorded events."""
        with connect(self.server.url) as redis:
            lines: list[str] = redis.lrange(redis_keys.code_events("EVENTS"), 0, -1)
            return "".join(lines)


@pytest.fixture(scope="module")
def stage(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    """Run everything once; each test undoes its fault."""
    directory = tmp_path_factory.mktemp("faults")
    server = DataServer(directory / "server")
    server.start()
    machine = Machine(directory / "data", SETTINGS | {"REDIS_URL": server.url})
    machine.start()
    yield Stage(machine, server)
    machine.stop()
    server.stop()


def fail_to_save(stage: Stage) -> None:
    """Make the server refuse writes (MISCONF), like one that can't write to its disk."""
    (stage.server.directory / "dump.rdb").mkdir()
    stage.config(save="3600 1")
    with connect(stage.server.url) as redis:
        redis.bgsave()
        wait_until(lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "err", what="a save that failed")


def save_again(stage: Stage) -> None:
    """Undo it."""
    (stage.server.directory / "dump.rdb").rmdir()
    with connect(stage.server.url) as redis:
        redis.bgsave()
        wait_until(lambda: redis.info("persistence")["rdb_last_bgsave_status"] == "ok", what="a save")
    stage.config(save="")


FAULTS: dict[str, tuple[Callable[[Stage], None], Callable[[Stage], None]]] = {
    "full memory": (lambda it: it.config(maxmemory=1), lambda it: it.config(maxmemory=0)),
    "a replica": (lambda it: it.replica_of("127.0.0.1", "1"), lambda it: it.replica_of("NO", "ONE")),
    "stands still": (lambda it: it.signal(signal.SIGSTOP), lambda it: it.signal(signal.SIGCONT)),
    "cannot write to its disk": (fail_to_save, save_again),
    "gone": (lambda it: it.server.kill(), lambda it: it.server.start()),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_nothing_is_acknowledged_that_is_not_stored(stage: Stage, fault: str) -> None:
    """Meanwhile the answer is 503; afterwards all that was accepted, before and after, is in the ledger."""
    breaks, mends = FAULTS[fault]
    machine = stage.machine
    door = machine.add_door(("16:00", "10:00"))
    accepted = [event_id for event_id, status in (stage.webhook() for _ in range(5)) if status == 202]
    assert len(accepted) == 5
    under_way = machine.publish(device_ids=[door], **fitting_stay())

    breaks(stage)
    refused: list[int] = []

    def is_refused() -> bool:
        event_id, status = stage.webhook()
        if status == 202:
            # It was accepted before the server noticed the fault: so it must be in the ledger afterwards.
            accepted.append(event_id)
        else:
            refused.append(status)
        return len(refused) >= 2

    try:
        wait_until(is_refused, within=60, what="refusals")
        with suppress(httpx.HTTPError):
            answer = httpx.get(f"{machine.run()['web_url']}/readyz", timeout=15)
            assert answer.status_code == 503
    finally:
        mends(stage)
    assert set(refused) == {503}

    def is_accepted() -> bool:
        event_id, status = stage.webhook()
        if status == 202:
            accepted.append(event_id)
        return status == 202

    wait_until(is_accepted, within=BACK_WITHIN, what="web accepts again")

    def are_recorded() -> bool:
        with suppress(RedisError, OSError):
            stories = stage.stories()
            return all(event_id in stories for event_id in accepted)
        return False

    wait_until(are_recorded, within=BACK_WITHIN, what="every accepted event is recorded")
    machine.wait_for(under_way, "ready")
    afterwards = machine.publish(device_ids=[door], **fitting_stay())
    machine.wait_for(afterwards, "ready")
    assert len(machine.codes(door)) == 2


def test_with_fsync_always_a_full_file_ends_the_server(tmp_path: Path) -> None:
    """With `appendfsync always` a server that can't write its file ends: it gives no answer, but never a false one."""
    if sys.platform != "linux":
        pytest.skip("limits of another process are Linux's")
    server = DataServer(tmp_path)
    server.start()
    with connect(server.url) as redis:
        redis.set("kept", "yes")
        size = max(path.stat().st_size for path in server.directory.rglob("*.aof"))
        resource.prlimit(server.pid, resource.RLIMIT_FSIZE, (size, resource.RLIM_INFINITY))
        with pytest.raises((RedisError, OSError)):
            redis.set("lost", "x" * 10_000)
    server.stop()
    server.start()
    with connect(server.url) as redis:
        assert (redis.get("kept"), redis.get("lost")) == ("yes", None)
    server.stop()
