"""A person has the code of a door replaced, because it is lost or compromised; by the command line or in the console.

First it is judged whether another code can be made at all: a guest who has a code must not lose it for an order that
leads nowhere. Then the order is written into the record, and the door goes on its ordinary way from there.
"""

from collections.abc import Callable
from dataclasses import dataclass

from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.planning import Make, PlanningRules, Refuse, Wait
from shared.domain.booking.record import BookedDoor, Booking, Change
from shared.domain.booking.transitions import NotReissued
from shared.domain.door.door import Door
from shared.ledger.bookings import BookingLedger
from shared.seam.access_codes import AccessCodes


@dataclass(frozen=True, slots=True)
class Reissued:
    """The booking after the order; `is_news` says whether the order wasn't given before."""

    booking: Booking
    is_news: bool


class ReissueCode:
    """Judges and records such orders. A repeated one changes nothing; a kill anywhere leaves all of it or nothing."""

    def __init__(
        self,
        *,
        ledger: BookingLedger,
        codes: AccessCodes,
        read_door: Callable[[str], Door],
        rules: PlanningRules,
        clock: Clock,
    ) -> None:
        """Use `read_door` to read a door as Seam has it now, not from a cache."""
        self._ledger = ledger
        self._codes = codes
        self._read_door = read_door
        self._rules = rules
        self._clock = clock

    def __call__(self, booking: Booking, door_key: str, *, access_code_id: str, by: str, reason: str) -> Reissued:
        """Have the code replaced. Raises NotReissued (nothing was written), SeamError, UnknownBooking."""
        try:
            door = booking.door(door_key)
        except KeyError:
            raise NotReissued("the booking is not on this door") from None
        now = self._clock()

        def reissued(it: Booking) -> Change:
            return transitions.reissue_code(it, door_key, access_code_id=access_code_id, by=by, reason=reason, now=now)

        after = reissued(booking).booking
        if after is booking:
            return Reissued(booking, is_news=False)
        self._check(after, after.door(door_key), door)
        try:
            written = self._ledger.record(booking, reissued)
        except KeyError:
            raise NotReissued("the booking is not on this door any more") from None
        return Reissued(written, is_news=True)

    def _check(self, booking: Booking, door: BookedDoor, before: BookedDoor) -> None:
        """Raise NotReissued unless another code can be made now; `before` is the door with the code that it has."""
        read = self._read_door(door.device_id)
        plan = self._rules.plan(booking, door, read, self._clock())
        match plan.decision if plan is not None else None:
            case Make():
                pass
            case Wait(reason, advice, _, _) | Refuse(reason, advice, _):
                raise NotReissued(f"no other code could be made: {reason.replace('_', ' ')}. {advice}".rstrip(". "))
            case _:
                raise NotReissued("no code is to be made for this door now")
        if read.max_active_codes_supported is None or before.code is None:
            return
        if self._codes.on_door(door.device_id).alive_at(self._clock()) < read.max_active_codes_supported:
            return
        report = self._codes.get(before.code.access_code_id)
        if report is not None and not report.flags.may_be_revoked:
            raise NotReissued(
                f"the lock is full: it holds {read.max_active_codes_supported} codes, and this one can't be deleted"
            )
