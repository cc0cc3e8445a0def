"""A page is made once for all who want the same at the same moment, and never survives a change."""

from collections.abc import Iterator
from dataclasses import replace
from threading import Barrier, Thread
from typing import Any

import pytest
from redis import Redis

from receiver.console.operations import Call, NotFound, Operation
from receiver.console.ports import open_ports
from receiver.console.view_cache import ViewCache
from receiver.console.views.alerts import AlertsQuery
from shared.clock import system_clock
from shared.console_tokens import ConsoleToken, Role
from shared.domain.booking.record import State
from tests.console.bookings import book, move
from tests.console.console import Console, settings_for
from tests.console.test_other_pages import park, tell
from tests.support.server import DataServer

ANN = ConsoleToken(name="ann", role=Role.OPERATOR, token="x" * 20)


class Stage:
    """A page that says how often it was made."""

    def __init__(self, url: str) -> None:
        self.made = 0
        self.now = 1_000.0
        self.ports = open_ports(settings_for(url), system_clock)
        self.cache = ViewCache(self.ports, clock=lambda: self.now)
        self.operation = Operation(
            name="it", method="GET", path="/it", role=Role.VIEWER, summary="", handle=lambda _: None, answer=int
        )

    def make(self) -> str:
        """Make the page."""
        self.made += 1
        return str(self.made)

    def read(self, **fields: Any) -> int:
        """Read the page."""
        return int(self.cache.read(self.operation, replace(self.call, **fields), self.make))

    @property
    def call(self) -> Call:
        """A request of Ann."""
        return Call(ports=self.ports, token=ANN, now=system_clock(), query=AlertsQuery())


@pytest.fixture
def stage(data_server: DataServer, redis_client: Redis) -> Iterator[Stage]:
    """Lend one on an empty data server."""
    del redis_client
    it = Stage(data_server.url)
    yield it
    it.ports.close()


def test_a_page_is_used_again_for_a_second(stage: Stage) -> None:
    """Then it is read anew, whatever the ledger says."""
    assert [stage.read(), stage.read()] == [1, 1]
    stage.now += 1.1
    assert stage.read() == 2


def test_each_question_and_each_person_has_its_own(stage: Stage) -> None:
    """Another filter, another address, another token or role: nobody gets what somebody else asked for."""
    stage.read()
    assert stage.read(query=AlertsQuery(state="all")) == 2
    assert stage.read(path={"booking_id": "BK-1"}) == 3
    assert stage.read(token=replace(ANN, name="bob")) == 4
    assert stage.read(token=replace(ANN, role=Role.VIEWER)) == 5
    assert stage.read() == 1


def test_a_change_ends_it(stage: Stage, redis_client: Redis) -> None:
    """Of a booking, an alert, a parked message; and whatever somebody does here."""
    book(redis_client, "BK-1", state=State.SCHEDULED)
    assert stage.read() == 1
    move(redis_client, "BK-1", State.READY)
    assert stage.read() == 2
    tell(redis_client, "a/open")
    assert stage.read() == 3
    park(redis_client, "{}")
    assert stage.read() == 4
    stage.cache.forget()
    assert [stage.read(), stage.read()] == [5, 5]


def test_an_error_is_nobody_elses(stage: Stage) -> None:
    """It isn't kept."""

    def fail() -> str:
        raise NotFound("gone")

    for _ in range(2):
        with pytest.raises(NotFound):
            stage.cache.read(stage.operation, stage.call, fail)
    assert stage.read() == 1


def test_all_at_once_is_one_making(stage: Stage) -> None:
    """Twenty tabs hear of a change in the same moment."""
    together, found = Barrier(20), []

    def look() -> None:
        together.wait(10)
        found.append(stage.read())

    threads = [Thread(target=look) for _ in range(20)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert (found, stage.made) == ([1] * 20, 1)
    stage.ports.redis.connection_pool.disconnect()


def test_memory_is_bounded(stage: Stage) -> None:
    """However many addresses somebody opens."""
    for number in range(1_000):
        stage.read(path={"booking_id": str(number)})
    assert len(stage.cache._slots) <= 64


def test_what_somebody_does_shows_at_once(console: Console) -> None:
    """A silence is in no index: the page that follows it has it all the same."""
    browser = console.browser("operator")
    assert "night works" not in browser.get("/alerts").text
    page = browser.follow(browser.post("/silences", length="30m", why="night works", key="x"))
    assert "night works" in page.text
