"""A PIN, read from Seam at this moment. Who asked is written down first; the PIN itself nowhere."""

from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Final

from receiver.console.operations import Call, Conflict, Operation, SeamUnavailable
from receiver.console.views.booking import find, local
from receiver.console.views.booking_actions import By, who
from shared.console_tokens import Role
from shared.domain.booking import transitions
from shared.ledger.bookings import UnknownBooking
from shared.seam.errors import SeamError


@dataclass(frozen=True, slots=True, kw_only=True)
class RevealBody:
    """Which door (its key)."""

    door: str
    by: By = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Revealed:
    """The PIN of one door's code, and when it opens the door: on the lock's clock where its zone is known."""

    booking_id: str
    door: str
    door_name: str
    access_code_id: str
    pin: str
    starts_at: datetime
    ends_at: datetime
    time_zone: str | None


def reveal(call: Call) -> Revealed:
    """Read the PIN. Raises NotFound, Conflict where there is none to show, and SeamUnavailable."""
    booking, key = find(call), call.body.door
    door = next((each for each in booking.doors if each.key == key and each.wanted), None)
    if door is None:
        raise Conflict("The booking is not on this door.")
    if door.code is None:
        raise Conflict(f"There is no code for this door yet: it is {door.state}.")
    if call.ports.codes is None:
        raise Conflict("The console has no SEAM_API_KEY, so it can't read a PIN.")
    # First the audit: a PIN that was shown without a trace can't be traced afterwards.
    audited = partial(transitions.record_pin_reveal, key=key, by=who(call), now=call.now)
    try:
        call.ports.ledger.record(booking, audited)
    except (UnknownBooking, KeyError):
        raise Conflict("The booking has changed meanwhile. Nothing was revealed.") from None
    try:
        pin = call.ports.codes.pin(door.code.access_code_id)
    except SeamError as error:
        raise SeamUnavailable(
            f"Seam doesn't answer as it should ({type(error).__name__}). Try again in a moment."
        ) from None
    if pin is None:
        raise Conflict("Seam has no PIN for this code yet, or the code no more.")
    return Revealed(
        booking_id=booking.booking_id,
        door=key,
        door_name=door.name or door.device_id,
        access_code_id=door.code.access_code_id,
        pin=pin.get_secret_value(),
        starts_at=local(door.code.window.starts_at, door),
        ends_at=local(door.code.window.ends_at, door),
        time_zone=door.time_zone,
    )


OPERATIONS: Final = (
    Operation(
        name="reveal_pin",
        method="POST",
        path="/bookings/{booking_id}/reveal",
        role=Role.REVEALER,
        summary="The PIN of one door's code, read from Seam at this moment. Audited; never cached.",
        handle=reveal,
        answer=Revealed,
        body=RevealBody,
        page="/bookings/{booking_id}/reveal",
        template="pin.html",
        errors=(404, 409, 502),
    ),
)
