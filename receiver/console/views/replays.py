"""Parked messages are corrected and replayed; the answer says what became of each."""

from dataclasses import dataclass
from operator import attrgetter
from typing import Annotated, Final

from pydantic import Field

from receiver.console.commands import give
from receiver.console.operations import Call, NotFound, Operation, Unusable
from receiver.console.views.booking_actions import By, who
from receiver.console.views.parked import find_parked, laid_out
from receiver.console.views.replay_view import ReplayView, as_answer, became_of, became_of_ordered
from shared.console_tokens import Role
from shared.domain.messages.message import InvalidMessage
from shared.domain.messages.parse import parse_booking_message
from shared.ops_commands import REPLAY, OpsCommand
from shared.parked import is_parked_id
from shared.parked_orders import ParkedOrder, mark_of

_LONGEST_MESSAGE: Final = 64 * 1024
_PATH: Final = "/parked/{parked_id}/replay"


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayBody:
    """The corrected message; empty: it goes back as it is."""

    message: Annotated[str, Field(max_length=_LONGEST_MESSAGE)] = ""
    by: By = ""


def replay(call: Call) -> ReplayView:
    """Put the message back into its stream, and wait some seconds for what becomes of it, by this order or another.

    Raises NotFound; Unusable where it would only be parked again.
    """
    entry = find_parked(call)
    message = call.body.message.strip()
    if message == laid_out(entry.parked.message).strip():
        message = ""
    if message and entry.parked.stream == call.ports.streams["bookings"]:
        try:
            parse_booking_message(message, call.ports.status_words)
        except InvalidMessage as invalid:
            raise Unusable({each.field: f"{each.wrong}; {each.right}" for each in invalid.problems}) from None
    command = OpsCommand(action=REPLAY, target=entry.parked_id, by=who(call), message=message)
    replays = call.ports.replays
    parked_id = entry.parked_id
    order = give(call.ports, command, until=lambda _: not replays.wait([parked_id]))
    mine = ParkedOrder(by=command.by, is_discard=False, order=order.entry_id, text=mark_of(message))
    return as_answer(call, became_of_ordered(call, [parked_id])[parked_id], mine)


def read_replay(call: Call) -> ReplayView:
    """Say what became of a replay, or how its order stands. Raises NotFound where there was none within a week."""
    parked_id = call.path["parked_id"]
    found = became_of(call, [parked_id]) if is_parked_id(parked_id) else {}
    if parked_id in found:
        return found[parked_id]
    if is_parked_id(parked_id) and call.ports.parked.get(parked_id) is not None:
        raise NotFound("This message was not replayed: it is parked.", {"To the message": f"/parked/{parked_id}"})
    raise NotFound("No message of this id was replayed within a week.")


OPERATIONS: Final = (
    Operation(
        name="replay",
        method="GET",
        path=_PATH,
        role=Role.VIEWER,
        summary="What became of a parked message that was replayed or discarded, for a week.",
        handle=read_replay,
        answer=ReplayView,
        page=_PATH,
        template="replay.html",
        errors=(404,),
    ),
    Operation(
        name="replay_parked",
        method="POST",
        path=_PATH,
        role=Role.OPERATOR,
        summary="Put a parked message back into its stream, corrected or as it is; says what became of it.",
        handle=replay,
        answer=ReplayView,
        body=ReplayBody,
        page=_PATH,
        leads_to=_PATH,
        note=attrgetter("yours"),
        errors=(400, 404),
    ),
)
