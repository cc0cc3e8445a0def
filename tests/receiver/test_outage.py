"""While the data server is away nothing is accepted; when it is back, everything goes on by itself."""

import asyncio
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from receiver.inbox import Inbox, Unavailable
from shared.clock import system_clock
from shared.redis_client import connect, connect_async
from shared.settings import Settings
from tests.receiver.web import Web, booking_of, event_of, settings_for
from tests.support.server import DataServer


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[DataServer]:
    """Run a data server that this test may kill."""
    server = DataServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def web(way: Callable[[Settings], AbstractContextManager[Web]], own_server: DataServer) -> Iterator[Web]:
    """Run `web` on that server."""
    with way(settings_for(own_server.url)) as it:
        yield it


def test_nothing_is_accepted_without_the_data_server(web: Web, own_server: DataServer) -> None:
    """503 with `Retry-After` for all that would have been stored; after the restart the repeat is accepted."""
    before, during = event_of(), event_of()
    assert web.webhook(before).json() == {"status": "accepted"}
    own_server.kill()

    booking = booking_of()
    refused = [web.webhook(during), web.webhook(b"no event"), web.booking(booking)]
    assert [answer.status_code for answer in refused] == [503, 503, 503]
    assert all(int(answer.headers["retry-after"]) > 0 for answer in refused)
    assert web.webhook(event_of("lock.locked")).json() == {"status": "ignored"}

    own_server.start()
    assert web.webhook(during).json() == {"status": "accepted"}
    assert web.webhook(before).json() == {"status": "duplicate"}
    assert web.booking(booking).json()["status"] == "accepted"
    with connect(own_server.url) as redis:
        assert (redis.xlen("seam-events"), redis.xlen("booking-created")) == (2, 1)


def test_health_and_readiness(web: Web, own_server: DataServer) -> None:
    """`healthz` says that the process lives; `readyz` names what keeps it from working."""
    assert web.send("GET", "/healthz").json() == {"status": "alive"}
    assert (web.send("GET", "/readyz").status_code, web.send("GET", "/readyz").json()) == (200, {"status": "ready"})
    own_server.kill()

    assert web.send("GET", "/healthz").status_code == 200
    answer = web.send("GET", "/readyz")
    assert (answer.status_code, answer.json()["failing"]) == (503, ["redis"])

    own_server.start()
    assert web.send("GET", "/readyz").status_code == 200


def test_a_server_that_takes_no_writes_is_not_ready(web: Web, own_server: DataServer) -> None:
    """Reading alone is not enough: a full server answers, and keeps nothing."""
    with connect(own_server.url) as redis:
        redis.config_set("maxmemory", "1")
        assert web.webhook(event_of()).status_code == 503
        assert web.send("GET", "/readyz").status_code == 503
        redis.config_set("maxmemory", "0")
    assert web.webhook(event_of()).status_code == 202


def test_an_outage_is_told_once_a_second(own_server: DataServer) -> None:
    """However many come: a line for each would fill a disk in minutes. None of them is left out of the count."""

    async def refuse(count: int) -> int:
        async with connect_async(own_server.url) as redis:
            inbox = Inbox(redis, stream="s", field="f", clock=system_clock)
            writer = asyncio.create_task(inbox.run())
            refused = 0
            for number in range(count):
                try:
                    await inbox.append(str(number), "m")
                except Unavailable:
                    refused += 1
            writer.cancel()
            return refused

    own_server.kill()
    began = time.monotonic()
    with capture_logs() as lines:
        assert asyncio.run(refuse(200)) == 200
    failed = [line for line in lines if line["event"] == "append.failed"]
    assert 1 <= len(failed) <= time.monotonic() - began + 1
    assert failed[0]["waiting"] == 1
    own_server.start()
