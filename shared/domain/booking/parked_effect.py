"""The effect of a parked message on its booking: what holds for now, and what isn't done. Pure."""

from typing import Final

from shared.domain.booking.advice import window_text
from shared.domain.booking.record import Booking, State
from shared.domain.entry_ids import is_before
from shared.domain.messages.parked_kind import ParkedKind
from shared.domain.stay.stay import StayTime, WallTime, as_booked

CALLED: Final = {
    ParkedKind.BOOKING: "Booking",
    ParkedKind.CHANGE: "Change of booking",
    ParkedKind.CANCELLATION: "Cancellation of booking",
}
"""How a line about the message begins; the booking's id stands behind it."""


def kind_for(kind: ParkedKind, booking: Booking | None) -> ParkedKind:
    """Return what a message is, knowing its booking: `kind` is what it says by itself.

    Most systems send the whole booking again when it changes, and don't say that it is a change.
    """
    if kind not in (ParkedKind.BOOKING, ParkedKind.CHANGE):
        return kind
    return ParkedKind.CHANGE if is_alive(booking) else ParkedKind.BOOKING


def is_alive(booking: Booking | None) -> bool:
    """Say whether there is a stay that a message could still change or cancel."""
    return booking is not None and booking.stay is not None and not booking.cancelled and booking.state != State.ENDED


def is_settled(kind: ParkedKind, booking: Booking | None, arrival: str) -> bool:
    """Say whether nothing is missed any more because the message is parked. `arrival` is the id of its stream entry.

    A later message told the booking as it is now; or what was to be cancelled is cancelled, or over.
    """
    if booking is None:
        return False
    if kind is ParkedKind.CANCELLATION:
        return not is_alive(booking) and booking.stay is not None
    return kind is not ParkedKind.EVENT and is_before(arrival, booking.newest_entry)


def effect_for_now(kind: ParkedKind, booking: Booking | None, arrival: str) -> str:
    """Return in a few words what holds until the message is handled; empty if that isn't known."""
    if kind in (ParkedKind.EVENT, ParkedKind.UNREADABLE):
        return ""
    if kind is ParkedKind.CANCELLATION:
        return _not_cancelled(booking)
    if booking is not None and is_settled(kind, booking, arrival):
        return "a later message of the booking was applied since"
    if booking is None or not is_alive(booking) or booking.stay is None:
        return "no code is made for it"
    stay = as_booked(booking.stay)
    times = " to ".join(_written(each) for each in (stay.check_in, stay.check_out))
    codes = _codes(booking)
    return f"the booking keeps its old times, {times}{f', and its code {codes}' if codes else ''}"


def _not_cancelled(booking: Booking | None) -> str:
    if booking is None or booking.stay is None:
        return "no booking of this id is known: nothing is cancelled"
    if not is_alive(booking):
        return "the booking is cancelled by now" if booking.cancelled else "the stay is over"
    codes = _codes(booking)
    if codes:
        return f"it is not cancelled: the code stays valid, {codes}"
    return "it is not cancelled: the booking stands, and has no code yet"


def _codes(booking: Booking) -> str:
    """Return from when to when the booking's first code opens its door, and how many more there are."""
    windows = [window_text(door.code.window, door.time_zone) for door in booking.doors if door.wanted and door.code]
    more = len(windows) - 1
    return f"{windows[0]}{f' (and {more} more)' if more > 0 else ''}" if windows else ""


def _written(moment: StayTime) -> str:
    if isinstance(moment, WallTime):
        return f"{moment.at:%Y-%m-%d %H:%M}{f' {moment.time_zone}' if moment.time_zone else ''}"
    return f"{moment.at:%Y-%m-%d %H:%M %z}"
