"""A ledger that lost its last writes: nothing is made twice, codes are taken over, and people are told."""

from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from shared import redis_keys
from shared.domain.alerting.rolled_back import KEY
from shared.domain.booking.next_step import Step
from tests.sandbox.harness import Sandbox, in_days
from tests.worker.machine import Machine

JOB = "after_rollback"


class Snapshot:
    """A replica's content: everything in the server at one moment."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        # Dumped values aren't text.
        self._bytes = Redis.from_url(_url_of(redis))
        self._kept: dict[bytes, tuple[Any, int]] = {
            key: (self._bytes.dump(key), max(self._bytes.pttl(key), 0)) for key in self._bytes.scan_iter()
        }

    def comes_back(self) -> None:
        """Restore the server's content of that moment."""
        self._bytes.flushall()
        for key, (content, life) in self._kept.items():
            self._bytes.restore(key, life, content)
        self._bytes.close()


def _url_of(redis: Redis) -> str:
    options: Any = redis.connection_pool.connection_kwargs
    return f"redis://:{options['password']}@{options['host']}:{options['port']}/0"


def over(redis: Redis) -> None:
    """End the pause, so that the test needn't wait."""
    redis.hset(redis_keys.PRIMARY, "settled_at", 0)


def prepared(machine: Machine) -> None:
    """Let the worker see the ledger: only a process that saw newer data notices that it is older."""
    machine.until(machine.book(machine.sandbox.door()), "ready")
    machine.handlers.primary.note()


def seen_later(redis: Redis) -> None:
    """Write a newer note, as in the seconds before a primary dies."""
    redis.hset(redis_keys.PRIMARY, "noted_at", 0)


def test_a_code_with_a_lost_intent_is_taken_over(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """Its booking is known; the code was about to be made when replication stopped."""
    prepared(machine)
    device_id = sandbox.door()
    applied = machine.handlers.apply_booking(machine.publish(machine.new_id(), [device_id]))
    assert applied is not None
    before = Snapshot(redis_client)
    seen_later(redis_client)
    machine.handlers.advance_door(applied.booking_id, device_id)
    machine.handlers.primary.note()
    assert machine.creates(device_id) == 1
    before.comes_back()

    machine.handlers.advance_door(applied.booking_id, device_id)
    assert machine.creates(device_id) == 1
    over(redis_client)
    machine.handlers.periodic_jobs(JOB)
    booking = machine.until(applied, "ready")
    assert booking.doors[0].code is not None
    assert (len(machine.made(device_id)), machine.creates(device_id)) == (1, 1)


def test_creates_wait_until_a_lost_call_must_have_ended(
    machine: Machine, sandbox: Sandbox, redis_client: Redis
) -> None:
    """Whichever process noticed the failover: a new booking waits, too, and its code is then made once."""
    prepared(machine)
    redis_client.hset(redis_keys.PRIMARY, "count", 0)
    device_id = sandbox.door()
    booking = machine.book(device_id)
    assert (booking.state, booking.reason, machine.creates(device_id)) == ("scheduled", "ledger_lost", 0)
    over(redis_client)
    machine.until(booking, "ready")
    assert machine.creates(device_id) == 1


def test_a_primary_that_changes_between_look_and_call_stops_the_call(
    machine: Machine, sandbox: Sandbox, redis_client: Redis
) -> None:
    """The look was based on the old primary's data. The intent is removed, and the door waits."""
    prepared(machine)
    device_id = sandbox.door()
    plan: Any = machine.handlers.advance_door._steps[Step.PLAN]
    epoch = plan.__self__._make._epoch
    settled = epoch.settled_at

    def settled_then_rolled_back() -> Any:
        epoch.settled_at = settled
        answer = settled()
        redis_client.hset(redis_keys.PRIMARY, "count", 0)
        return answer

    epoch.settled_at = settled_then_rolled_back
    booking = machine.book(device_id)
    assert (booking.state, machine.creates(device_id)) == ("scheduled", 0)
    over(redis_client)
    machine.until(booking, "ready")
    assert machine.creates(device_id) == 1


def test_people_are_told_which_bookings_may_be_missing(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """At once with the span of time; after the look also which codes belong to no booking; a day later it ends."""
    prepared(machine)
    before = Snapshot(redis_client)
    seen_later(redis_client)
    lost = machine.until(machine.book(sandbox.door(), label="Miss Marple"), "ready")
    machine.handlers.primary.note()
    before.comes_back()

    machine.handlers.periodic_jobs(JOB)
    alert = machine.alerts.get(KEY)
    assert alert is not None
    assert alert.is_open
    assert "are missing" in alert.notice.happened
    assert "UTC" in alert.notice.happened
    over(redis_client)
    machine.handlers.periodic_jobs(JOB)
    alert = machine.alerts.get(KEY)
    assert alert is not None
    code = lost.doors[0].code
    assert code is not None
    assert code.access_code_id in alert.notice.happened
    assert lost.doors[0].device_id in alert.notice.happened
    assert "Marple" not in str(alert)
    sequence = alert.sequence
    machine.handlers.periodic_jobs(JOB)
    told = machine.alerts.get(KEY)
    assert told is not None
    assert told.sequence == sequence

    again = machine.until(machine.book(lost.doors[0].device_id, booking_id=lost.booking_id), "ready")
    assert again.doors[0].code is not None
    assert again.doors[0].code.access_code_id == code.access_code_id
    machine.clock.move(timedelta(days=1, minutes=1))
    machine.handlers.periodic_jobs(JOB)
    over_ = machine.alerts.get(KEY)
    assert over_ is not None
    assert not over_.is_open


def test_the_look_waits_for_seam(machine: Machine, sandbox: Sandbox, redis_client: Redis) -> None:
    """It isn't marked as done before it was done."""
    prepared(machine)
    redis_client.hset(redis_keys.PRIMARY, "count", 0)
    machine.handlers.primary.note()
    over(redis_client)
    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    machine.handlers.periodic_jobs(JOB)
    assert redis_client.hget(redis_keys.PRIMARY, "done") == "0"
    sandbox.arrange("POST", "/sandbox/outage", {"on": False})
    machine.handlers.periodic_jobs(JOB)
    assert redis_client.hget(redis_keys.PRIMARY, "done") == "1"


@pytest.mark.parametrize("days", [2, 6])
def test_a_stay_that_was_changed_in_the_lost_time(
    machine: Machine, sandbox: Sandbox, redis_client: Redis, days: int
) -> None:
    """The change comes again, and the existing code is taken over: each of the two stays has one code."""
    prepared(machine)
    device_id = sandbox.door()
    first = machine.until(machine.book(device_id), "ready")
    before = Snapshot(redis_client)
    seen_later(redis_client)
    later = {"check_out": in_days(5 + days, "10:15:00")}
    machine.until(machine.update(first, 1, **later), "ready")
    machine.handlers.primary.note()
    asked = machine.creates(device_id)
    before.comes_back()
    machine.handlers.primary.note()
    over(redis_client)
    machine.until(machine.update(first, 1, **later), "ready")
    assert machine.creates(device_id) == asked
