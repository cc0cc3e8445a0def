"""When a failed try is repeated, and when people are told, as labelled tables."""

from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.booking.retries import (
    LONGEST_PAUSE,
    UNKNOWN_ATTEMPTS,
    Failure,
    GiveUp,
    Retry,
    decide,
    next_try,
    next_wait,
)
from tests.shared.stories import NOW


def seconds(number: float) -> timedelta:
    """Return a number of seconds."""
    return timedelta(seconds=number)


FAR, NEAR = timedelta(days=9), timedelta(hours=1)

TRIES = [
    #            attempt check-in in   jitter retry-after   pause  tell
    pytest.param(1, FAR, 1.0, None, 2, False, id="the first comes soon"),
    pytest.param(2, FAR, 1.0, None, 4, False, id="the second doubles"),
    pytest.param(3, FAR, 1.0, None, 8, False, id="so does the third"),
    pytest.param(4, FAR, 1.0, None, 16, True, id="the fourth is told"),
    pytest.param(9, FAR, 1.0, None, 512, True, id="the ninth"),
    pytest.param(10, FAR, 1.0, None, 600, True, id="ten minutes at most"),
    pytest.param(10_000, FAR, 1.0, None, 600, True, id="after thousands too"),
    pytest.param(4, FAR, 0.0, None, 8, True, id="jitter takes half at most"),
    pytest.param(4, FAR, 0.5, None, 12, True, id="or a quarter"),
    pytest.param(1, FAR, 0.0, None, 1, False, id="a second at least"),
    pytest.param(1, None, 1.0, None, 2, False, id="check-in not known"),
    pytest.param(1, NEAR, 1.0, None, 2, False, id="near check-in one slip is nothing"),
    pytest.param(2, NEAR, 1.0, None, 4, True, id="near check-in two are told"),
    pytest.param(2, timedelta(hours=2), 1.0, None, 4, True, id="two hours are near"),
    pytest.param(2, timedelta(hours=2, seconds=1), 1.0, None, 4, False, id="more are not"),
    pytest.param(10, seconds(90), 1.0, None, 90, True, id="never past check-in"),
    pytest.param(10, seconds(0), 1.0, None, 60, True, id="a minute at most once it has come"),
    pytest.param(10, seconds(-3_600), 1.0, None, 60, True, id="and long after"),
    pytest.param(1, FAR, 1.0, seconds(30), 30, False, id="Retry-After is honoured"),
    pytest.param(10, FAR, 1.0, seconds(30), 600, True, id="a short one shortens nothing"),
    pytest.param(1, seconds(10), 1.0, seconds(30), 30, False, id="Retry-After past check-in is honoured too"),
]


@pytest.mark.parametrize(("attempt", "left", "jitter", "retry_after", "pause", "tell"), TRIES)
def test_tries(
    attempt: int, left: timedelta | None, jitter: float, retry_after: timedelta | None, pause: float, *, tell: bool
) -> None:
    """Pauses grow, are shorter near check-in, and people are told if it lasts."""
    check_in = None if left is None else NOW + left
    retry = next_try(attempt=attempt, now=NOW, check_in=check_in, jitter=jitter, retry_after=retry_after)
    assert (retry.at - NOW, retry.tell) == (seconds(pause), tell)


@given(
    attempt=st.integers(1, 10**6),
    left=st.none() | st.timedeltas(timedelta(days=-400), timedelta(days=400)),
    jitter=st.floats(0, 1, exclude_max=True),
)
def test_a_try_is_always_soon_and_never_in_the_past(attempt: int, left: timedelta | None, jitter: float) -> None:
    """For any numbers: after now, within the longest pause."""
    check_in = None if left is None else NOW + left
    at = next_try(attempt=attempt, now=NOW, check_in=check_in, jitter=jitter).at
    assert NOW < at <= NOW + LONGEST_PAUSE


WAITS = [
    pytest.param(timedelta(days=10), timedelta(minutes=15), timedelta(minutes=15), id="far off: the longest pause"),
    pytest.param(timedelta(minutes=100), timedelta(minutes=15), timedelta(minutes=10), id="a tenth of what is left"),
    pytest.param(timedelta(minutes=5), timedelta(minutes=15), timedelta(minutes=1), id="a minute at least"),
    pytest.param(timedelta(), timedelta(minutes=15), timedelta(minutes=1), id="at check-in"),
    pytest.param(timedelta(days=-1), timedelta(minutes=15), timedelta(minutes=1), id="after check-in"),
    pytest.param(None, timedelta(minutes=15), timedelta(minutes=1), id="check-in not known"),
    pytest.param(timedelta(days=10), seconds(2), seconds(2), id="a test's short pause"),
    pytest.param(timedelta(), seconds(2), seconds(2), id="a test's short pause at check-in"),
]


@pytest.mark.parametrize(("left", "longest", "pause"), WAITS)
def test_waits(left: timedelta | None, longest: timedelta, pause: timedelta) -> None:
    """Shorter towards check-in, and never longer than the setting."""
    check_in: datetime | None = None if left is None else NOW + left
    assert next_wait(now=NOW, check_in=check_in, longest=longest) - NOW == pause


FAILURES = [
    #            failure              attempt retry-after  what follows
    pytest.param(Failure.PERMANENT, 1, None, GiveUp(), id="a refusal is never repeated"),
    pytest.param(Failure.TRANSIENT, 1, None, Retry(NOW + seconds(2), tell=False), id="transient"),
    pytest.param(Failure.TRANSIENT, 1, 30, Retry(NOW + seconds(30), tell=False), id="transient, told when"),
    pytest.param(Failure.RATE_LIMITED, 1, None, Retry(NOW + seconds(75), tell=False), id="limits count by the minute"),
    pytest.param(Failure.RATE_LIMITED, 1, 3, Retry(NOW + seconds(3), tell=False), id="a limit, told when"),
    pytest.param(Failure.OUR_KEY, 1, None, Retry(NOW + seconds(2), tell=True), id="our key is told at once"),
    pytest.param(Failure.UNKNOWN, 1, None, Retry(NOW + seconds(2), tell=False), id="a bug of ours may be a fluke"),
    pytest.param(Failure.UNKNOWN, UNKNOWN_ATTEMPTS, None, GiveUp(), id="or not"),
]


@pytest.mark.parametrize(("failure", "attempt", "retry_after", "follows"), FAILURES)
def test_what_follows_a_failure(
    failure: Failure, attempt: int, retry_after: int | None, follows: Retry | GiveUp
) -> None:
    """A decision that can be printed: try again at a time, or give up."""
    pause = None if retry_after is None else seconds(retry_after)
    decision = decide(failure, attempt=attempt, now=NOW, check_in=NOW + FAR, jitter=1.0, retry_after=pause)
    assert decision == follows


def test_every_kind_of_failure_has_a_decision() -> None:
    """On the first try and after many."""
    for failure in Failure:
        for attempt in (1, 100):
            decision = decide(failure, attempt=attempt, now=NOW, check_in=None, jitter=0.5)
            assert isinstance(decision, Retry | GiveUp)
