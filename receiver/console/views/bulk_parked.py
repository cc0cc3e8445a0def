"""One order for all parked messages that match a filter: which they are, then what became of each."""

import re
from collections import Counter
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final, Literal

from receiver.console.bulk_orders import BulkOrder, BulkOrders
from receiver.console.commands import order_many, wait_for
from receiver.console.operations import Call, NotFound, Operation
from receiver.console.views.booking_actions import By, who
from receiver.console.views.bulk import MOST, BulkPreview, BulkTarget, Mark, NotDone, Why, check_mark, preview_of
from receiver.console.views.parked import ParkedFields, matching
from receiver.console.views.replay_view import ReplayView, became_of, became_of_ordered
from shared.console_tokens import Role
from shared.ops_commands import DISCARD, REPLAY, OpsCommand
from shared.replay_outcomes import ReplayOutcome

_SEEN_WITHIN: Final = 5.0
_ID: Final = re.compile(r"[0-9a-f]{16}")
_SAID: Final = {
    ReplayOutcome.APPLIED: "applied",
    ReplayOutcome.UNCHANGED: "used, and changed nothing",
    ReplayOutcome.RECORDED: "recorded",
    ReplayOutcome.PARKED: "parked again",
    ReplayOutcome.WAITING: "not worked on yet",
    ReplayOutcome.NOT_NOTED: "gone, and nobody noted why",
    ReplayOutcome.DISCARDED: "discarded before",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkParkedQuery(ParkedFields):
    """Which parked messages, and what for."""

    action: Literal["replay", "discard"]


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkParkedBody(ParkedFields):
    """Which parked messages, what, and why. `mark` is of the preview."""

    action: Literal["replay", "discard"]
    why: Why
    mark: Mark = ""
    by: By = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class BulkParkedOutcome:
    """What became of each. `done` counts those that need nobody any more: discarded, or used in some way.

    `not_yet` are ordered, and no worker has done them yet; they aren't lost. `not_done` are parked again, or another
    order came first, and why. `replays` says of each replayed message what became of it, also of one that was to be
    discarded. `matching` counts all that matched, `left` those beyond
    the first 1,000. The same is found under `bulk_id` for a week.
    """

    as_of: datetime
    kind: str
    bulk_id: str
    action: str
    by: str
    why: str
    ordered_at: datetime
    matching: int
    left: int
    done: int
    not_yet: tuple[str, ...]
    not_done: tuple[NotDone, ...]
    replays: tuple[ReplayView, ...]
    text: str


def preview_parked(call: Call) -> BulkPreview:
    """Name the parked messages that match."""
    return preview_of(call, "parked", *_matching(call, call.query))


def do_parked(call: Call) -> BulkParkedOutcome:
    """Order it for each parked message that matches. Raises Conflict where others match than were previewed."""
    count, targets = _matching(call, call.body)
    check_mark(call, targets)
    action = REPLAY if call.body.action == "replay" else DISCARD
    ids = tuple(each.id for each in targets)
    given = BulkOrder(
        action=call.body.action, by=who(call), why=call.body.why, ordered_at=call.now, matching=count, ids=ids
    )
    bulk_id = BulkOrders(call.ports.redis).keep(given)
    order_many(call.ports, [OpsCommand(action=action, target=it, by=given.by, reason=given.why) for it in ids])
    wait_for(lambda: not _not_yet(call, given), within=_SEEN_WITHIN)
    return _outcome(call, bulk_id, given)


def read_outcome(call: Call) -> BulkParkedOutcome:
    """Say what became of an order for many. Raises NotFound."""
    bulk_id = call.path["bulk_id"]
    given = BulkOrders(call.ports.redis).get(bulk_id) if _ID.fullmatch(bulk_id) else None
    if given is None:
        raise NotFound("Nothing was ordered under this id within a week.")
    return _outcome(call, bulk_id, given)


def _matching(call: Call, wanted: ParkedFields) -> tuple[int, tuple[BulkTarget, ...]]:
    """Return how many parked messages match, and the oldest of them."""
    rows = list(matching(call.ports.parked, wanted))
    targets = tuple(
        BulkTarget(
            id=row.parked_id,
            about=", ".join(filter(None, (row.booking_id, row.parked_at[:19].replace("T", " ")))),
            state=f"{row.problems[0].field} {row.problems[0].wrong}".strip() if row.problems else "",
            why_not="",
        )
        for row in rows[:MOST]
    )
    return len(rows), targets


def _not_yet(call: Call, given: BulkOrder) -> bool:
    """Say whether a worker has still to do something. As cheap as a look can be that is taken again and again."""
    if call.ports.parked.get_many(given.ids):
        return True
    return call.ports.replays.wait(given.ids)


def _outcome(call: Call, bulk_id: str, given: BulkOrder) -> BulkParkedOutcome:
    replays: tuple[ReplayView, ...] = ()
    not_done: tuple[NotDone, ...] = ()
    if given.action == "replay":
        found = became_of_ordered(call, given.ids)
        replays = tuple(found[each] for each in given.ids)
        not_yet = tuple(it.parked_id for it in replays if not it.done)
        again = [it for it in replays if it.outcome in (ReplayOutcome.PARKED, ReplayOutcome.DISCARDED)]
        not_done = tuple(NotDone(id=it.parked_id, why=it.text) for it in again)
    else:
        parked = call.ports.parked.get_many(given.ids)
        not_yet = tuple(each for each in given.ids if each in parked)
        # Somebody replayed these before: the discard did nothing.
        replayed = call.ports.replays.of([each for each in given.ids if each not in parked])
        replays = tuple(became_of(call, replayed).values())
        not_done = tuple(NotDone(id=it.parked_id, why=f"It was replayed before. {it.text}") for it in replays)
    done, left = len(given.ids) - len(not_yet) - len(not_done), given.matching - len(given.ids)
    said = _said_of(replays) if given.action == "replay" else f"{done} of {len(given.ids)} were discarded."
    is_discard = given.action == "discard"
    more = [f"{len(not_yet)} are ordered, and no worker has done them yet."] if not_yet and is_discard else []
    were = "was" if len(not_done) == 1 else "were"
    more += [f"{len(not_done)} {were} replayed before, so the discard did nothing."] if not_done and is_discard else []
    more += [f"{left} more match: order it again for them."] if left else []
    return BulkParkedOutcome(
        as_of=call.now,
        kind="parked",
        bulk_id=bulk_id,
        action=given.action,
        by=given.by,
        why=given.why,
        ordered_at=given.ordered_at,
        matching=given.matching,
        left=left,
        done=done,
        not_yet=not_yet,
        not_done=not_done,
        replays=replays,
        text=" ".join((said, *more)),
    )


def _said_of(replays: Iterable[ReplayView]) -> str:
    counts = Counter(it.outcome for it in replays)
    parts = [f"{counts[outcome]} {said}" for outcome, said in _SAID.items() if counts[outcome]]
    return f"Of {counts.total()} messages: {', '.join(parts) or 'none'}."


OPERATIONS: Final = (
    Operation(
        name="bulk_parked_preview",
        method="GET",
        path="/bulk/parked",
        role=Role.OPERATOR,
        summary="Which parked messages match a filter. Does nothing.",
        handle=preview_parked,
        query=BulkParkedQuery,
        answer=BulkPreview,
        page="/bulk/parked",
        template="bulk.html",
        errors=(400,),
    ),
    Operation(
        name="bulk_parked",
        method="POST",
        path="/bulk/parked",
        role=Role.OPERATOR,
        summary="Replay or discard all parked messages that match a filter, 1,000 at most; says what became of each.",
        handle=do_parked,
        answer=BulkParkedOutcome,
        body=BulkParkedBody,
        page="/bulk/parked",
        leads_to="/bulk/parked/{bulk_id}",
        note=lambda _: "",
        errors=(400, 409),
    ),
    Operation(
        name="bulk_parked_outcome",
        method="GET",
        path="/bulk/parked/{bulk_id}",
        role=Role.VIEWER,
        summary="What became of each parked message that was replayed or discarded together with others, for a week.",
        handle=read_outcome,
        answer=BulkParkedOutcome,
        page="/bulk/parked/{bulk_id}",
        template="bulk_parked_done.html",
        errors=(404,),
    ),
)
