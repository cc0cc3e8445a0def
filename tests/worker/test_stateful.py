"""Any events in any order, at any process: one code for each door, whatever fails, and none left in doubt.

Hypothesis moves two workers, a data server, a Seam with random failures, and time; a simple model has the expected
results.
"""
# ruff: noqa: D401, FBT001, PLR0917 - a rule says what happens, and Hypothesis draws its arguments by name

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from tests.support.hostile import examples
from tests.worker.stateful_end import settle
from tests.worker.stateful_faults import AFTER, BEFORE, LATE, STALE
from tests.worker.stateful_model import HOURS, Stay
from tests.worker.stateful_seam import OPERATIONS
from tests.worker.stateful_stage import stage
from tests.worker.stateful_things import SLOTS, TROUBLES
from tests.worker.stateful_workers import START
from tests.worker.stateful_world import DEVICES, Stage, World

__all__ = ["stage"]
# The second id starts with the first, and both may be on one door.
BOOKINGS: Final = ("BK-1", "BK-10", "BK-2")
FLAGS: Final = ("is_cancellable", "is_extendable", "is_early_checkin_able", "is_overridable")
PAUSES: Final = (1, 10, 20, 40, 60, 600, 3_600, 86_400, 2 * 86_400, 4 * 86_400)
_LAST: Final = START + timedelta(days=60)

bookings = st.sampled_from(BOOKINGS)
devices = st.sampled_from(DEVICES)
several_devices = st.lists(devices, min_size=1, max_size=2, unique=True)
stays = st.builds(Stay, st.sampled_from((-2, 0, 0, 1, 3, 9)), st.sampled_from((1, 3, 3, 40)), st.sampled_from(HOURS))
kinds = st.sampled_from(("created", "updated", "updated", "cancelled"))
labels = st.sampled_from((None, "Suite", "BK-1 | x"))
revisions = st.integers(0, 5)
who = st.integers(0, 1)
# Before which call a worker is killed; mostly it isn't.
kills = st.one_of(st.none(), st.none(), st.integers(0, 40))
picks = st.integers(0, 1_000)


