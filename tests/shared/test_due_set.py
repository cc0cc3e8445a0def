"""The due-set: what waits comes back at its time, to one worker, and is never lost with one."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timedelta

import pytest
from redis import Redis

from shared import redis_keys
from shared.ledger.due_set import DueItem, DueSet, alert_item, door_item
from shared.redis_keys import DUE
from tests.shared.stories import NOW

LEASE = timedelta(minutes=1)
MOMENT = timedelta(milliseconds=1)
ITEM = door_item("BK-1", "d0000000-0000-0000-0000-000000000001")


@pytest.fixture
def due(redis_client: Redis) -> DueSet:
    """Return an empty due-set."""
    return DueSet(redis_client, lease=LEASE)


def claimed(due: DueSet, now: datetime, limit: int) -> list[DueItem]:
    """Return what is claimed, without how often."""
    return [item for item, _ in due.claim(now, limit)]


def test_an_item_is_due_from_its_time_on(due: DueSet) -> None:
    """Not a millisecond earlier."""
    due.set([(ITEM, NOW)])
    assert claimed(due, NOW - MOMENT, 10) == []
    assert claimed(due, NOW, 10) == [ITEM]


def test_what_is_claimed_comes_back_after_a_lease(due: DueSet) -> None:
    """A worker that dies loses its lease, not the item."""
    due.set([(ITEM, NOW)])
    assert claimed(due, NOW, 10) == [ITEM]
    assert claimed(due, NOW + LEASE - MOMENT, 10) == []
    assert claimed(due, NOW + LEASE, 10) == [ITEM]


def test_an_item_that_kills_its_workers_is_claimed_ever_more_rarely(due: DueSet) -> None:
    """Each claim in a row doubles the lease, up to a bound; work that was begun is counted. A time starts both anew."""
    due.set([(ITEM, NOW)])
    now = NOW
    for times in range(1, 10):
        assert due.claim(now, 10) == [(ITEM, times - 1)]
        due.begin(ITEM)
        lease = LEASE * 2 ** min(times - 1, 6)
        assert claimed(due, now + lease - MOMENT, 10) == []
        now += lease
    due.set([(ITEM, now)])
    assert due.claim(now, 10) == [(ITEM, 0)]
    due.begin(ITEM)
    now += LEASE
    assert due.claim(now, 10) == [(ITEM, 1)]
    due.put_back(ITEM, now)
    assert due.claim(now, 10) == [(ITEM, 0)]
    due.begin(ITEM)
    assert due.finish(ITEM, now, seen=due.time_of(ITEM))
    assert due.claim(now, 10) == [(ITEM, 0)]
    due.set([(ITEM, None)])


def test_work_that_is_late_is_no_work_that_kills(due: DueSet) -> None:
    """However often it is claimed: what was never begun ended no process."""
    due.set([(ITEM, NOW)])
    now = NOW
    for _ in range(10):
        assert due.claim(now, 10) == [(ITEM, 0)]
        now += LEASE * 64
    # Late tasks of several claims that come at last are begun no more often than they were claimed before.
    for _ in range(20):
        due.begin(ITEM)
    assert due.claim(now, 10) == [(ITEM, 10)]
    due.set([(ITEM, None)])


def test_work_that_was_not_claimed_leaves_no_count(due: DueSet, redis_client: Redis) -> None:
    """It was prompted by an event: nothing would ever take the count away."""
    due.set([(ITEM, NOW + LEASE)])
    due.begin(ITEM)
    assert redis_client.hgetall(redis_keys.CLAIMS) == {}
    due.set([(ITEM, None)])


def test_holding_never_postpones(due: DueSet) -> None:
    """An item that is due earlier stays so; one that isn't there, or is due later, is due a lease from now."""
    due.set([(ITEM, NOW)])
    due.hold([ITEM], NOW)
    assert claimed(due, NOW, 10) == [ITEM]

    later = door_item("BK-2", "d0000000-0000-0000-0000-000000000001")
    due.set([(later, NOW + 2 * LEASE)])
    due.hold([later, door_item("BK-3", "d0000000-0000-0000-0000-000000000001")], NOW)
    assert {item.ids[0] for item in claimed(due, NOW + LEASE, 10)} >= {"BK-2", "BK-3"}


def test_holding_nothing_is_nothing(due: DueSet) -> None:
    """No items, no call that the server would refuse."""
    due.hold([], NOW)
    assert due.count(NOW) == (0, 0)


def test_setting_moves_in_both_directions_and_out(due: DueSet) -> None:
    """The exact time wins over what stood there; None takes the item out."""
    due.set([(ITEM, NOW)])
    due.set([(ITEM, NOW + LEASE)])
    assert claimed(due, NOW, 10) == []
    due.set([(ITEM, NOW)])
    assert claimed(due, NOW, 10) == [ITEM]
    due.set([(ITEM, None)])
    assert due.count(NOW + 9 * LEASE) == (0, 0)


def test_the_most_overdue_come_first_and_no_more_than_asked(due: DueSet) -> None:
    """What is over the limit stays due."""
    items = [door_item(f"BK-{number}", "d0000000-0000-0000-0000-000000000001") for number in range(5)]
    due.set((item, NOW - number * MOMENT) for number, item in enumerate(items))
    assert claimed(due, NOW, 2) == [items[4], items[3]]
    assert due.count(NOW) == (3, 5)


def test_no_two_workers_get_the_same_item(due: DueSet, redis_client: Redis) -> None:
    """Eight workers that sweep at once share what is due."""
    items = [door_item(f"BK-{number}", "d0000000-0000-0000-0000-000000000001") for number in range(200)]
    due.set((item, NOW) for item in items)
    sweeps = [DueSet(redis_client, lease=LEASE) for _ in range(8)]

    def sweep(mine: DueSet) -> list[DueItem]:
        got: list[DueItem] = []
        while batch := claimed(mine, NOW, 7):
            got += batch
        return got

    with ThreadPoolExecutor(8) as workers:
        counts = Counter(item for got in workers.map(sweep, sweeps) for item in got)
    assert counts == Counter(items)


@pytest.mark.parametrize(
    "item", [door_item('BK "1",[2]', "d/ü"), alert_item("booking/BK-1/no_slot/d-1")], ids=["door", "alert"]
)
def test_items_come_out_as_they_went_in(due: DueSet, redis_client: Redis, item: DueItem) -> None:
    """Whatever their ids hold; the same item is one member."""
    due.set([(item, NOW)])
    due.set([(item, NOW)])
    assert redis_client.zcard(DUE) == 1
    assert claimed(due, NOW, 10) == [item]
