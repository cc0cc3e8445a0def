"""What other times of a stay would mean at a door, before anybody orders them. Pure.

The booking is given as the change would leave it, and the door is planned as the worker plans it. But the worker
decides by the door and the code as they are then, so the preview is an expectation, no promise.
"""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.domain.booking.advice import moment_text
from shared.domain.booking.door_state import Received
from shared.domain.booking.planning import (
    Alter,
    Keep,
    LeaveOut,
    Make,
    Over,
    Plan,
    PlanningRules,
    Postpone,
    Refuse,
    Split,
    Wait,
)
from shared.domain.booking.problem_catalogue import PROBLEMS
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, Window
from shared.domain.booking.transitions.change import enter
from shared.domain.code.changes import CodeFlags, may_become
from shared.domain.code.other_times import OtherTimes, other_times
from shared.domain.code.removal import may_not_be_adopted
from shared.domain.door.door import Door
from shared.domain.matching import long_stays
from shared.domain.matching.manual_options import OF_A_SLOT
from shared.domain.stay.instants import instants_of
from shared.domain.stay.stay import Stay, as_booked
from shared.domain.times.wording import show_length

_NEW: Final = "A code is made at once. Give the guest its PIN."
_ANOTHER: Final = "The current code can't get these times: another one is made. Give the guest its PIN."
_PERHAPS: Final = (
    "Seam wasn't asked. Unless its flags let the current code get these times, another one is made. Give the guest its"
    " PIN then."
)


class Effect(StrEnum):
    """What becomes of a door's code."""

    KEPT = "kept"
    """The current code serves the new times too."""
    CHANGED = "changed"
    """The current code gets other times."""
    ANOTHER = "another"
    """Another code takes the place of the current one."""
    MADE = "made"
    """A code is made at once: there is none."""
    LATER = "later"
    """A code is made once its time has come."""
    NOTHING_FITS = "nothing_fits"
    """No code can be made as things stand."""
    OVER = "over"
    """The stay is over then: no code is made."""
    DROPPED = "dropped"
    """The booking isn't on this door any more."""
    UNKNOWN = "unknown"
    """It can't be told beforehand."""


@dataclass(frozen=True, slots=True)
class CodeAtSeam:
    """How the current code stands at Seam: when it works, and what its flags let be done to it."""

    window: Window | None
    flags: CodeFlags


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorPreview:
    """What the new times mean at one door: in `means` for people, a sentence each.

    `slot` and `window` are those of the code; empty and None where there is none, or several.
    """

    effect: Effect
    means: tuple[str, ...]
    slot: str = ""
    window: Window | None = None
    time_zone: str | None = None
    other_times: tuple[OtherTimes, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class _Asked:
    """A door of the booking as the change leaves it, and the door as it was last read."""

    booking: Booking
    door: BookedDoor
    read: Door
    rules: PlanningRules
    now: datetime

    def plan(self) -> Plan | None:
        return self.rules.plan(self.booking, self.door, self.read, self.now)

    def without_code(self) -> "_Asked":
        """Return the same with the code set aside, as the worker does it."""
        bare = enter(self.door, Received())
        doors = tuple(bare if each.key == bare.key else each for each in self.booking.doors)
        return replace(self, booking=replace(self.booking, doors=doors), door=bare)


def preview_of_door(  # noqa: PLR0911 - one for each decision
    booking: Booking,
    door: BookedDoor,
    read: Door | None,
    *,
    rules: PlanningRules,
    at_seam: CodeAtSeam | None,
    now: datetime,
) -> DoorPreview:
    """Say what becomes of a door of `booking`, which is as the change would leave it.

    `read` is the door as it was last read, None where it never was. `at_seam` is how Seam has the current code; None
    where there is none, or nobody could ask.
    """
    aside = tuple(_set_aside(door, at_seam, now))
    if not door.wanted:
        means = ("The booking is not on this door any more.", *aside)
        return DoorPreview(effect=Effect.DROPPED, means=means, time_zone=door.time_zone)
    if door.intent is not None:
        told = "A code is being made at this moment. What becomes of it is decided once it is there."
        return DoorPreview(effect=Effect.UNKNOWN, means=(told,), time_zone=door.time_zone)
    asked = _Asked(booking=booking, door=door, read=read, rules=rules, now=now) if read is not None else None
    plan = asked.plan() if asked is not None else None
    if asked is None or plan is None:
        told = "This door wasn't read yet, so its slots aren't known here. The worker reads it first."
        return DoorPreview(effect=Effect.UNKNOWN, means=(told,), time_zone=door.time_zone)
    match plan.decision:
        case Keep(window):
            told = "The current code works for the new times too: it stays, and so does its PIN."
            return _with_code(asked, plan, Effect.KEPT, window, told)
        case Alter(window) if window is not None and _may_be_changed(door, at_seam, window):
            told = "Seam is asked to give the current code these times: its flags allow that. The PIN normally stays."
            return _with_code(asked, plan, Effect.CHANGED, window, told, "If Seam refuses, another code is made.")
        case Alter():
            bare = asked.without_code()
            return _without_code(bare, bare.plan() or plan, _ANOTHER if at_seam is not None else _PERHAPS, aside)
        case _:
            return _without_code(asked, plan, _NEW)


def _without_code(  # noqa: PLR0911 - as above
    asked: _Asked, plan: Plan, made: str, aside: tuple[str, ...] = ()
) -> DoorPreview:
    """Say what is made for a door that has no code, or none that serves.

    `made` tells it where a code is made at once, and `aside` what becomes of the current one.
    """
    zone, stay = plan.time_zone, asked.booking.stay
    match plan.decision:
        case Make(window, _, _):
            told = _taken_again(asked.door, window) or made
            return _with_code(asked, plan, Effect.MADE if made is _NEW else Effect.ANOTHER, window, told, *aside)
        case Postpone(until):
            told = f"The code is made at {moment_text(until, zone)}: its time comes then."
            return _with_code(asked, plan, Effect.LATER, _window_of(plan), told, *aside)
        case Split(parts):
            codes = long_stays.plan(stay, asked.read, asked.rules.policy).codes if stay is not None else ()
            told = f"The stay is longer than one code can work: {parts} consecutive codes serve it."
            return DoorPreview(effect=Effect.MADE, means=(told, *(it.text for it in codes), *aside), time_zone=zone)
        case LeaveOut():
            told = "Fewer consecutive codes serve the stay then: this one isn't needed."
            return DoorPreview(effect=Effect.DROPPED, means=(told, *aside), time_zone=zone)
        case Over():
            told = "The stay is over then: no code is made."
            return DoorPreview(effect=Effect.OVER, means=(told, *aside), time_zone=zone)
        case Wait(reason, advice, _, offers) | Refuse(reason, advice, offers):
            happened = PROBLEMS[reason].happened if reason in PROBLEMS else "No code can be made."
            choosing = "A slot can be chosen all the same, on the booking's page, once this is done." if offers else ""
            means = tuple(filter(None, (happened, advice, choosing, *aside)))
            other = _other_times(asked) if reason in OF_A_SLOT else ()
            return DoorPreview(effect=Effect.NOTHING_FITS, means=means, time_zone=zone, other_times=other)
        case Keep() | Alter():
            # Only a door that has a code is planned so.
            return DoorPreview(effect=Effect.UNKNOWN, means=aside, time_zone=zone)


def _with_code(asked: _Asked, plan: Plan, effect: Effect, window: Window | None, *means: str) -> DoorPreview:
    slot = plan.match.get("slot")
    gaps = _gaps(asked.booking.stay, plan.time_zone, window) if not asked.door.part else ()
    return DoorPreview(
        effect=effect,
        means=(*gaps, *means),
        slot=str(slot["name"]) if slot else "",
        window=window,
        time_zone=plan.time_zone,
    )


def _window_of(plan: Plan) -> Window | None:
    starts_at, ends_at = plan.match.get("starts_at"), plan.match.get("ends_at")
    if not starts_at or not ends_at:
        return None
    return Window(datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at))


