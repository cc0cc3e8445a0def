"""A person orders a test code for a door, by the command line or in the console (`shared.code_trial`)."""

from collections.abc import Callable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

import structlog

from shared.booking_stream import BookingStream
from shared.clock import Clock
from shared.code_trial import Trial, known, message_of, planned
from shared.domain.booking.record import HistoryEntry, State
from shared.domain.door.door import Door
from shared.domain.matching.manual_choice import called
from shared.domain.matching.match import MatchPolicy
from shared.domain.matching.next_stay import NoNextStay, next_stay
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_tests import DoorTest, DoorTests
from shared.ops_commands import SlotOrder
from shared.seam.access_codes import AccessCodes
from shared.seam.errors import Refused
from worker.handlers.retry_booking import try_again

UNDER_WAY: Final = (State.RECEIVED, State.SCHEDULED, State.CREATING, State.ISSUED, State.READY)
_STUCK: Final = (State.WAITING, State.FAILED)

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class Requested:
    """What was done: `stands_as` is the state of a booking that was there already, and nothing new is made.

    Else the result is what the booking has in this `revision`, or after the record's version `after_version`.
    """

    stands_as: State | None = None
    revision: int = 0
    after_version: int = 0


def request_test_code(
    trial: Trial, *, by: str, reason: str = "", ledger: BookingLedger, stream: BookingStream, clock: Clock
) -> Requested:
    """Have the code made, unless it is on its way or there; one that failed is tried again. Raises NotOnReplicas.

    Not idempotent in one thing: killed before the booking is applied, and ordered again, the story says twice who
    asked. The booking and its code are one.
    """
    before = known(ledger, trial.booking_id)
    if before is not None and before.state in UNDER_WAY:
        return Requested(stands_as=before.state)
    why = f": {reason}" if reason else "."
    text = f"{by} asked for a test code of the slot {called(trial.stay.slot.name)}{why}"
    ledger.note(trial.booking_id, HistoryEntry(at=clock(), what="test.requested", text=text))
    if before is not None and before.state in _STUCK:
        try_again(ledger, before, now=clock())
        return Requested(after_version=before.version + 1)
    revision = before.revision + 1 if before is not None else 0
    stream.append(*message_of(trial, revision))
    return Requested(revision=revision)


class NotRequested(Exception):
    """No test code is made; the text says why."""


class OrderTestCode:
    """Carries out an order of the console, judged by the door as Seam has it now. What became of it is stored."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        stream: BookingStream,
        read_door: Callable[[str], Door],
        codes: AccessCodes,
        tests: DoorTests,
        policy: MatchPolicy,
        lead_time: timedelta,
        clock: Clock,
    ) -> None:
        """Use `read_door` to read a door as Seam has it now, not from a cache."""
        self._ledger = ledger
        self._stream = stream
        self._read_door = read_door
        self._codes = codes
        self._tests = tests
        self._policy = policy
        self._lead_time = lead_time
        self._clock = clock

    def __call__(self, order_id: str, device_id: str, choice: SlotOrder, *, by: str, reason: str) -> None:
        """Have the code made that the person was shown, and note that, or why not. The same order twice is one code.

        Raises SeamError where Seam can't be asked now: then nothing is noted, and the order comes again.
        """
        if any(it.order_id == order_id for it in self._tests.of(device_id)):
            return
        booking_id = refused = ""
        try:
            trial = self._judged(device_id, choice)
            booking_id = trial.booking_id
            request_test_code(trial, by=by, reason=reason, ledger=self._ledger, stream=self._stream, clock=self._clock)
        except (NotRequested, Refused) as refusal:
            refused = str(refusal)
        window = choice.window
        self._tests.note(
            DoorTest(
                order_id=order_id,
                device_id=device_id,
                at=self._clock(),
                by=by,
                reason=reason,
                slot=choice.slot,
                starts_at=window.starts_at,
                ends_at=window.ends_at,
                booking_id=booking_id,
                refused=refused,
            )
        )
        log.info("test_code.ordered", device_id=device_id, by=by, booking_id=booking_id, refused=refused)

    def _judged(self, device_id: str, choice: SlotOrder) -> Trial:
        """Return what is made. Raises NotRequested, SeamError."""
        now, door = self._clock(), self._read_door(device_id)
        stay = next_stay(door, self._policy, now=now, lead_time=self._lead_time, slot=choice.slot)
        if isinstance(stay, NoNextStay):
            raise NotRequested("; ".join((stay.why, *(f"{name}: {why}" for name, why in stay.slots))))
        trial = planned(door, stay, self._ledger, taken=self._codes.on_door(device_id).alive_at(now))
        if (stay.starts_at, stay.ends_at) != (choice.window.starts_at, choice.window.ends_at):
            raise NotRequested(f"the slot's next stay is {trial.window} now, not as it was shown")
        is_there = trial.before is not None and trial.before.state in UNDER_WAY
        if trial.is_full and not is_there:
            raise NotRequested("the lock is full; the next code that ends makes room")
        return trial
