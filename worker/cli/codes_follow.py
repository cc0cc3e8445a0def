"""Follows a booking on one door until its code is usable or a person is needed. Each step is told once, with a time."""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum, auto
from typing import Final

from shared.domain.booking.notices import problems_of
from shared.domain.booking.record import BookedDoor, Booking, State

_PIN_EVERY: Final = 0.5
# Reasons why the code of a door with a fitting slot isn't made at once (`transitions.schedule`).
_LATER: Final = ("lead_time", "door_budget", "ledger_lost")
_NEEDS_A_PERSON: Final = (State.FAILED, State.WAITING, State.CANCELLED, State.ENDED)


@dataclass(frozen=True, slots=True)
class Step:
    """Something that has happened, `seconds` after the code was asked for; None if it had happened before."""

    what: str
    text: str
    seconds: float | None


class Verdict(Enum):
    """What is known of the code so far."""

    OPEN = auto()
    USABLE = auto()
    NEEDS_A_PERSON = auto()


class Follower:
    """Reads the ledger, and asks Seam whether there is a PIN, because the ledger has none. Changes nothing."""

    def __init__(
        self,
        *,
        read: Callable[[], Booking | None],
        has_pin: Callable[[str], bool],
        elapsed: Callable[[], float],
        is_new: bool = True,
        revision: int = 0,
        after_version: int = 0,
    ) -> None:
        """Set up. `has_pin` says whether Seam has a PIN for a code, by its id; `elapsed` returns seconds.

        If the booking isn't new, everything that the first look finds has happened before. A state of the booking from
        before this `revision`, or up to the record's version `after_version`, is no result: another try was just
        ordered.
        """
        self._read = read
        self._has_pin = has_pin
        self._elapsed = elapsed
        self._revision = revision
        self._after_version = after_version
        self._pin_asked_at = -_PIN_EVERY
        self._finds_what_was = not is_new
        self._told: set[str] = set()
        self.steps: list[Step] = []
        self.booking: Booking | None = None

    @property
    def door(self) -> BookedDoor | None:
        """The booking's door as it was at the last look."""
        return next((door for door in self.booking.doors if door.wanted), None) if self.booking else None

    @property
    def verdict(self) -> Verdict:
        """The result of the last look."""
        booking, door = self.booking, self.door
        if booking is None or door is None or not self._is_news(booking):
            return Verdict.OPEN
        if any(problems_of(door)) or booking.state in _NEEDS_A_PERSON:
            return Verdict.NEEDS_A_PERSON
        return Verdict.USABLE if booking.state is State.READY else Verdict.OPEN

    def look(self) -> list[Step]:
        """Look once; return the steps since the last look."""
        self.booking = self._read()
        fresh = list(self._fresh())
        self._finds_what_was = False
        self.steps += fresh
        return fresh

    def _is_news(self, booking: Booking) -> bool:
        return booking.revision >= self._revision and booking.version > self._after_version

    def _fresh(self) -> Iterator[Step]:
        booking, door = self.booking, self.door
        if booking is None or door is None or not self._is_news(booking):
            return
        yield from self._once("taken", "the worker has the booking")
        if door.state is State.SCHEDULED and door.reason in _LATER and door.due_at is not None:
            when = f"{door.due_at:%Y-%m-%d %H:%M:%S %Z}"
            yield from self._once("scheduled", f"the code will be made at {when} ({door.reason.replace('_', ' ')})")
        if door.attempts and door.reason and door.is_muted:
            failed = f"a try has failed, and is repeated ({door.reason.replace('_', ' ')}): {door.detail}"
            yield from self._once("try_failed", failed)
        if door.code is None:
            return
        yield from self._once("made", f"access code {door.code.access_code_id} was made")
        is_set = booking.state is State.READY
        if self._sees_pin(door.code.access_code_id, at_once=is_set):
            yield from self._once("pin", "Seam has its PIN")
        if is_set:
            yield from self._once("set", "Seam confirms the code")

    def _sees_pin(self, access_code_id: str, *, at_once: bool) -> bool:
        """Ask Seam whether there is a PIN, not too often unless `at_once`; after a yes it isn't asked again."""
        is_early = self._elapsed() < self._pin_asked_at + _PIN_EVERY
        if "pin" in self._told or (is_early and not at_once):
            return False
        self._pin_asked_at = self._elapsed()
        return self._has_pin(access_code_id)

    def _once(self, what: str, text: str) -> Iterator[Step]:
        """Yield the step if it is new. Most steps happen once; a failed try is new with each other reason."""
        mark = text if what in ("try_failed", "scheduled") else what
        if mark not in self._told:
            self._told.add(mark)
            yield Step(what, text, None if self._finds_what_was else round(self._elapsed(), 2))
