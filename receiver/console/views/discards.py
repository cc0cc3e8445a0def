"""A parked message is discarded; the answer says what became of it where somebody else's order came first."""

from dataclasses import dataclass
from typing import Final

from receiver.console.commands import give
from receiver.console.open_orders import not_yet
from receiver.console.operations import Call, Operation
from receiver.console.views.booking_actions import CancelBody, OrderOutcome, Outcome, who
from receiver.console.views.parked import find_parked
from receiver.console.views.replay_view import became_of
from shared.console_tokens import Role
from shared.ops_commands import DISCARD, OpsCommand
from shared.parked_order_texts import not_done_text
from shared.parked_orders import ParkedOrder
from shared.replay_results import counted_order

_PATH: Final = "/parked/{parked_id}/discard"
_NOT_NOTED: Final = (
    "A worker of an older version carried out the order, and noted nothing. If somebody replayed the message before, it"
    " was used: look at its booking."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class DiscardOutcome(Outcome):
    """What became of a discard. It is refused where the message was replayed first: it did nothing then.

    `booking_id` is the booking as which the message was applied; empty where there is none.
    """

    booking_id: str = ""


def discard(call: Call) -> DiscardOutcome:
    """Throw the message away for good. Raises NotFound."""
    entry = find_parked(call)
    command = OpsCommand(action=DISCARD, target=entry.parked_id, by=who(call), reason=call.body.reason)
    replays, parked_id = call.ports.replays, entry.parked_id
    # Where it was replayed instead, what becomes of it is the answer that a person needs.
    order = give(call.ports, command, until=lambda _: not replays.wait([parked_id]))
    mine = ParkedOrder(by=command.by, is_discard=True, order=order.entry_id)
    counted = counted_order(replays, call.ports.parked_orders, parked_id)
    if counted is not None and not counted.is_discard:
        view = became_of(call, [parked_id])[parked_id]
        text = f"{not_done_text(mine, counted)} {view.text}"
        return DiscardOutcome(done=False, outcome=OrderOutcome.REFUSED, text=text, booking_id=view.booking_id)
    if counted is not None and counted.order != mine.order:
        return DiscardOutcome(done=True, text=not_done_text(mine, counted))
    if not order.is_done:
        waits = not_yet(call.ports, order.entry_id)
        order_id = order.entry_id if waits.is_open else ""
        return DiscardOutcome(done=False, outcome=OrderOutcome.WAITING, text=waits.text, order=order_id)
    return DiscardOutcome(done=True, text="The message was discarded." if counted is not None else _NOT_NOTED)


def _page_after(outcome: DiscardOutcome) -> str:
    return "/parked/{parked_id}/replay" if outcome.outcome is OrderOutcome.REFUSED else "/parked"


OPERATIONS: Final = (
    Operation(
        name="discard_parked",
        method="POST",
        path=_PATH,
        role=Role.OPERATOR,
        summary="Throw a parked message away for good; says so where it was replayed first.",
        handle=discard,
        answer=DiscardOutcome,
        body=CancelBody,
        page=_PATH,
        leads_to=_page_after,
        errors=(400, 404),
    ),
)