class Anything(RuleBasedStateMachine):
    """The steps that may happen to bookings."""

    stage: Stage

    @initialize(booking_id=bookings, stay=stays, on=several_devices, kill_at=kills)
    def begin(self, booking_id: str, stay: Stay, on: list[str], kill_at: int | None) -> None:
        """There is a booking."""
        self.world = World(self.stage)
        self.world.apply(self.world.publish(booking_id, stay, on, revision=1), kill_at=kill_at)

    @rule(
        booking_id=bookings, stay=stays, on=several_devices, revision=revisions, kind=kinds, label=labels,
        waits=st.booleans(), by=who, kill_at=kills,
    )  # fmt: skip
    def publish(self, waits: bool, by: int, kill_at: int | None, stay: Stay, **message: Any) -> None:
        """A message comes, and is dispatched at once or later."""
        entry_id = self.world.publish(message.pop("booking_id"), self._ahead(stay), message.pop("on"), **message)
        if not waits:
            self.world.apply(entry_id, by, kill_at)

    @rule(pick=picks, by=who, kill_at=kills)
    @precondition(lambda self: self.world.entries)
    def hand_out(self, pick: int, by: int, kill_at: int | None) -> None:
        """A message is dispatched that waited, or that lost its task."""
        self.world.apply(sorted(self.world.entries)[pick % len(self.world.entries)], by, kill_at)

    @rule(pick=picks, by=who)
    def repeat(self, pick: int, by: int) -> None:
        """A message comes again."""
        messages = self.world.messages
        self.world.apply(self.world.send(messages[pick % len(messages)]), by)

    @rule(booking_id=bookings, device_id=devices, by=who, kill_at=kills)
    def advance(self, booking_id: str, device_id: str, by: int, kill_at: int | None) -> None:
        """A task is run again, at any time."""
        self.world.advance(booking_id, device_id, by, kill_at)

    @rule(by=who, kill_at=kills)
    def sweep(self, by: int, kill_at: int | None) -> None:
        """What is due is done."""
        self.world.sweep(by, kill_at)

    @rule(pause=st.sampled_from(PAUSES), by=who, kill_at=kills)
    def move(self, pause: int, by: int, kill_at: int | None) -> None:
        """Time passes, then what is due is done."""
        if self.world.clock() < _LAST:
            self.world.move(timedelta(seconds=pause))
            self.world.sweep(by, kill_at)

    @rule(
        device_id=devices,
        slots=st.lists(st.sampled_from(sorted(SLOTS)), unique=True),
        offline=st.sampled_from((True, True, False)),
    )
    def install(self, device_id: str, slots: list[str], offline: bool) -> None:
        """An installer changes a door."""
        self.world.change_door(device_id, slots=tuple(slots), offline=offline)

    @rule(device_id=devices, flags=st.frozensets(st.sampled_from(FLAGS)))
    def flag(self, device_id: str, flags: frozenset[str]) -> None:
        """The flags of a door's codes change."""
        self.world.change_door(device_id, flags=flags)

    @rule(device_id=devices, most=st.sampled_from((None, 1, 2)))
    def limit(self, device_id: str, most: int | None) -> None:
        """A lock holds fewer codes, or more."""
        self.world.change_door(device_id, most=most)

    @rule(size=st.sampled_from((1, 2, 500)))
    def page(self, size: int) -> None:
        """Seam's lists come in pages."""
        self.world.seam.page = size

    @rule(
        operation=st.sampled_from(("create", "create", "list", *OPERATIONS.values())),
        kind=st.sampled_from((*BEFORE, *AFTER)),
        times=st.integers(1, 3),
    )
    def fail(self, operation: str, kind: str, times: int) -> None:
        """Some calls to Seam will fail."""
        self.world.seam.arm(operation, kind, times)

    @rule()
    def be_late(self) -> None:
        """A create will be carried out after its worker stopped waiting."""
        self.world.seam.arm("create", LATE, 1)

    @rule(times=st.integers(1, 2))
    def be_stale(self, times: int) -> None:
        """Seam's lists will lack the newest codes for a while."""
        self.world.seam.arm("list", STALE, times)

    @rule(picked=st.lists(picks, max_size=4), by=who, kill_at=kills)
    def deliver(self, picked: list[int], by: int, kill_at: int | None) -> None:
        """Some events come: late, repeated, in any order."""
        events = self.world.seam.events
        if events:
            self.world.record([events[pick % len(events)] for pick in picked], by, kill_at)

    @rule(pick=picks, trouble=st.sampled_from(("deleted", "deleted", "", *TROUBLES)))
    def meddle(self, pick: int, trouble: str) -> None:
        """Somebody deletes a code at Seam; or a code gets a problem, or loses it."""
        codes = [code for code in self.world.seam.codes.values() if not code.deleted]
        if codes:
            code = codes[pick % len(codes)]
            if trouble == "deleted":
                self.world.delete(code)
            else:
                self.world.seam.let_say(code, TROUBLES[trouble] if trouble else {})

    @rule(booking_id=bookings, by=who, kill_at=kills)
    def retry(self, booking_id: str, by: int, kill_at: int | None) -> None:
        """A person tries again."""
        if booking_id in self.world.model.bookings:
            self.world.retry(booking_id, by, kill_at)
            self.world.sweep(by)

    @rule(order=st.randoms(use_true_random=False), newest_only=st.booleans(), by=who)
    def lose_all(self, order: Any, newest_only: bool, by: int) -> None:
        """The data server comes back empty; all messages come again, in any order."""
        messages = list(self.world.messages)
        if newest_only:
            messages = [max((m for m in messages if m.booking_id == each.booking_id), key=_rank) for each in messages]
            messages = list({message.booking_id: message for message in messages}.values())
        order.shuffle(messages)
        self.world.empty()
        for message in messages:
            self.world.apply(self.world.send(message), by)

    @rule(
        booking_id=bookings, stay=stays, device_id=devices, second=stays, revision=revisions,
        operation=st.sampled_from(("create", "create", "list", "events", "device", "get", "update", "delete")),
        after=st.booleans(), meanwhile=st.sampled_from(("advance", "update", "cancel", "sweep")),
        pause=st.sampled_from((0, 0, 10, 30)),
    )  # fmt: skip
    def two_at_once(
        self, booking_id: str, stay: Stay, device_id: str, second: Stay, revision: int, operation: str,
        after: bool, meanwhile: str, pause: int,
    ) -> None:  # fmt: skip
        """A worker stops in the middle of a call; another one handles the same door, or the booking changes."""
        world, stay, second = self.world, self._ahead(stay), self._ahead(second)
        world.apply(world.publish(booking_id, stay, [device_id], revision=revision), 1, advances=False)
        newer = max(revision, *(m.revision for m in world.messages if m.booking_id == booking_id)) + 1

        def other() -> None:
            match meanwhile:
                case "advance":
                    world.advance(booking_id, device_id, 1)
                case "update":
                    world.apply(world.publish(booking_id, second, [device_id], revision=newer, kind="updated"), 1)
                case "cancel":
                    world.apply(world.publish(booking_id, second, revision=newer, kind="cancelled"), 1)
                case _:
                    pass
            world.move(timedelta(seconds=pause))
            world.sweep(1)

        world.held(lambda: world.workers[0].handlers.advance_door(booking_id, device_id), operation, other, after=after)

    def _ahead(self, stay: Stay) -> Stay:
        """Return the stay, moved by the days that have passed."""
        return replace(stay, first=stay.first + (self.world.clock() - START).days)

    @invariant()
    def what_must_always_hold(self) -> None:
        """The invariants hold."""
        if hasattr(self, "world"):
            self.world.check()

    def teardown(self) -> None:
        """In the end everything is as expected."""
        if hasattr(self, "world"):
            settle(self.world)


def _rank(message: Any) -> tuple[int, bool, int]:
    return message.revision, message.kind == "cancelled", -message.number


def test_one_code_a_door_whatever_happens(stage: Stage) -> None:
    """A hundred examples, the same each time; `make fuzz` runs thousands."""
    Anything.stage = stage
    run_state_machine_as_test(
        Anything,
        settings=settings(
            # Shrinking a failure takes minutes: add Phase.shrink to understand one.
            phases=[Phase.generate],
            max_examples=examples(60), stateful_step_count=25, derandomize=True, deadline=None, database=None,
            suppress_health_check=list(HealthCheck),
        ),
    )  # fmt: skip
