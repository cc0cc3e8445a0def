"""A test code for a door: what would be made, the order, and what became of each that was ordered."""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Annotated, Final

from pydantic import AwareDatetime, Field

from receiver.console.commands import give
from receiver.console.open_orders import not_yet
from receiver.console.operations import Call, Conflict, NotFound, Operation, Unusable
from receiver.console.views.booking_actions import OrderOutcome, Outcome, Why, note_of, who
from shared.code_trial import planned
from shared.console_tokens import Role
from shared.domain.booking.record import Booking, State, Window
from shared.domain.door.door import Door
from shared.domain.matching.manual_options import reference_of
from shared.domain.matching.next_stay import NoNextStay, next_stay
from shared.ledger.door_tests import DoorTest
from shared.ops_commands import LONGEST_REASON, LONGEST_TARGET, TEST, OpsCommand, SlotOrder
from shared.seam.errors import SeamError

_PATH: Final = "/doors/{device_id}/test"
# The lines of a booking's story that are steps of a test.
_STEPS: Final = (
    "test.requested",
    "message.applied",
    "door.scheduled",
    "code.requested",
    "code.issued",
    "code.adopted",
    "code.confirmed",
    "door.try_failed",
    "door.failed",
    "door.waiting",
)
# Each takes a reading of a whole story.
_WITH_STEPS: Final = 3
_FAILED: Final = (State.FAILED, State.WAITING)
_OVER: Final = (State.CANCELLED, State.ENDED)


class CodeTestOutcome(StrEnum):
    """What became of a test code."""

    ASKED = "asked"
    """It is ordered, and no code is made yet."""
    MADE = "made"
    """Seam has the code, and doesn't confirm it yet."""
    USABLE = "usable"
    """Seam confirms the code."""
    FAILED = "failed"
    """No code was made, or it doesn't work: a person is needed."""
    REFUSED = "refused"
    """Nothing was made: `text` says why."""
    OVER = "over"
    """Its stay has ended, or it was cancelled."""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTestQuery:
    """Of which slot, as a booking names it; empty: of the one whose next check-in is the soonest."""

    slot: Annotated[str, Field(max_length=LONGEST_TARGET)] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTestBody(Why):
    """The slot and the window that the preview showed, and why.

    `knows_it_stays` must be true: it says that the person knows that the code can't be taken back.
    """

    slot: Annotated[str, Field(min_length=1, max_length=LONGEST_TARGET)]
    starts_at: AwareDatetime
    ends_at: AwareDatetime
    knows_it_stays: bool = False
    reason: Annotated[str, Field(min_length=3, max_length=LONGEST_REASON)]


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTestSlot:
    """A slot of the door: `slot` is the reference by which an order names it."""

    slot: str
    name: str
    times: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTestPreview:
    """What a test would make. `why_not` says why nothing can be made; empty where something can.

    `slot` is the reference of the slot that is meant. `means` are sentences that a person must know before.
    `booking_id` is that of the test.
    """

    as_of: datetime
    device_id: str
    name: str
    read_at: datetime
    slots: tuple[CodeTestSlot, ...]
    slot: str
    booking_id: str
    starts_at: datetime | None
    ends_at: datetime | None
    means: tuple[str, ...]
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTestStep:
    """A step of a test, and when it happened."""

    at: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class CodeTestView:
    """One test code that was ordered here, by the newest order of it; `orders` is how many there were.

    `state` and `reason` are those of its booking, empty where there is none. `steps` are those of the newest three.
    """

    ordered_at: datetime
    by: str
    why: str
    slot: str
    slot_name: str
    starts_at: datetime
    ends_at: datetime
    outcome: CodeTestOutcome
    text: str
    booking_id: str
    state: str
    reason: str
    steps: tuple[CodeTestStep, ...]
    orders: int = 1


