"""What became of replayed messages, as pages and API show it: read from what the worker has stored."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from receiver.console.commands import NOT_YET, ordered
from receiver.console.operations import Call
from receiver.console.views.parked import ParkedProblem, problems_of
from shared.domain.booking.record import Booking
from shared.domain.quoting import shown
from shared.ops_commands import REPLAY
from shared.parked import ParkedEntry
from shared.replay_results import Replayed, ReplayEnd, ReplayResult


class ReplayOutcome(StrEnum):
    """What became of a message that was replayed."""

    APPLIED = "applied"
    """A booking was made or changed by it: `booking_id`, `revision`."""
    UNCHANGED = "unchanged"
    """It was used, and its booking stays as it was: `text` says why."""
    RECORDED = "recorded"
    """An event of Seam: it was recorded."""
    PARKED = "parked"
    """It can't be used: it is parked again, as `parked_again`, with `problems`."""
    WAITING = "waiting"
    """No worker has worked on it yet. It isn't lost: look again."""
    NOT_NOTED = "not_noted"
    """It is gone from its stream or from the list, and nobody noted why: `text` says who can have done that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayView:
    """What became of a replay. `done` is False while it waits; `text` says all of it in sentences.

    `booking_id` is empty where no booking is concerned; `state` and `reason` are how that booking stands now.
    `parked_again` is the id under which the message is parked again; `problems` are empty where it no longer is. `by`
    is who replayed it, empty where nobody had to. `replayed_at` is None where it is still on the list.
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
    problems: tuple[ParkedProblem, ...] = ()
    stream: str = ""
    by: str = ""
    is_mended: bool = False
    replayed_at: datetime | None = None


def became_of(call: Call, parked_ids: Iterable[str]) -> dict[str, ReplayView]:
    """Return what became of those of these messages that were replayed, or are ordered to be, by their ids."""
    wanted = list(parked_ids)
    replayed = call.ports.replays.of(wanted)
    if left := [name for name in wanted if name not in replayed]:
        waiting = ordered(call.ports, REPLAY)
        # A worker may have done it between the two looks.
        replayed |= call.ports.replays.of(name for name in left if name not in waiting)
        views = {name: _ordered(call, name) for name in left if name in waiting and name not in replayed}
    else:
        views = {}
    return views | _Found.of(call, replayed).views()


def became_of_ordered(call: Call, parked_ids: Iterable[str]) -> dict[str, ReplayView]:
    """Return what became of these messages, whose replay was ordered: something of each."""
    wanted = list(parked_ids)
    views = became_of(call, wanted)
    left = [name for name in wanted if name not in views]
    parked = call.ports.parked.get_many(left) if left else {}
    return views | {name: _ordered(call, name) if name in parked else _taken_away(call, name) for name in left}


def _ordered(call: Call, parked_id: str) -> ReplayView:
    return ReplayView(
        as_of=call.now,
        parked_id=parked_id,
        outcome=ReplayOutcome.WAITING,
        done=False,
        text=NOT_YET,
    )


def _taken_away(call: Call, parked_id: str) -> ReplayView:
    text = (
        "It is no longer on the list, and no replay was noted: somebody discarded it meanwhile, or a worker of an older"
        " version replayed it. Look at its booking."
    )
    return ReplayView(as_of=call.now, parked_id=parked_id, outcome=ReplayOutcome.NOT_NOTED, done=True, text=text)


@dataclass(frozen=True, slots=True)
class _Found:
    """Replays with what they lead to: bookings by their ids, and what is parked again."""

    call: Call
    replayed: Mapping[str, Replayed]
    bookings: Mapping[str, Booking]
    parked: Mapping[str, ParkedEntry]

    @staticmethod
    def of(call: Call, replayed: Mapping[str, Replayed]) -> "_Found":
        """Read what the results name. Two round trips at most."""
        results = [it.result for it in replayed.values() if it.result is not None]
        booking_ids = {it.booking_id for it in results if it.booking_id}
        parked_ids = {it.parked_id for it in results if it.parked_id}
        return _Found(
            call,
            replayed,
            call.ports.search.get_many(booking_ids) if booking_ids else {},
            call.ports.parked.get_many(parked_ids) if parked_ids else {},
        )

    def views(self) -> dict[str, ReplayView]:
        return {name: self._view(name, it) for name, it in self.replayed.items()}

    def _view(self, parked_id: str, it: Replayed) -> ReplayView:
        result = it.result
        booking = self.bookings.get(result.booking_id) if result is not None else None
        again = self.parked.get(result.parked_id) if result is not None else None
        return ReplayView(
            as_of=self.call.now,
            parked_id=parked_id,
            outcome=_outcome(it),
            done=not it.waits,
            text=" ".join(self._sentences(it, booking, again)),
            booking_id=result.booking_id if result is not None else "",
            revision=result.revision if result is not None else None,
            state=str(booking.state) if booking is not None else "",
            reason=booking.reason if booking is not None else "",
            parked_again=result.parked_id if result is not None else "",
            problems=tuple(problems_of(again)) if again is not None else (),
            stream=it.stream,
            by=it.by,
            is_mended=it.is_mended,
            replayed_at=it.replayed_at,
        )

    def _sentences(self, it: Replayed, booking: Booking | None, again: ParkedEntry | None) -> Iterator[str]:
        result = it.result or ReplayResult(end="")
        named = f"booking {shown(result.booking_id)}"
        match _outcome(it):
            case ReplayOutcome.APPLIED:
                revision = f", revision {result.revision}" if result.revision is not None else ""
                yield f"It was applied as {named}{revision}."
            case ReplayOutcome.UNCHANGED:
                yield f"It was used, and {named} stays as it was: {result.why}."
            case ReplayOutcome.RECORDED:
                yield f"The event was recorded{f' for {named}' if result.booking_id else ''}."
            case ReplayOutcome.PARKED:
                problems = "; ".join(map(shown, again.parked.problems)) if again is not None else ""
                told = f": {problems}." if problems else ". It is no longer on the list."
                yield f"It could not be used, and was parked again{told}"
            case ReplayOutcome.WAITING:
                yield f"It is back in {shown(it.stream)}, and no worker has worked on it yet."
            case ReplayOutcome.NOT_NOTED:
                yield (
                    f"It went back to {shown(it.stream)} and was taken from there by a worker of another version, so"
                    " what became of it was not noted. Look at its booking."
                )
        if booking is not None:
            why = f" ({booking.reason.replace('_', ' ')})" if booking.reason else ""
            yield f"The booking is {booking.state}{why}."


def _outcome(it: Replayed) -> ReplayOutcome:
    if it.waits:
        return ReplayOutcome.WAITING
    if it.result is None or it.result.end not in tuple(ReplayEnd):
        return ReplayOutcome.NOT_NOTED
    return ReplayOutcome(it.result.end)
