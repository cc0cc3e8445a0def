"""What became of replayed messages, as pages and API show it: read from what the worker has stored."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from receiver.console.open_orders import NOT_YET, open_orders
from receiver.console.operations import Call
from receiver.console.views.parked import ParkedProblem, problems_of
from shared.ops_commands import REPLAY
from shared.replay_outcomes import ReplayOutcome, ReplayStory, stories_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayView:
    """What became of a replay. `done` is False while it waits; `text` says all of it in sentences.

    `booking_id` is empty where no booking is concerned; `state` and `reason` are how that booking stands now.
    `parked_again` is the id under which the message was parked again, and `is_parked` says whether it is still on the
    list; `problems` stay. `by` is who replayed it, empty where nobody had to. `replayed_at` is None where it is still
    on the list.
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


def became_of(call: Call, parked_ids: Iterable[str]) -> dict[str, ReplayView]:
    """Return what became of those of these messages that were replayed, or are ordered to be, by their ids."""
    wanted = list(parked_ids)
    replayed = call.ports.replays.of(wanted)
    views: dict[str, ReplayView] = {}
    if left := set(wanted).difference(replayed):
        waiting = open_orders(call.ports, lambda it: it.action == REPLAY and it.target in left)
        # A worker may have done it between the two looks.
        replayed |= call.ports.replays.of(left.difference(waiting))
        views = {name: _ordered(call, name, orders[0].text) for name, orders in waiting.items()}
    stories = stories_of(replayed, bookings=call.ports.search.get_many, parked=call.ports.parked)
    return views | {name: _view(call, name, story) for name, story in stories.items()}


def became_of_ordered(call: Call, parked_ids: Iterable[str]) -> dict[str, ReplayView]:
    """Return what became of these messages, whose replay was ordered: something of each."""
    wanted = list(parked_ids)
    views = became_of(call, wanted)
    left = [name for name in wanted if name not in views]
    parked = call.ports.parked.get_many(left) if left else {}
    return views | {name: _ordered(call, name) if name in parked else _taken_away(call, name) for name in left}


def _ordered(call: Call, parked_id: str, text: str = NOT_YET) -> ReplayView:
    return ReplayView(
        as_of=call.now,
        parked_id=parked_id,
        outcome=ReplayOutcome.WAITING,
        done=False,
        text=text,
    )


def _taken_away(call: Call, parked_id: str) -> ReplayView:
    text = (
        "It is no longer on the list, and no replay was noted: somebody discarded it meanwhile, or a worker of an older"
        " version replayed it. Look at its booking."
    )
    return ReplayView(as_of=call.now, parked_id=parked_id, outcome=ReplayOutcome.NOT_NOTED, done=True, text=text)


def _view(call: Call, parked_id: str, story: ReplayStory) -> ReplayView:
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
    )