def preview_test(call: Call) -> CodeTestPreview:
    """Say what a test would make; nothing is done. Asks Seam how many codes the lock has. Raises NotFound."""
    device_id = call.path["device_id"].lower()
    ports = call.ports
    reading = ports.last_read.of([device_id]).get(device_id)
    if reading is None:
        raise NotFound("This door was never read, so its slots aren't known here.")
    door, wanted = reading.door, call.query.slot or None
    stay = next_stay(door, ports.policy, now=call.now, lead_time=ports.rules.lead_time, slot=wanted)
    slots = tuple(_slots(door))
    if isinstance(stay, NoNextStay):
        whys = tuple(f"{name}: {why}" for name, why in stay.slots)
        return CodeTestPreview(
            as_of=call.now,
            device_id=device_id,
            name=door.name,
            read_at=reading.read_at,
            slots=slots,
            slot=call.query.slot,
            booking_id="",
            starts_at=None,
            ends_at=None,
            means=whys,
            why_not=stay.why,
        )
    trial = planned(door, stay, ports.ledger, taken=_taken(call, door))
    return CodeTestPreview(
        as_of=call.now,
        device_id=device_id,
        name=door.name,
        read_at=reading.read_at,
        slots=slots,
        slot=stay.reference,
        booking_id=trial.booking_id,
        starts_at=stay.starts_at,
        ends_at=stay.ends_at,
        means=tuple(line.strip() for line in trial.lines()),
        why_not="the lock is full; the next code that ends makes room" if trial.is_full else "",
    )


def order_test(call: Call) -> Outcome:
    """Have the test code made. Raises NotFound, Conflict, Unusable."""
    device_id, body, ports = call.path["device_id"].lower(), call.body, call.ports
    if not body.knows_it_stays:
        raise Unusable({"knows_it_stays": "must be true: a code can't be taken back once it is made. Nothing was done"})
    if not ports.last_read.of([device_id]):
        raise NotFound("This door was never read.")
    if body.starts_at <= call.now:
        raise Conflict("This stay has begun. Nothing was done; look at the preview again.")
    choice = SlotOrder(door=device_id, slot=body.slot, window=Window(body.starts_at, body.ends_at))
    command = OpsCommand(action=TEST, target=device_id, by=who(call), choice=choice, reason=body.reason)
    before = {it.order_id for it in ports.door_tests.of(device_id)}

    def news() -> list[DoorTest]:
        return [it for it in ports.door_tests.of(device_id) if it.order_id not in before]

    order = give(ports, command, until=lambda _: bool(news()))
    if not order.is_done:
        waiting = not_yet(ports, order.entry_id)
        order_id = order.entry_id if waiting.is_open else ""
        return Outcome(done=False, outcome=OrderOutcome.WAITING, text=waiting.text, order=order_id)
    # Others may order at the same time.
    ours = [it for it in news() if it.order_id == order.entry_id] or news()
    view = next(_views(call, ours[:1]))
    outcome = OrderOutcome.REFUSED if view.outcome is CodeTestOutcome.REFUSED else OrderOutcome.DONE
    return Outcome(done=outcome is OrderOutcome.DONE, outcome=outcome, text=view.text, state=view.state)


def tests_of(call: Call, device_id: str, door: Door | None) -> tuple[CodeTestView, ...]:
    """Return what became of the door's tests, the newest first; `door` as it was last read gives slots their names."""
    counts: Counter[str] = Counter()
    newest: list[DoorTest] = []
    for test in call.ports.door_tests.of(device_id):
        # Ordered again, or by several at once, it is one booking and one code.
        newest += [test] if not counts[_of_what(test)] else []
        counts[_of_what(test)] += 1
    names = {it.slot: it.name for it in _slots(door)} if door is not None else {}
    return tuple(
        replace(view, slot_name=names.get(view.slot, view.slot), orders=counts[_of_what(test)])
        for test, view in zip(newest, _views(call, newest), strict=True)
    )


def _of_what(test: DoorTest) -> str:
    """Return what orders of one test code have in common: its booking. A refused order has none, and stands alone."""
    return test.booking_id or test.order_id


def _slots(door: Door) -> Iterator[CodeTestSlot]:
    for slot in door.slots:
        if reference := reference_of(slot, door):
            times = f"{slot.check_in or '?'}–{slot.check_out or '?'}"
            yield CodeTestSlot(slot=reference, name=slot.name or reference, times=times)


