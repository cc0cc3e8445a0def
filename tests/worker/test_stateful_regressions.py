"""Errors that the stateful test found, each as the shortest example."""

from datetime import timedelta

import pytest

from tests.worker.stateful_end import settle
from tests.worker.stateful_model import HOURS, Stay
from tests.worker.stateful_stage import stage
from tests.worker.stateful_world import Stage, World

__all__ = ["stage"]
AGES = timedelta(days=4)
SOON, LATER = Stay(0, 1, HOURS[0]), Stay(9, 1, HOURS[0])


def test_a_closed_door_does_not_stay_due(stage: Stage) -> None:
    """The door was left out and closed; a later message of the booking gives it nothing to do."""
    world = World(stage)
    world.apply(world.publish("BK-1", SOON, ["d0000000-0000-0000-0000-000000000001"], revision=1))
    world.apply(world.publish("BK-1", SOON, ["d0000000-0000-0000-0000-000000000002"], revision=2))
    world.apply(world.publish("BK-1", SOON, ["d0000000-0000-0000-0000-000000000002"], revision=3))
    settle(world)


def test_an_ended_stay_does_not_stay_due(stage: Stage) -> None:
    """Its cancellation comes late."""
    world = World(stage)
    world.apply(world.publish("BK-1", SOON))
    world.move(AGES)
    world.sweep()
    world.apply(world.publish("BK-1", SOON, kind="cancelled"))
    settle(world)


def test_a_door_comes_back_although_each_worker_that_takes_it_is_killed(stage: Stage) -> None:
    """After a longer pause each time."""
    world = World(stage)
    world.apply(world.publish("BK-1", Stay(0, 3, HOURS[4])))
    for _ in range(3):
        world.move(AGES / 4)
        world.sweep(0, 1)
        world.check()
    settle(world)


@pytest.mark.parametrize("lists", [1, 2])
def test_an_emptied_ledger_and_a_list_that_is_late(stage: Stage, lists: int) -> None:
    """The code was just made, the ledger is lost, and Seam's list doesn't have the code yet."""
    world = World(stage)
    world.apply(world.publish("BK-1", SOON))
    world.empty()
    world.seam.arm("list", "stale", lists)
    world.apply(world.send(world.messages[0]), 1)
    settle(world)


def test_booked_again_while_a_list_is_late(stage: Stage) -> None:
    """The ledger knows the code of the cancelled booking: missing in Seam's list doesn't mean that it is gone."""
    world = World(stage)
    world.apply(world.publish("BK-1", SOON))
    world.apply(world.publish("BK-1", SOON, kind="cancelled"))
    world.seam.arm("list", "stale", 1)
    world.apply(world.publish("BK-1", SOON, revision=1, kind="updated"))
    settle(world)


def test_an_ended_stay_is_booked_for_later(stage: Stage) -> None:
    """A new revision after check-out is planned by its own times, not ended by the old ones."""
    world = World(stage)
    world.apply(world.publish("BK-1", SOON))
    world.move(AGES)
    world.sweep()
    world.apply(world.publish("BK-1", LATER, revision=1, kind="updated"))
    settle(world)


def test_a_stay_is_extended_after_its_check_out(stage: Stage) -> None:
    """The door was waiting then, and hadn't been looked at since."""
    world = World(stage)
    world.apply(world.publish("BK-1", Stay(0, 1, HOURS[4])))
    world.move(AGES)
    world.apply(world.publish("BK-1", LATER, revision=1, kind="updated"))
    settle(world)


@pytest.mark.parametrize("kill_at", range(3, 14))
def test_unpublished_notices_survive_a_kill_and_a_retry(stage: Stage, kill_at: int) -> None:
    """The worker is killed between record and publish; a person's retry doesn't take the door out of the due-set."""
    world = World(stage)
    world.apply(world.publish("BK-1", Stay(0, 1, HOURS[4])))
    world.move(AGES)
    world.sweep(0, kill_at)
    world.retry("BK-1", 1)
    settle(world)


@pytest.mark.parametrize("kill_at", range(12))
def test_a_cancellation_without_doors_is_told_though_its_task_is_killed(stage: Stage, kill_at: int) -> None:
    """It came before its booking: no door in the due-set could bring it back, only its entry."""
    world = World(stage)
    entry_id = world.publish("BK-1", SOON, kind="cancelled")
    world.apply(entry_id, 0, kill_at)
    settle(world)


@pytest.mark.parametrize("kill_at", range(12))
def test_a_cancellation_after_the_end_is_told_though_its_task_is_killed(stage: Stage, kill_at: int) -> None:
    """Its doors have nothing to do any more, but the booking still has something to tell."""
    world = World(stage)
    world.apply(world.publish("BK-1", SOON))
    world.move(AGES)
    world.sweep()
    world.apply(world.publish("BK-1", SOON, kind="cancelled"), 0, kill_at)
    settle(world)


@pytest.mark.parametrize("flags", [frozenset(), frozenset({"is_cancellable"})], ids=["stays", "deleted"])
@pytest.mark.parametrize("is_left_out", [False, True], ids=["cancelled", "left out"])
def test_a_worker_comes_back_from_its_create_after_the_door_was_closed(
    stage: Stage,
    flags: frozenset[str],
    is_left_out: bool,  # noqa: FBT001
) -> None:
    """Another worker found the code and closed the door; recording the code must not open it again."""
    world = World(stage)
    world.change_door("d0000000-0000-0000-0000-000000000001", flags=flags)
    world.apply(world.publish("BK-1", SOON), advances=False)
    kind, devices = ("updated", ["d0000000-0000-0000-0000-000000000002"]) if is_left_out else ("cancelled", [])

    def close() -> None:
        world.apply(world.publish("BK-1", SOON, devices, revision=1, kind=kind), 1)
        world.sweep(1)

    world.held(
        lambda: world.workers[0].handlers.advance_door("BK-1", "d0000000-0000-0000-0000-000000000001"),
        "create",
        close,
        after=True,
    )
    settle(world)


@pytest.mark.parametrize("operation", ["device", "list", "events"])
def test_a_worker_is_overtaken_while_it_looks(stage: Stage, operation: str) -> None:
    """Another worker makes the code between the first one's look and its intent: the fence holds."""
    world = World(stage)
    world.apply(world.publish("BK-1", SOON), advances=False)
    one, other = (worker.handlers.advance_door for worker in world.workers)
    world.held(
        lambda: one("BK-1", "d0000000-0000-0000-0000-000000000001"),
        operation,
        lambda: other("BK-1", "d0000000-0000-0000-0000-000000000001"),
        after=True,
    )
    assert len(world.seam.codes) == 1, world.seam.codes
    settle(world)
