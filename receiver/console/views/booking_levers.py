"""What somebody can do to a booking: try again, choose a slot, cancel. Each is an ops command with a reason."""

from dataclasses import dataclass
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from receiver.console.commands import order
from receiver.console.operations import Call, Conflict, Operation
from receiver.console.views.booking import StoryLine, find, story_line
from shared.console_tokens import Role
from shared.domain.booking.record import Booking, Window
from shared.ledger.bookings import UnknownBooking
from shared.ops_commands import CANCEL, CHOOSE, LONGEST_REASON, LONGEST_TARGET, RETRY, OpsCommand, SlotOrder

_LONGEST_BY: Final = 80
Reason = Annotated[str, Field(max_length=LONGEST_REASON)]
By = Annotated[str, Field(max_length=_LONGEST_BY)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """Why it is done, for the story; and for whom, where a program acts for somebody."""

    reason: Reason = ""
    by: By = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChooseBody(Why):
    """Which slot for which door (its key), and the window that the person was shown."""

    door: Annotated[str, Field(min_length=1, max_length=LONGEST_TARGET)]
    slot: Annotated[str, Field(min_length=1, max_length=LONGEST_TARGET)]
    starts_at: AwareDatetime
    ends_at: AwareDatetime


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBody(Why):
    """A cancellation says why."""

    reason: Annotated[str, Field(min_length=3, max_length=LONGEST_REASON)]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an order. `done` is False where no worker has taken it yet; it isn't lost then.

    `story` are the lines that the booking's story has gained.
    """

    done: bool
    text: str
    state: str = ""
    story: tuple[StoryLine, ...] = ()


def who(call: Call) -> str:
    """Return who acts: the holder of the token, and for whom it acts where the body says so."""
    by = getattr(call.body, "by", "").strip()
    return f"{by} ({call.token.name})" if by else call.token.name


def retry(call: Call) -> Outcome:
    """Have everything of the booking that waits or has failed tried again now. Raises NotFound, Conflict."""
    booking = find(call)
    if not any(door.wanted and door.state not in ("ready", "cancelled", "ended") for door in booking.doors):
        raise Conflict(f"{booking.booking_id} is {booking.state}: there is nothing to try again.")
    command = OpsCommand(action=RETRY, target=booking.booking_id, by=who(call), reason=call.body.reason)
    return _outcome(call, booking, order(call.ports, command), "It is tried again.")


def choose(call: Call) -> Outcome:
    """Choose a slot for a door. Raises NotFound."""
    booking, body = find(call), call.body
    choice = SlotOrder(door=body.door, slot=body.slot, window=Window(body.starts_at, body.ends_at))
    command = OpsCommand(action=CHOOSE, target=booking.booking_id, by=who(call), choice=choice, reason=body.reason)
    return _outcome(call, booking, order(call.ports, command), "The order was carried out.")


def cancel(call: Call) -> Outcome:
    """Cancel the booking, as its booking system would. Raises NotFound, Conflict."""
    booking = find(call)
    if booking.cancelled:
        raise Conflict(f"{booking.booking_id} is cancelled already.")
    command = OpsCommand(action=CANCEL, target=booking.booking_id, by=who(call), reason=call.body.reason)

    def is_cancelled() -> bool:
        return call.ports.ledger.get(booking.booking_id).cancelled

    return _outcome(call, booking, order(call.ports, command, until=is_cancelled), "The booking is cancelled.")


def _outcome(call: Call, before: Booking, done: bool, text: str) -> Outcome:  # noqa: FBT001 - what became of it
    """Say what became of an order, in the words of the booking's story."""
    try:
        after = call.ports.ledger.get(before.booking_id)
        entries = call.ports.ledger.history(before.booking_id)
    except UnknownBooking:
        return Outcome(done=done, text="The ledger has forgotten this booking meanwhile.")
    names = {door.device_id: door.name for door in after.doors}
    news = tuple(story_line(entry, names) for entry in entries if entry.at >= call.now)
    if not done:
        text = (
            "The order is stored, and no worker has done it yet. It is done as soon as one can; look again in a moment."
        )
    said = [text if not done or not news else "", *(line.text for line in news)]
    return Outcome(done=done, text="\n".join(filter(None, said)), state=str(after.state), story=news)


def _lever(name: str, summary: str, handle: object, body: type) -> Operation:
    path = f"/bookings/{{booking_id:path}}/{name}"
    return Operation(
        name=f"{name}_booking",
        method="POST",
        path=path,
        role=Role.OPERATOR,
        summary=summary,
        handle=handle,  # type: ignore[arg-type]
        answer=Outcome,
        body=body,
        page=path,
        leads_to="/bookings/{booking_id}",
        errors=(404, 409),
    )


OPERATIONS: Final = (
    _lever("retry", "Try again now whatever of the booking waits or has failed.", retry, Why),
    _lever("choose", "Choose a slot for a door of a booking that fits none by itself.", choose, ChooseBody),
    _lever("cancel", "Cancel the booking, as its booking system would.", cancel, CancelBody),
)