def _taken(call: Call, door: Door) -> int:
    """Return how many codes the lock has: as Seam says now, else as the ledger knows it."""
    if call.ports.codes is not None:
        try:
            return call.ports.codes.on_door(door.device_id).alive_at(call.now)
        except SeamError:
            pass
    doors = (it for booking in call.ports.ledger.of_door(door.device_id) for it in booking.doors)
    codes = (code for it in doors if it.device_id == door.device_id for code in (it.code, *it.residual) if code)
    return sum(code.window.ends_at > call.now for code in codes)


def _views(call: Call, tests: Sequence[DoorTest]) -> Iterator[CodeTestView]:
    ids = {test.booking_id for test in tests if test.booking_id}
    bookings = call.ports.search.get_many(ids) if ids else {}
    for number, test in enumerate(tests):
        booking = bookings.get(test.booking_id)
        steps = tuple(_steps(call, booking)) if booking is not None and number < _WITH_STEPS else ()
        yield _view(test, booking, steps)


def _view(test: DoorTest, booking: Booking | None, steps: tuple[CodeTestStep, ...]) -> CodeTestView:
    outcome = _outcome(test, booking)
    return CodeTestView(
        ordered_at=test.at,
        by=test.by,
        why=test.reason,
        slot=test.slot,
        slot_name=test.slot,
        starts_at=test.starts_at,
        ends_at=test.ends_at,
        outcome=outcome,
        text=_said(test, booking, outcome),
        booking_id=test.booking_id,
        state=str(booking.state) if booking is not None else "",
        reason=booking.reason if booking is not None else "",
        steps=steps,
    )


def _outcome(test: DoorTest, booking: Booking | None) -> CodeTestOutcome:
    if test.refused:
        return CodeTestOutcome.REFUSED
    if booking is None:
        return CodeTestOutcome.ASKED
    if booking.state in _OVER:
        return CodeTestOutcome.OVER
    if booking.state in _FAILED:
        return CodeTestOutcome.FAILED
    if booking.state is State.READY:
        return CodeTestOutcome.USABLE
    return CodeTestOutcome.MADE if any(door.code for door in booking.doors) else CodeTestOutcome.ASKED


def _said(test: DoorTest, booking: Booking | None, outcome: CodeTestOutcome) -> str:
    match outcome:
        case CodeTestOutcome.REFUSED:
            return f"No test code is made: {test.refused}."
        case CodeTestOutcome.ASKED:
            return "The test code is ordered."
        case CodeTestOutcome.MADE:
            return "The test code is made; Seam doesn't confirm it yet."
        case CodeTestOutcome.USABLE:
            return "The test code is usable."
        case CodeTestOutcome.FAILED:
            why = f": {booking.reason.replace('_', ' ')}" if booking is not None and booking.reason else ""
            return f"The test code is not usable{why}. Its booking says what to do."
        case CodeTestOutcome.OVER:
            return "The test is over."


def _steps(call: Call, booking: Booking) -> Iterator[CodeTestStep]:
    for line in call.ports.ledger.history_of(booking):
        if line.what in _STEPS:
            yield CodeTestStep(at=line.at, text=line.text)


OPERATIONS: Final = (
    Operation(
        name="test_preview",
        method="GET",
        path=_PATH,
        role=Role.OPERATOR,
        summary="What a test code for the door would be, and what it means. Asks Seam; does nothing.",
        handle=preview_test,
        query=CodeTestQuery,
        answer=CodeTestPreview,
        page=_PATH,
        template="door_test.html",
        errors=(404,),
    ),
    Operation(
        name="test_door",
        method="POST",
        path=_PATH,
        role=Role.OPERATOR,
        summary="Make a test code for the door. It can't be taken back.",
        handle=order_test,
        answer=Outcome,
        body=CodeTestBody,
        page=_PATH,
        leads_to="/doors/{device_id}",
        note=note_of,
        errors=(404, 409),
    ),
)