def _gaps(stay: Stay | None, time_zone: str | None, window: Window | None) -> Iterator[str]:
    """Yield what the guest of a stay will notice of the code's window."""
    if stay is None or time_zone is None or window is None:
        return
    check_in, check_out = instants_of(as_booked(stay), time_zone)
    if window.starts_at > check_in:
        yield f"The code works only from {show_length(window.starts_at - check_in)} after check-in."
    if window.ends_at < check_out:
        yield f"The code ends {show_length(check_out - window.ends_at)} before check-out."


def _may_be_changed(door: BookedDoor, at_seam: CodeAtSeam | None, window: Window) -> bool:
    if door.code is None or at_seam is None or at_seam.window is None:
        return False
    return may_become(at_seam.window, window, at_seam.flags)


def _taken_again(door: BookedDoor, window: Window) -> str:
    """Say which earlier code has these very times: the worker finds it at Seam. Empty where none has."""
    earlier = next((code for code in door.residual if code.window == window and not may_not_be_adopted(code)), None)
    if earlier is None:
        return ""
    return f"The earlier access code {earlier.access_code_id} has these times: it is taken again, with its PIN."


def _set_aside(door: BookedDoor, at_seam: CodeAtSeam | None, now: datetime) -> Iterator[str]:
    """Yield how long the current code still opens the door, though the booking doesn't need it any more."""
    code = door.code
    if code is None or code.window.ends_at <= now:
        return
    until = _until(code, door)
    if door.wanted and code.window.starts_at <= now:
        yield f"The current code is in use, so it isn't deleted: it opens the door until {until}."
    elif at_seam is None:
        yield f"Seam is asked to delete the current code. As a rule it can't: then it opens the door until {until}."
    elif at_seam.flags.may_be_revoked:
        yield f"Seam is asked to delete the current code: its flags allow that. If it refuses, it opens until {until}."
    else:
        yield f"The current code can't be deleted: it opens the door until {until}."


def _until(code: AccessCode, door: BookedDoor) -> str:
    return f"{moment_text(code.window.ends_at, door.time_zone)} {door.time_zone or 'UTC'}"


def _other_times(asked: _Asked) -> tuple[OtherTimes, ...]:
    """Return other times that would fit; none for a part of a split stay, or if a person has chosen a slot."""
    stay, door = asked.booking.stay, asked.door
    if stay is None or door.part or door.choice is not None:
        return ()
    return tuple(other_times(stay, asked.read, asked.rules.policy, asked.now))
