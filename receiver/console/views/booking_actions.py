"""What somebody can do to a booking: try again, choose a slot, replace a code, cancel.

Each is an ops command with a reason.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from receiver.console.commands import Order, give
from receiver.console.open_orders import Standing, not_yet
from receiver.console.operations import Call, Conflict, Operation
from receiver.console.views.booking import StoryLine, find, local, story_line
from shared.console_tokens import Role
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, HistoryEntry, Window
from shared.domain.booking.reissue_preview import preview_of
from shared.domain.booking.transitions import is_replaced, why_not_reissued
from shared.ledger.bookings import UnknownBooking
from shared.ops_commands import (
    CANCEL,
    CHOOSE,
    LONGEST_REASON,
    LONGEST_TARGET,
    ORDER_FACT,
    REFUSALS,
    REISSUE,
    RETRY,
    OpsCommand,
    SlotOrder,
)
from shared.seam.errors import SeamError

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
class ReissueQuery:
    """Which door (its key)."""

    door: Annotated[str, Field(min_length=1, max_length=LONGEST_TARGET)]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReissueBody(Why):
    """Why a code is replaced, and of which door (its key).

    `access_code_id` is the code that the person was shown; without it the door's code of now is meant. Ordered twice
    for one code, it is replaced once.
    """

    door: Annotated[str, Field(min_length=1, max_length=LONGEST_TARGET)]
    reason: Annotated[str, Field(min_length=3, max_length=LONGEST_REASON)]
    access_code_id: Annotated[str, Field(max_length=200)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReissuePreview:
    """What replacing the code of a door would mean, in sentences.

    `may_be_deleted` is what Seam says of the old code now; None where Seam couldn't be asked.
    """

    as_of: datetime
    booking_id: str
    label: str
    door: str
    door_name: str
    access_code_id: str
    opens_until: datetime
    may_be_deleted: bool | None
    means: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CancelBody(Why):
    """A cancellation says why."""

    reason: Annotated[str, Field(min_length=3, max_length=LONGEST_REASON)]


class OrderOutcome(StrEnum):
    """What became of an order."""

    DONE = "done"
    """A worker has done it."""
    REFUSED = "refused"
    """A worker has refused it: nothing was done."""
    WAITING = "waiting"
    """No worker has done it yet. It isn't lost."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of an order: `done` is true where it was done. `text` says it in words, also why it was refused.

    `story` are the lines that the booking's story has gained; of a refused order, those of the refusal alone. `order`
    is the id of an order that no worker has done yet: the booking, or the door, has it among its `orders` meanwhile.
    """

    done: bool
    text: str
    outcome: OrderOutcome = OrderOutcome.DONE
    state: str = ""
    story: tuple[StoryLine, ...] = ()
    order: str = ""


def note_of(outcome: Outcome) -> str:
    """Return what the next page says of an order; nothing where it shows by itself how the order stands."""
    return "" if outcome.order else outcome.text


def who(call: Call) -> str:
    """Return who acts: the holder of the token, and for whom it acts where the body says so."""
    by = getattr(call.body, "by", "").strip()
    return f"{by} ({call.token.name})" if by else call.token.name


def retry(call: Call) -> Outcome:
    """Have everything of the booking that waits or has failed tried again now. Raises NotFound, Conflict."""
    booking = find(call)
    if why := why_not_retried(booking):
        raise Conflict(f"{booking.booking_id}: {why}.")
    command = OpsCommand(action=RETRY, target=booking.booking_id, by=who(call), reason=call.body.reason)
    return outcome_of(call, booking, give(call.ports, command), "It is tried again.")


def why_not_retried(booking: Booking) -> str:
    """Say why there is nothing to try again; empty where there is something."""
    is_open = any(door.wanted and door.state not in ("ready", "cancelled", "ended") for door in booking.doors)
    return "" if is_open and not booking.cancelled else f"it is {booking.state}, so there is nothing to try again"


def choose(call: Call) -> Outcome:
    """Choose a slot for a door. Raises NotFound."""
    booking, body = find(call), call.body
    choice = SlotOrder(door=body.door, slot=body.slot, window=Window(body.starts_at, body.ends_at))
    command = OpsCommand(action=CHOOSE, target=booking.booking_id, by=who(call), choice=choice, reason=body.reason)
    return outcome_of(call, booking, give(call.ports, command), "The order was carried out.")


def preview_reissue(call: Call) -> ReissuePreview:
    """Say what a new code for a door would mean; nothing is done. Raises NotFound, Conflict."""
    booking = find(call)
    door, code = _replaceable(booking, call.query.door, call.now)
    may_be_deleted = _may_be_deleted(call, code)
    return ReissuePreview(
        as_of=call.now,
        booking_id=booking.booking_id,
        label=booking.label or "",
        door=door.key,
        door_name=door.name or door.device_id,
        access_code_id=code.access_code_id,
        opens_until=local(code.window.ends_at, door),
        may_be_deleted=may_be_deleted,
        means=tuple(preview_of(door, code, may_be_deleted=may_be_deleted)),
    )


def reissue(call: Call) -> Outcome:
    """Have a new code made for a door whose code is lost or compromised. Raises NotFound, Conflict."""
    booking, body = find(call), call.body
    named = next((each for each in booking.doors if each.key == body.door), None)
    if named is not None and body.access_code_id and is_replaced(named, body.access_code_id):
        return Outcome(done=True, text="This code is being replaced already.", state=str(booking.state))
    door, code = _replaceable(booking, body.door, call.now)
    if body.access_code_id not in ("", code.access_code_id):
        raise Conflict(f"The door has another code by now: {code.access_code_id}. Nothing was done.")
    command = OpsCommand(
        action=REISSUE,
        target=booking.booking_id,
        by=who(call),
        reason=body.reason,
        door=door.key,
        access_code_id=code.access_code_id,
    )
    return outcome_of(call, booking, give(call.ports, command), "A new code is made.")


def _replaceable(booking: Booking, key: str, now: datetime) -> tuple[BookedDoor, AccessCode]:
    """Return the door and its code, where it can be replaced. Raises Conflict."""
    door = next((each for each in booking.doors if each.key == key), None)
    if door is None:
        raise Conflict("The booking is not on this door.")
    why = why_not_reissued(booking, door, now)
    if why or door.code is None:
        raise Conflict(f"No new code can be made: {why}.")
    return door, door.code


def _may_be_deleted(call: Call, code: AccessCode) -> bool | None:
    if call.ports.codes is None:
        return None
    try:
        report = call.ports.codes.get(code.access_code_id)
    except SeamError:
        return None
    return report.flags.may_be_revoked if report is not None else None


def cancel(call: Call) -> Outcome:
    """Cancel the booking, as its booking system would. Raises NotFound, Conflict."""
    booking = find(call)
    if booking.cancelled:
        raise Conflict(f"{booking.booking_id} is cancelled already.")
    command = OpsCommand(action=CANCEL, target=booking.booking_id, by=who(call), reason=call.body.reason)

    def is_cancelled(_: str) -> bool:
        return call.ports.ledger.get(booking.booking_id).cancelled

    return outcome_of(call, booking, give(call.ports, command, until=is_cancelled), "The booking is cancelled.")


def outcome_of(call: Call, before: Booking, order: Order, text: str) -> Outcome:
    """Say what became of an order, in the words of the booking's story."""
    try:
        after = call.ports.ledger.get(before.booking_id)
        entries = call.ports.ledger.history(before.booking_id)
    except UnknownBooking:
        outcome = OrderOutcome.DONE if order.is_done else OrderOutcome.WAITING
        return Outcome(done=order.is_done, outcome=outcome, text="The ledger has forgotten this booking meanwhile.")
    names = {door.device_id: door.name for door in after.doors}
    news = [entry for entry in entries if entry.at >= call.now]
    refusals = [entry for entry in news if is_refusal(entry, order.entry_id)]
    outcome, waiting = OrderOutcome.DONE, Standing("", is_open=False)
    if refusals:
        outcome, news = OrderOutcome.REFUSED, refusals
    elif not order.is_done:
        outcome, waiting = OrderOutcome.WAITING, not_yet(call.ports, order.entry_id)
        text = waiting.text
    story = tuple(story_line(entry, names) for entry in news)
    said = [text if outcome is OrderOutcome.WAITING or not news else "", *(line.text for line in story)]
    return Outcome(
        done=outcome is OrderOutcome.DONE,
        outcome=outcome,
        text="\n".join(filter(None, said)),
        state=str(after.state),
        story=story,
        order=order.entry_id if waiting.is_open else "",
    )


