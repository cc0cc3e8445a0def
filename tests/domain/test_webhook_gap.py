"""Whether webhooks arrive: one that is missing is chance; several mean a broken webhook, until they come again."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.code.webhook_gap import (
    QUIET_FOR,
    TELL_AFTER,
    WEBHOOKS_THAT_END_A_GAP,
    Gap,
    after_pass,
    last_webhook_at,
)
from tests.shared.stories import NOW

MINUTE = timedelta(minutes=1)


def test_a_single_missing_event_tells_nobody() -> None:
    """After a quiet hour it is forgotten."""
    gap = after_pass(Gap(), missed=[NOW], heard=5, now=NOW)
    assert (gap.is_open, gap.missed) == (False, 1)
    assert after_pass(gap, missed=[], heard=0, now=NOW + QUIET_FOR) == Gap()


def test_several_missing_events_open_a_gap_from_the_first_one() -> None:
    """Also over several comparisons."""
    gap = Gap()
    for number in range(TELL_AFTER):
        assert not gap.is_open
        gap = after_pass(gap, missed=[NOW + number * MINUTE], heard=1, now=NOW + number * MINUTE)
    assert (gap.is_open, gap.since, gap.missed) == (True, NOW, TELL_AFTER)


def test_a_gap_ends_when_webhooks_come_again() -> None:
    """Enough in a row, or any after an hour without a missing one; silence proves nothing."""
    gap = after_pass(Gap(), missed=[NOW] * TELL_AFTER, heard=0, now=NOW)
    assert after_pass(gap, missed=[], heard=WEBHOOKS_THAT_END_A_GAP, now=NOW + MINUTE) == Gap()
    assert after_pass(gap, missed=[], heard=1, now=NOW + MINUTE).is_open
    assert after_pass(gap, missed=[], heard=1, now=NOW + QUIET_FOR) == Gap()
    assert after_pass(gap, missed=[], heard=0, now=NOW + 10 * QUIET_FOR).is_open


def test_a_new_miss_starts_the_count_again() -> None:
    """One event by webhook proves nothing if the next doesn't come."""
    gap = after_pass(Gap(), missed=[NOW] * TELL_AFTER, heard=0, now=NOW)
    gap = after_pass(gap, missed=[], heard=WEBHOOKS_THAT_END_A_GAP - 1, now=NOW + MINUTE)
    gap = after_pass(gap, missed=[NOW + MINUTE], heard=0, now=NOW + 2 * MINUTE)
    assert after_pass(gap, missed=[], heard=1, now=NOW + 3 * MINUTE).is_open


@given(st.lists(st.tuples(st.integers(0, 4), st.integers(0, 12)), max_size=30))
def test_never_open_without_enough_misses(passes: list[tuple[int, int]]) -> None:
    """For any sequence of comparisons."""
    gap, in_all = Gap(), 0
    for number, (missed, heard) in enumerate(passes):
        now = NOW + number * MINUTE
        gap = after_pass(gap, missed=[now] * missed, heard=heard, now=now)
        in_all += missed
        assert not gap.is_open or in_all >= TELL_AFTER
        assert gap.missed <= in_all


def test_the_last_webhook_counts_unless_a_gap_is_open() -> None:
    """A gap that began before that webhook, or isn't open, doesn't matter."""
    assert last_webhook_at(None, Gap()) is None
    assert last_webhook_at(NOW, Gap()) == NOW
    for since, missed, is_heard in ((-1, TELL_AFTER, True), (1, TELL_AFTER, False), (1, TELL_AFTER - 1, True)):
        gap = Gap(since=NOW + timedelta(minutes=since), last_missed=NOW, missed=missed)
        assert (last_webhook_at(NOW, gap) is not None) == is_heard
