"""A queue of outcomes for one receiver: order, repeats, pauses, and giving up after three days."""

from datetime import timedelta

from hypothesis import given
from hypothesis import strategies as st

from shared.domain.booking.outcome_queue import (
    OutcomeQueue,
    QueuedOutcome,
    add_outcome,
    discard_given_up,
    lease_first,
    record_delivery,
    record_failed_try,
    resend_all,
)
from tests.shared.stories import NOW

THREE_DAYS = timedelta(days=3)


def outcome(sequence: int) -> QueuedOutcome:
    """Return an outcome with this sequence."""
    return QueuedOutcome(sequence=sequence, event=f'{{"id": "BK-1/{sequence}"}}', queued_at=NOW)


def of(*sequences: int) -> OutcomeQueue:
    """Return a queue with these outcomes."""
    queue = OutcomeQueue()
    for sequence in sequences:
        queue = add_outcome(queue, outcome(sequence))
    return queue


def places(queue: OutcomeQueue) -> tuple[list[int], list[int]]:
    """Return the sequences of pending and given-up outcomes."""
    return [each.sequence for each in queue.pending], [each.sequence for each in queue.not_taken]


def test_repeats_change_nothing() -> None:
    """An interrupted publish is repeated; also for outcomes that were taken long ago."""
    queue = of(1, 2)
    assert add_outcome(queue, outcome(1)) is queue
    empty = record_delivery(record_delivery(queue, 1, NOW), 2, NOW)
    assert add_outcome(empty, outcome(2)) is empty
    assert places(empty) == ([], [])
    assert empty.next_at is None


def test_only_the_first_can_be_taken() -> None:
    """A slow worker may report another one as taken: that changes nothing."""
    queue = of(1, 2)
    assert record_delivery(queue, 2, NOW) is queue
    assert places(record_delivery(queue, 1, NOW)) == ([2], [])
    assert record_delivery(queue, 1, NOW).next_at == NOW


def test_an_outcome_that_comes_while_another_is_tried_waits() -> None:
    """It doesn't make the first one due earlier either."""
    waiting = record_failed_try(of(1), 1, error="HTTP 503", now=NOW, jitter=0)
    assert add_outcome(waiting, outcome(2)).next_at == waiting.next_at
    assert add_outcome(lease_first(of(1), NOW + THREE_DAYS), outcome(2)).next_at == NOW + THREE_DAYS


def test_pauses_grow_until_it_is_given_up() -> None:
    """Seconds, minutes, then every two hours; after three days it is put aside, and the next one is tried."""
    queue, now, pauses = of(1, 2), NOW, list[timedelta]()
    while 1 in places(queue)[0]:
        queue = record_failed_try(queue, 1, error="HTTP 503", now=now, jitter=0)
        assert queue.next_at is not None
        pauses.append(queue.next_at - now)
        now = queue.next_at
    assert pauses[:4] == [timedelta(seconds=each) for each in (5, 15, 60, 300)]
    assert sorted(pauses[:-1]) == pauses[:-1]
    assert max(pauses) == timedelta(hours=2)
    assert THREE_DAYS <= now - NOW <= THREE_DAYS + timedelta(hours=2)
    assert places(queue) == ([2], [1])
    assert (queue.attempts, queue.error) == (0, "HTTP 503")
    # The next one is as old, but is tried once before it is given up.
    assert places(record_delivery(queue, 2, now)) == ([], [1])
    assert places(record_failed_try(queue, 2, error="", now=now, jitter=0)) == ([], [1, 2])


def test_the_receiver_can_lengthen_the_pause() -> None:
    """But never shorten it."""
    hour = timedelta(hours=1)
    assert record_failed_try(of(1), 1, error="", now=NOW, jitter=0, retry_after=hour).next_at == NOW + hour
    longer = record_failed_try(of(1), 1, error="", now=NOW, jitter=1, retry_after=timedelta())
    assert longer.next_at == NOW + timedelta(seconds=6)


def test_given_up_outcomes_are_sent_again_in_order() -> None:
    """For another three days; or they are discarded."""
    late = NOW + THREE_DAYS
    queue = record_failed_try(of(1, 2, 3), 1, error="", now=late, jitter=0)
    assert places(queue) == ([2, 3], [1])
    again = resend_all(queue, late)
    assert places(again) == ([1, 2, 3], [])
    assert (again.next_at, again.pending[0].queued_at, again.pending[1].queued_at) == (late, late, NOW)
    assert places(record_failed_try(again, 1, error="", now=late, jitter=0)) == ([1, 2, 3], [])
    assert places(discard_given_up(queue)) == ([2, 3], [])
    assert resend_all(OutcomeQueue(), NOW) == OutcomeQueue()


@given(st.lists(st.sampled_from(["queue", "take", "refuse", "late", "resend"]), max_size=40))
def test_nothing_is_lost_and_the_order_is_kept(steps: list[str]) -> None:
    """After any steps each outcome is pending, given up or taken; pending ones are in order."""
    queue, now, sequence, gone = OutcomeQueue(), NOW, 0, set[int]()
    for step in steps:
        first = queue.pending[0].sequence if queue.pending else 0
        match step:
            case "queue":
                sequence += 1
                queue = add_outcome(queue, outcome(sequence))
            case "take":
                queue = record_delivery(queue, first, now)
                gone |= {first} - {0}
            case "refuse" | "late":
                now += THREE_DAYS if step == "late" else timedelta()
                queue = record_failed_try(queue, first, error="", now=now, jitter=0.5)
            case _:
                queue = resend_all(queue, now)
        pending, given_up = places(queue)
        assert sorted([*pending, *given_up, *gone]) == list(range(1, sequence + 1))
        assert pending == sorted(pending)
        assert (queue.next_at is None) == (not pending)
