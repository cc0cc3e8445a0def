"""Failed tries are counted by client and minute, in bounded memory; only failures are ever refused."""

from collections.abc import Iterator

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from receiver.auth_failures import AuthFailureLimiter, client_of
from tests.receiver.web import OTHER_SECRET, Web, booking_of, event_of, running, settings_for
from tests.support.server import DataServer


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return its time."""
        return self.now


def test_a_client_has_so_many_a_minute() -> None:
    """Then it is over its limit until the minute ends; another client isn't."""
    clock = Clock()
    failures = AuthFailureLimiter(a_minute=3, clock=clock)
    assert [failures.count_for("a") for _ in range(5)] == [2, 1, 0, -1, -2]
    assert failures.count_for("b") == 2
    clock.now += 59.9
    assert failures.count_for("a") < 0
    clock.now += 0.2
    assert failures.count_for("a") == 2


def test_memory_is_bounded_whoever_comes() -> None:
    """Past ten thousand clients a minute the rest share one count."""
    failures = AuthFailureLimiter(a_minute=1, clock=Clock())
    for number in range(30_000):
        failures.count_for(f"client {number}")
    assert failures.size <= 10_001
    assert failures.count_for("one more") < 0


ADDRESSES = {
    "192.0.2.1": "192.0.2.1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:db8:1:2:ffff::1": "2001:db8:1:2::/64",
    "2001:db8:1:3::1": "2001:db8:1:3::/64",
}


@pytest.mark.parametrize(("host", "client"), ADDRESSES.items())
def test_who_is_counted(host: str, client: str) -> None:
    """An address; of IPv6 the network, because one customer has all of it."""
    assert client_of({"client": (host, 1)}) == client


@given(host=st.text(max_size=500))
def test_any_name_is_a_short_one(host: str) -> None:
    """What a proxy writes may be anything; what is kept of it is short."""
    assert len(client_of({"client": (host, 0)})) <= 64
    assert client_of({"client": None}) == "unknown"


@pytest.fixture
def strict(data_server: DataServer, redis_client: Redis) -> Iterator[Web]:
    """Run `web` with a limit of two."""
    del redis_client
    with running(settings_for(data_server.url, rejection_limit=2)) as it:
        yield it


def test_failures_are_refused_and_nothing_else(strict: Web, redis_client: Redis) -> None:
    """401, 401, then 429 with the time to wait; Seam and a good token from the same address are served meanwhile."""
    forged = [strict.webhook(event_of(), secret=OTHER_SECRET) for _ in range(4)]
    assert [answer.status_code for answer in forged] == [401, 401, 429, 429]
    assert forged[-1].json() == {"error": "too_many_rejections"}
    assert 1 <= int(forged[-1].headers["retry-after"]) <= 61
    assert strict.webhook(event_of()).json() == {"status": "accepted"}
    assert strict.booking(booking_of()).status_code == 202
    assert redis_client.xlen("seam-events") == 1


def test_tokens_and_signatures_share_the_count(strict: Web) -> None:
    """Whoever guesses here and there guesses no more often."""
    strict.webhook(event_of(), secret=OTHER_SECRET)
    tokens = [strict.booking(booking_of(), token="guess").status_code for _ in range(3)]
    assert tokens == [401, 429, 429]
