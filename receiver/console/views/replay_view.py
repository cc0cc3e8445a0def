"""What became of parked messages that were replayed or discarded, as pages and API show it.

It is read from what the worker has stored.
"""

from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import datetime

from receiver.console.open_orders import NOT_YET, OpenOrder, open_orders
from receiver.console.operations import Call
from receiver.console.views.parked import ParkedProblem, problems_of
from shared.ops_commands import OF_PARKED
from shared.parked_order_texts import discarded_text, late_lines, not_done_text
from shared.parked_orders import Discarded, ParkedOrder
from shared.replay_outcomes import ReplayOutcome, ReplayStory, stories_of
from shared.replay_results import counted_order


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayView:
    """What became of a replay. `done` is False while it waits; `text` says all of it in sentences.

    `booking_id` is empty where no booking is concerned; `state` and `reason` are how that booking stands now.
    `parked_again` is the id under which the message was parked again, and `is_parked` says whether it is still on the
    list; `problems` stay. `by` is who replayed it, ordered that, or discarded it; empty where nobody had to.
    `replayed_at` is None where it was not replayed. `orders` are those that no worker has done yet, oldest first.
    `too_late` says which orders did nothing, since another one was done first. `yours` says it of the order that is
    answered; empty where that one counted.
    """

    as_of: datetime
    parked_id: str
    outcome: ReplayOutcome
    done: bool
    text: str
    booking_id: str = ""
    revision: int | None = None
    state: str = ""
    reason: str = ""
    parked_again: str = ""
    is_parked: bool = False
    problems: tuple[ParkedProblem, ...] = ()
    stream: str = ""
    by: str = ""
    is_mended: bool = False
    replayed_at: datetime | None = None
    orders: tuple[OpenOrder, ...] = ()
    too_late: tuple[str, ...] = ()
    yours: str = ""


def became_of(call: Call, parked_ids: Iterable[str]) -> dict[str, ReplayView]:
    """Return what became of those of these messages that were replayed or discarded, or are ordered to be, by ids."""
    wanted = list(parked_ids)
    replayed, discarded = call.ports.replays.of(wanted), call.ports.parked_orders.discarded(wanted)
    views: dict[str, ReplayView] = {}
    if left := set(wanted).difference(replayed, discarded):
        waiting = open_orders(call.ports, lambda it: it.action in OF_PARKED and it.target in left)
        # A worker may have done it between the two looks.
        again = left.difference(waiting)
        replayed |= call.ports.replays.of(again)
        discarded |= call.ports.parked_orders.discarded(again)
        views = {name: _ordered(call, name, *orders) for name, orders in waiting.items()}
    late = call.ports.parked_orders.late([*replayed, *discarded])
    views |= {name: _discarded(call, name, note, late.get(name, ())) for name, note in discarded.items()}
    stories = stories_of(replayed, bookings=call.ports.search.get_many, parked=call.ports.parked)
    return views | {name: _view(call, name, story, late.get(name, ())) for name, story in stories.items()}


def became_of_ordered(call: Call, parked_ids: Iterable[str]) -> dict[str, ReplayView]:
    """Return what became of these messages, whose replay was ordered: something of each."""
    wanted = list(parked_ids)
    views = became_of(call, wanted)
    left = [name for name in wanted if name not in views]
    parked = call.ports.parked.get_many(left) if left else {}
    return views | {name: _ordered(call, name) if name in parked else _taken_away(call, name) for name in left}


def as_answer(call: Call, view: ReplayView, mine: ParkedOrder) -> ReplayView:
    """Return the view as the answer to the replay `mine`; it names the order that counted, where that is another."""
    counted = counted_order(call.ports.replays, call.ports.parked_orders, view.parked_id)
    if counted is None or mine.is_carried_out_by(counted):
        return view
    yours = not_done_text(mine, counted, is_applied=view.outcome is ReplayOutcome.APPLIED)
    outcome = view.outcome if counted.is_discard else ReplayOutcome.NOT_USED
    return replace(view, outcome=outcome, text=f"{yours} {view.text}", yours=yours)


def _ordered(call: Call, parked_id: str, *orders: OpenOrder) -> ReplayView:
    return ReplayView(
        as_of=call.now,
        parked_id=parked_id,
        outcome=ReplayOutcome.WAITING,
        done=False,
        text=orders[0].text if orders else NOT_YET,
        by=orders[0].by if orders else "",
        orders=orders,
    )


def _discarded(call: Call, parked_id: str, note: Discarded, late: tuple[ParkedOrder, ...]) -> ReplayView:
    return ReplayView(
        as_of=call.now,
        parked_id=parked_id,
        outcome=ReplayOutcome.DISCARDED,
        done=True,
        text=discarded_text(note),
        by=note.given.by,
        too_late=tuple(late_lines(late, note.given)),
    )


def _taken_away(call: Call, parked_id: str) -> ReplayView:
    text = (
        "It is no longer on the list, and nobody noted why: newer messages pushed it out, or a worker of an older"
        " version took it. Look at its booking."
    )
    return ReplayView(as_of=call.now, parked_id=parked_id, outcome=ReplayOutcome.NOT_NOTED, done=True, text=text)


def _view(call: Call, parked_id: str, story: ReplayStory, late: tuple[ParkedOrder, ...]) -> ReplayView:
    it, result, booking = story.replayed, story.result, story.booking
    return ReplayView(
        as_of=call.now,
        parked_id=parked_id,
        outcome=story.outcome,
        done=not it.waits,
        text=story.text,
        booking_id=result.booking_id,
        revision=result.revision,
        state=str(booking.state) if booking is not None else "",
        reason=booking.reason if booking is not None else "",
        parked_again=result.parked_id,
        is_parked=story.is_parked,
        problems=tuple(problems_of(story.problems)),
        stream=it.stream,
        by=it.by,
        is_mended=it.is_mended,
        replayed_at=it.replayed_at,
        too_late=tuple(late_lines(late, it.given)),
    )