def is_refusal(entry: HistoryEntry, order_id: str) -> bool:
    """Say whether a line of the story is the refusal of an order. A worker of 0.2.0 doesn't say of which."""
    return entry.what in REFUSALS and entry.facts.get(ORDER_FACT, order_id) == order_id


def _lever(name: str, summary: str, handle: object, body: type) -> Operation:
    path = f"/bookings/{{booking_id}}/{name}"
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
        note=note_of,
        errors=(404, 409),
    )


OPERATIONS: Final = (
    _lever("retry", "Try again now whatever of the booking waits or has failed.", retry, Why),
    _lever("choose", "Choose a slot for a door of a booking that fits none by itself.", choose, ChooseBody),
    Operation(
        name="reissue_preview",
        method="GET",
        path="/bookings/{booking_id}/reissue",
        role=Role.OPERATOR,
        summary="What a new code for a door would mean: what stays open until when. Asks Seam; does nothing.",
        handle=preview_reissue,
        query=ReissueQuery,
        answer=ReissuePreview,
        page="/bookings/{booking_id}/reissue",
        template="reissue.html",
        errors=(400, 404, 409),
    ),
    _lever("reissue", "Make a new code for a door whose code is lost or compromised.", reissue, ReissueBody),
    _lever("cancel", "Cancel the booking, as its booking system would.", cancel, CancelBody),
)
