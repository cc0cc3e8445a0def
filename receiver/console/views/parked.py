"""Parked messages: every problem beside its field, and what is ordered. `replays` replays them, `discards` discards."""

import json
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from receiver.console.open_orders import OpenOrder, open_orders
from receiver.console.operations import Call, NotFound, Operation
from shared.console_tokens import Role
from shared.domain.messages.hints import hints_of
from shared.domain.messages.parked_kind import ParkedKind
from shared.ops_commands import OF_PARKED
from shared.parked import ParkedEntry, ParkedList, is_parked_id, kind_of
from shared.parked_order_texts import discarded_text
from shared.refused_messages import lines_of

_MOST: Final = 200
_MOST_REFUSED: Final = 50
_MOST_FIELDS: Final = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedProblem:
    """One thing that is wrong: where, what, and what would be right."""

    field: str
    wrong: str
    right: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedRow:
    """One parked message. `booking_id` is empty where the message names no booking. `kind` is what it was meant as.

    `orders` are the replays and discards of it that no worker has done yet, oldest first: the first one counts.
    """

    parked_id: str
    stream: str
    kind: str
    parked_at: str
    booking_id: str
    problems: tuple[ParkedProblem, ...]
    orders: tuple[OpenOrder, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedFields:
    """Which parked messages; all of it together. `q` is a part of the booking's id or of what is wrong.

    `kind` is `booking`, `change`, `cancellation`, `unreadable` or `event`.
    """

    stream: Annotated[str, Field(max_length=200)] = ""
    field: Annotated[str, Field(max_length=200)] = ""
    q: Annotated[str, Field(max_length=200)] = ""
    kind: ParkedKind | Literal[""] = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedView(ParkedRow):
    """One parked message with its text, laid out where it is JSON."""

    as_of: datetime
    message: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ParkedMessages:
    """The oldest of the parked messages that match; `total` is how many do, of `all` that are parked.

    `streams` and `fields` are those that parked messages have. `refused` says what `POST /bookings` refused in the last
    seven days, the newest first.
    """

    as_of: datetime
    total: int
    all: int
    streams: tuple[str, ...]
    fields: tuple[str, ...]
    parked: tuple[ParkedRow, ...]
    refused: tuple[str, ...]


def read_parked(call: Call) -> ParkedMessages:
    """Return the list."""
    rows = list(matching(call.ports.parked, ParkedFields()))
    found = [row for row in rows if _fits(row, call.query)]
    orders = _orders(call, (row.parked_id for row in found[:_MOST]))
    return ParkedMessages(
        as_of=call.now,
        total=len(found),
        all=len(rows),
        streams=tuple(sorted({row.stream for row in rows})),
        fields=tuple(sorted({each.field for row in rows for each in row.problems if each.field})[:_MOST_FIELDS]),
        parked=tuple(replace(row, orders=tuple(orders.get(row.parked_id, ()))) for row in found[:_MOST]),
        refused=tuple(lines_of(call.ports.refused.lately(call.now), most=_MOST_REFUSED)),
    )


def _orders(call: Call, parked_ids: Iterable[str]) -> dict[str, list[OpenOrder]]:
    wanted = frozenset(parked_ids)
    return open_orders(call.ports, lambda it: it.action in OF_PARKED and it.target in wanted) if wanted else {}


def matching(parked: ParkedList, wanted: ParkedFields) -> Iterator[ParkedRow]:
    """Yield the parked messages that match, oldest first."""
    return (row for row in map(_row, parked.list()) if _fits(row, wanted))


def _fits(row: ParkedRow, wanted: ParkedFields) -> bool:
    text = wanted.q.strip().casefold()
    told = (row.booking_id, *(f"{each.field} {each.wrong}" for each in row.problems))
    return (
        wanted.stream in ("", row.stream)
        and wanted.kind in ("", row.kind)
        and (not wanted.field or any(each.field == wanted.field for each in row.problems))
        and (not text or any(text in each.casefold() for each in told))
    )


def read_one(call: Call) -> ParkedView:
    """Return one message. Raises NotFound."""
    entry = find_parked(call)
    row = _row(entry)
    return ParkedView(
        as_of=call.now,
        parked_id=row.parked_id,
        stream=row.stream,
        kind=row.kind,
        parked_at=row.parked_at,
        booking_id=row.booking_id,
        problems=row.problems,
        orders=tuple(_orders(call, [row.parked_id]).get(row.parked_id, ())),
        message=laid_out(entry.parked.message),
    )


def find_parked(call: Call) -> ParkedEntry:
    """Return the message that the address names. Raises NotFound, which leads to what became of one that was there."""
    parked_id = call.path["parked_id"]
    entry = call.ports.parked.get(parked_id) if is_parked_id(parked_id) else None
    if entry is not None:
        return entry
    if is_parked_id(parked_id):
        became = {"What became of it": f"/parked/{parked_id}/replay"}
        if call.ports.replays.of([parked_id]):
            raise NotFound("This message was replayed: it is no longer on the list.", became)
        if discarded := call.ports.parked_orders.discarded([parked_id]).get(parked_id):
            raise NotFound(f"This message is no longer on the list. {discarded_text(discarded)}", became)
    raise NotFound("Nothing is parked under this id.")


def _row(entry: ParkedEntry) -> ParkedRow:
    return ParkedRow(
        parked_id=entry.parked_id,
        stream=entry.parked.stream,
        kind=str(kind_of(entry.parked)),
        parked_at=entry.parked.parked_at,
        booking_id=hints_of(entry.parked.message).booking_id or "",
        problems=tuple(problems_of(entry.parked.problems)),
    )


def problems_of(problems: Iterable[str]) -> Iterator[ParkedProblem]:
    """Yield the problems in their parts, as `shared.domain.messages.message.Problem` writes them."""
    for text in problems:
        field, separator, rest = text.partition(": ")
        wrong, _, right = rest.partition("; ")
        yield ParkedProblem(field=field if separator else "", wrong=wrong if separator else text, right=right)


def laid_out(message: str) -> str:
    """Return a message as a person reads and corrects it."""
    try:
        return json.dumps(json.loads(message), indent=2, ensure_ascii=False)
    except (ValueError, RecursionError):
        return message


OPERATIONS: Final = (
    Operation(
        name="parked",
        method="GET",
        path="/parked",
        role=Role.VIEWER,
        summary="Messages that could not be used, oldest first.",
        handle=read_parked,
        query=ParkedFields,
        answer=ParkedMessages,
        page="/parked",
        template="parked.html",
    ),
    Operation(
        name="parked_message",
        method="GET",
        path="/parked/{parked_id}",
        role=Role.VIEWER,
        summary="One parked message, with every problem beside its field.",
        handle=read_one,
        answer=ParkedView,
        page="/parked/{parked_id}",
        template="parked_message.html",
        errors=(404,),
    ),
)
