"""While the data server is away nothing is accepted; when it is back, everything goes on by itself."""

import asyncio
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import pytest
from structlog.testing import capture_logs

import shared.redis_client
from receiver.inbox import Inbox
from receiver.refusals import Unavailable
from shared.clock import system_clock
from shared.redis_client import connect, connect_async
from tests.receiver.process import is_being_written
from tests.receiver.web import Web, booking_of, event_of, running, settings_for
from tests.support.server import DataServer
from tests.support.waiting import wait_until


@pytest.fixture
def own_server(tmp_path: Path) -> Iterator[DataServer]:
    """Run a data server that this test may kill."""
    server = DataServer(tmp_path)
    server.start()
    yield server
    server.stop()


@pytest.fixture
def web(own_server: DataServer) -> Iterator[Web]:
    """Run the app on that server."""
    with running(settings_for(own_server.url)) as it:
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


def test_a_server_that_forgot_the_script_is_told_it_again(web: Web, own_server: DataServer) -> None:
    """Scripts are gone after a restart of the server, or a FLUSH of them."""
    with connect(own_server.url) as redis:
        for _ in range(2):
            redis.script_flush()
            assert web.webhook(event_of()).json() == {"status": "accepted"}


def test_a_connection_that_died_while_it_was_idle_is_opened_anew(web: Web, own_server: DataServer) -> None:
    """Nobody is refused for it."""
    with connect(own_server.url) as redis:
        for _ in range(3):
            assert web.webhook(event_of()).status_code == 202
            redis.client_kill_filter(_type="normal", skipme=True)


def test_an_append_whose_connection_dies_is_repeated(web: Web, own_server: DataServer) -> None:
    """The event is written, once, and accepted."""
    with connect(own_server.url) as redis, ThreadPoolExecutor() as pool:
        redis.client_pause(60_000, all=False)
        waiting = pool.submit(web.webhook, event_of())
        wait_until(lambda: is_being_written(redis), what="it is being written")
        redis.client_kill_filter(_type="normal", skipme=True)
        redis.client_unpause()
        assert waiting.result().status_code == 202
        assert redis.xlen("seam-events") == 1


def test_a_server_that_does_not_answer_is_given_up(own_server: DataServer, monkeypatch: pytest.MonkeyPatch) -> None:
    """503 long before Seam's patience ends; what was written all the same is a duplicate afterwards."""
    monkeypatch.setattr(shared.redis_client, "_ANSWER_WEB_WITHIN", 0.3)
    event = event_of()
    with running(settings_for(own_server.url)) as web, connect(own_server.url) as redis:
        assert web.webhook(event_of()).status_code == 202
        redis.client_pause(60_000, all=False)
        assert web.webhook(event).status_code == 503
        redis.client_unpause()
        assert web.webhook(event).status_code == 202
        assert redis.xlen("seam-events") == 2


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
