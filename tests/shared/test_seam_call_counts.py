"""Calls to Seam are counted by path, time and kind of failure, in bounds, and never in anybody's way."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from redis import Redis

from shared.ledger.seam_call_counts import SeamCallCounts
from shared.redis_client import connect
from shared.seam.errors import NoSuchAccessCode, RateLimited, Unreachable
from tests.shared.keys import wrong_keys
from tests.shared.stories import MovableClock
from tests.support.round_trips import round_trips

GET = "/access_codes/get"


def test_times_and_failures_are_counted(redis_client: Redis) -> None:
    """By path; the latest failure is told with its moment, and nothing of what was said."""
    clock = MovableClock()
    calls = SeamCallCounts(redis_client, clock)
    for seconds in (0.01, 0.02, 0.2, 30):
        calls.count(GET, None, seconds)
    calls.count(GET, RateLimited("739158", retry_after=None), 0.01)
    calls.count(GET, NoSuchAccessCode("gone", status=404, error_type="access_code_not_found"), 0.01)
    calls.count("/devices/get", Unreachable("739158"), 0.3)
    calls.write()
    devices_or_codes = calls.since(clock() - timedelta(hours=1))
    of_codes = next(each for each in devices_or_codes if each.path == GET)
    assert (of_codes.calls, dict(of_codes.failures)) == (6, {"RateLimited": 1})
    assert of_codes.answered_within(0.5) == 0.1
    assert of_codes.answered_within(0.8) == 0.25
    assert of_codes.answered_within(0.99) is None
    last = calls.last_failure()
    assert last is not None
    assert (last.path, last.kind) == ("/devices/get", "Unreachable")
    assert wrong_keys(redis_client) == []


def test_an_hour_is_told_from_a_day(redis_client: Redis) -> None:
    """What is older than a day is in neither."""
    clock = MovableClock()
    calls = SeamCallCounts(redis_client, clock)
    for hours in (25, 3, 2):
        calls.count(GET, None, 0.1)
        clock.move(timedelta(hours=hours))
    calls.count(GET, None, 0.1)
    calls.write()
    assert sum(each.calls for each in calls.since(clock() - timedelta(hours=1))) == 1
    assert sum(each.calls for each in calls.since(clock() - timedelta(days=9))) == 3


def test_an_hour_and_a_day_are_read_at_once(redis_client: Redis) -> None:
    """One round trip for both; each is what it is alone, and a moment to come has no calls but of this stretch."""
    clock = MovableClock()
    calls = SeamCallCounts(redis_client, clock)
    calls.count(GET, Unreachable("away"), 0.1)
    clock.move(timedelta(hours=5))
    calls.count(GET, None, 30)
    calls.write()
    moments = [clock() - timedelta(hours=hours) for hours in (24, 1, 0)]
    with round_trips() as trips:
        found = calls.since_each(*moments)
    assert (trips.count, found) == (1, tuple(map(calls.since, moments)))
    assert [sum(each.calls for each in of) for of in found] == [2, 1, 1]
    assert [dict(each.failures) for of in found for each in of] == [{"Unreachable": 1}, {}, {}]


def test_counts_are_written_once_a_second(redis_client: Redis) -> None:
    """By the first call after it, in one round trip with all others; a call that failed doesn't wait."""
    clock = MovableClock()
    calls = SeamCallCounts(redis_client, clock)
    calls.count(GET, None, 0.1)
    assert calls_of_an_hour(calls) == 1
    with round_trips() as trips, ThreadPoolExecutor(8) as pool:
        for _ in range(200):
            pool.submit(calls.count, GET, None, 0.1)
    assert trips.count == 0
    clock.move(timedelta(seconds=1))
    with round_trips() as trips:
        calls.count(GET, None, 0.1)
        calls.count(GET, None, 0.1)
    assert (trips.count, calls_of_an_hour(calls)) == (1, 202)
    with round_trips() as trips:
        calls.count(GET, Unreachable("away"), 0.1)
    assert (trips.count, calls_of_an_hour(calls)) == (1, 204)
    with round_trips() as trips:
        calls.write()
    assert trips.count == 0


def calls_of_an_hour(calls: SeamCallCounts) -> int:
    """Return how many calls of the last hour are written."""
    return sum(each.calls for each in calls.since(MovableClock()() - timedelta(hours=1)))


def test_a_data_server_that_is_away_fails_no_call() -> None:
    """The counts are left out."""
    calls = SeamCallCounts(connect("redis://127.0.0.1:1/0"), MovableClock())
    calls.count(GET, None, 0.1)
    calls.write()


@pytest.mark.parametrize("path", ["/" + "x" * 10_000])
def test_names_are_bounded(redis_client: Redis, path: str) -> None:
    """Whatever a caller asks for."""
    calls = SeamCallCounts(redis_client, MovableClock())
    calls.count(path, None, 0.1)
    calls.write()
    (row,) = calls.since(MovableClock()() - timedelta(hours=1))
    assert len(row.path) == 80
