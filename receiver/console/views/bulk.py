"""One order for all bookings that match a filter: which they are, then what became of each.

What was previewed is what is done: where something else matches by now, nothing is done.
"""

import hashlib
import time
from collections.abc import Callable, Iterable
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Annotated, Final, Literal

from pydantic import Field

from receiver.console.commands import order_many
from receiver.console.operations import Call, Conflict, Operation, Unusable
from receiver.console.views.booking_actions import By, who, why_not_retried
from receiver.console.views.bookings import FilterFields, filter_of, shown_check_in
from shared.console_tokens import Role
from shared.domain.booking.record import Booking
from shared.ops_commands import CANCEL, LONGEST_REASON, RETRY, OpsCommand

MOST: Final = 1_000
# How long an answer waits until what was ordered is to be seen in the bookings.
_SEEN_WITHIN: Final = 5.0
_POLL: Final = 0.2
Why = Annotated[str, Field(min_length=3, max_length=LONGEST_REASON)]
Mark = Annotated[str, Field(max_length=64)]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkBookingsQuery(FilterFields):
    """Which bookings, and what for."""

    action: Literal["retry", "cancel"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkBookingsBody(FilterFields):
    """Which bookings, what, and why. `mark` is of the preview: other bookings than those are not meant."""

    action: Literal["retry", "cancel"]
    why: Why
    mark: Mark = ""
    by: By = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkTarget:
    """One that matches. `why_not` is empty where it would be done. `about` tells people which it is."""

    id: str
    about: str
    state: str
    why_not: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkPreview:
    """Which match, and what would be done. `matching` counts all; of more than `most` only the first are meant."""

    as_of: datetime
    kind: str
    action: str
    matching: int
    most: int
    to_do: int
    mark: str
    targets: tuple[BulkTarget, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NotDone:
    """One that was not done, and why."""

    id: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkOutcome:
    """How many were done, which were not, and why not. `matching` counts all, `left` those beyond the first 1,000.

    `not_yet` are ordered, and not done within the time that an answer waits; they aren't lost.
    """

    kind: str
    action: str
    matching: int
    left: int
    done: int
    not_yet: tuple[str, ...]
    not_done: tuple[NotDone, ...]
    text: str


def preview_bookings(call: Call) -> BulkPreview:
    """Name the bookings that match, and those of them that nothing can be done for. Raises Unusable."""
    bookings, count = _bookings(call)
    targets = tuple(_target(booking, call.query.action) for booking in bookings)
    return preview_of(call, "bookings", count, targets)


def do_bookings(call: Call) -> BulkOutcome:
    """Order it for each booking that matches. Raises Unusable, and Conflict where others match than were previewed."""
    body: BulkBookingsBody = call.body
    bookings, count = _bookings(call)
    targets = tuple(_target(booking, body.action) for booking in bookings)
    action = RETRY if body.action == "retry" else CANCEL

    def unseen(ids: Iterable[str]) -> list[str]:
        if body.action == "retry":
            return []
        return [name for name, booking in call.ports.search.get_many(ids).items() if not booking.cancelled]

    return _do(call, count, targets, action=action, unseen=unseen)


def _bookings(call: Call) -> tuple[tuple[Booking, ...], int]:
    """Return the first bookings that match, and how many do."""
    query = call.query if call.body is None else call.body
    is_filtered = any(getattr(query, each.name) for each in fields(FilterFields))
    if query.action == "cancel" and not is_filtered:
        raise Unusable({"filter": "says nothing: all bookings there are can't be cancelled at once"})
    found = call.ports.search.find(filter_of(query, call.ports), limit=MOST)
    counted = found.counts.get(str(query.state), 0) if query.state else sum(found.counts.values())
    is_all = not found.cursor and not found.is_cut
    return found.bookings, len(found.bookings) if is_all else max(counted, len(found.bookings) + 1)


def _target(booking: Booking, action: str) -> BulkTarget:
    why_not_cancelled = "it is cancelled already" if booking.cancelled else ""
    why_not = why_not_retried(booking) if action == "retry" else why_not_cancelled
    about = ", ".join(filter(None, (booking.label, shown_check_in(booking))))
    return BulkTarget(id=booking.booking_id, about=about, state=str(booking.state), why_not=why_not)


def preview_of(call: Call, kind: str, count: int, targets: tuple[BulkTarget, ...]) -> BulkPreview:
    """Return the preview of an order for these; `count` is how many match."""
    return BulkPreview(
        as_of=call.now,
        kind=kind,
        action=call.query.action,
        matching=count,
        most=MOST,
        to_do=sum(not each.why_not for each in targets),
        mark=mark_of(targets),
        targets=targets,
    )


def _do(
    call: Call,
    count: int,
    targets: tuple[BulkTarget, ...],
    *,
    action: str,
    unseen: Callable[[Iterable[str]], list[str]],
) -> BulkOutcome:
    """Order, and say what became of each. `unseen` returns those of which it isn't to be seen yet that it was done."""
    check_mark(call, targets)
    wanted = [each.id for each in targets if not each.why_not]
    not_done = tuple(NotDone(id=each.id, why=each.why_not) for each in targets if each.why_not)
    by, why = who(call), call.body.why
    taken = order_many(call.ports, [OpsCommand(action=action, target=name, by=by, reason=why) for name in wanted])
    waiting = [name for name, is_taken in zip(wanted, taken, strict=True) if is_taken]
    deadline = time.monotonic() + _SEEN_WITHIN
    while (waiting := unseen(waiting)) and time.monotonic() < deadline:
        time.sleep(_POLL)
    unseen_yet = set(waiting)
    not_yet = [name for name, is_taken in zip(wanted, taken, strict=True) if not is_taken or name in unseen_yet]
    done, left = len(wanted) - len(not_yet), count - len(targets)
    said = [f"{done} of {len(targets)} were done."]
    said += [f"{len(not_yet)} are ordered, and not done yet: workers do them as soon as they can."] if not_yet else []
    said += [f"For {len(not_done)} there was nothing to do."] if not_done else []
    said += [f"{left} more match: order it again for them."] if left else []
    return BulkOutcome(
        kind="bookings",
        action=call.body.action,
        matching=count,
        left=left,
        done=done,
        not_yet=tuple(not_yet),
        not_done=not_done,
        text=" ".join(said),
    )


def check_mark(call: Call, targets: tuple[BulkTarget, ...]) -> None:
    """Check that these are what the person was shown. Raises Conflict."""
    if call.body.mark not in ("", mark_of(targets)):
        raise Conflict(f"Others match by now than were shown: {len(targets)}. Nothing was done; look again.")


def mark_of(targets: tuple[BulkTarget, ...]) -> str:
    """Return what changes with what matches; not with what becomes of it meanwhile."""
    told = "\n".join(sorted(each.id for each in targets))
    return hashlib.sha256(told.encode("utf-8", "replace")).hexdigest()[:16]


OPERATIONS: Final = (
    Operation(
        name="bulk_bookings_preview",
        method="GET",
        path="/bulk/bookings",
        role=Role.OPERATOR,
        summary="Which bookings match a filter, and for which of them something would be done. Does nothing.",
        handle=preview_bookings,
        query=BulkBookingsQuery,
        answer=BulkPreview,
        page="/bulk/bookings",
        template="bulk.html",
        errors=(400,),
    ),
    Operation(
        name="bulk_bookings",
        method="POST",
        path="/bulk/bookings",
        role=Role.OPERATOR,
        summary="Retry or cancel all bookings that match a filter, 1,000 at most; says which were not done, and why.",
        handle=do_bookings,
        answer=BulkOutcome,
        body=BulkBookingsBody,
        page="/bulk/bookings",
        template="bulk_done.html",
        errors=(400, 409),
    ),
)
