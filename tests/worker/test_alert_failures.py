"""Channels that fail and workers that are killed, with a real data server: everything is told, once."""

from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from shared.domain.alerting.routing import Route, Routing
from tests.shared.ledgers import LEASE
from tests.worker.alert_stage import WINDOW, Channel, Killed, Stage
from tests.worker.machine import at_once
from worker.alerts.channel import NotDelivered


def test_a_kill_after_the_send_repeats_the_same_message(stage: Stage, channel: Channel) -> None:
    """At least once, under the same id, and not before the lease is over; new alerts don't change it."""

    def kill() -> None:
        raise Killed

    channel.after = kill
    stage.tell("BK-1", "BK-2")
    stage.now += WINDOW
    with pytest.raises(Killed):
        stage.let(timedelta())
    channel.after = lambda: None
    stage.tell("BK-3")
    stage.let(LEASE * 3)
    first, repeat, newcomer = channel.got
    assert first.delivery_id == repeat.delivery_id
    assert (len(repeat.items), [item.booking_id for item in newcomer.items]) == (2, ["BK-3"])


def test_kills_anywhere_lose_nothing(redis_client: Redis) -> None:
    """Whichever write a worker dies at: in the end every problem and every end was told."""
    for dies_at in range(1, 26):
        redis_client.flushall()
        channel = Channel("a")
        stage = Stage(_Dying(redis_client, dies_at), [channel])  # type: ignore[arg-type]
        for raised in (True, False):
            for booking in ("BK-1", "BK-2"):
                try:
                    stage.tell(booking, raised=raised)
                except Killed:
                    # The sender repeats it: the booking's outbox still has it.
                    stage.tell(booking, raised=raised)
            for _ in range(60):
                try:
                    stage.let(timedelta(seconds=5))
                except Killed:
                    continue
        told = {(item.booking_id, item.status) for message in channel.got for item in message.items}
        assert told == {(booking, status) for booking in ("BK-1", "BK-2") for status in ("open", "resolved")}, dies_at


class _Dying:
    """A connection with a worker that is killed once, at its n-th write."""

    def __init__(self, redis: Redis, dies_at: int) -> None:
        self._redis = redis
        self._left = dies_at

    def __getattr__(self, name: str) -> Any:
        if name in ("zadd", "zrem", "pipeline", "evalsha", "set"):
            self._left -= 1
            if self._left == 0:
                raise Killed
        return getattr(self._redis, name)


def test_two_workers_at_once_send_once(redis_client: Redis) -> None:
    """The worker that stores the notification first sends it."""
    channel = Channel("a")
    workers = [Stage(redis_client, [channel]) for _ in range(4)]
    workers[0].tell("BK-1", "BK-2")
    for worker in workers:
        worker.now += WINDOW
    at_once(*(lambda worker=worker: worker.deliver("no_slot/ops") for worker in workers))
    assert channel.told() == [("open", 2)]


def test_the_fallback_channel_is_told_if_a_channel_fails(redis_client: Redis) -> None:
    """After four tries. When the first channel works again, it is told, too; both are told of the end."""
    first, second = Channel("a"), Channel("b")
    routing = Routing(channels=("a", "b"), routes=(Route(channels=("a",)),), fallback="b")
    stage = Stage(redis_client, [first, second], routing=routing, group_window=timedelta())

    def fail() -> None:
        raise NotDelivered("HTTP 500")

    first.trouble = fail
    stage.tell("BK-1")
    stage.let(timedelta(minutes=2), step=timedelta(seconds=1))
    assert (first.told(), second.told()) == ([], [("open", 1)])
    first.trouble = lambda: None
    stage.let(timedelta(minutes=15))
    assert first.told() == [("open", 1)]
    stage.tell("BK-1", raised=False)
    stage.let(timedelta(minutes=1))
    assert (first.told()[-1], second.told()[-1]) == (("resolved", 1), ("resolved", 1))


@pytest.mark.parametrize(("left", "told"), [(timedelta(minutes=90), 1), (timedelta(hours=20), 0)])
def test_a_page_does_not_wait_out_the_pause_that_a_channel_names(
    redis_client: Redis, left: timedelta, told: int
) -> None:
    """The fallback channel is told at once; less urgent alerts wait for the channel itself."""
    first, second = Channel("a"), Channel("b")
    routing = Routing(channels=("a", "b"), routes=(Route(channels=("a",)),), fallback="b")
    stage = Stage(redis_client, [first, second], routing=routing, group_window=timedelta())

    def put_off() -> None:
        raise NotDelivered("HTTP 429", retry_after=timedelta(hours=1))

    first.trouble = put_off
    stage.tell("BK-1", check_in=stage.now + left)
    stage.let(timedelta(seconds=30), step=timedelta(seconds=1))
    assert second.told() == [("open", 1)] * told


def test_a_channel_with_a_bug_does_not_stop_the_others(redis_client: Redis) -> None:
    """Whatever it raises: it is tried again, like one that fails."""
    broken, good = Channel("a"), Channel("b")
    stage = Stage(redis_client, [broken, good], group_window=timedelta())

    def crash() -> None:
        raise ZeroDivisionError

    broken.trouble = crash
    stage.tell("BK-1")
    stage.let(timedelta())
    assert good.told() == [("open", 1)]
    (notification,) = stage.ledger.groups.load("no_slot/ops")[0].parcels.values()
    assert (notification.attempts, notification.error) == (1, "ZeroDivisionError")
