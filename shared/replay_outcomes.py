"""What became of replayed messages, in words: the console and the command line say the same."""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum

from shared.domain.booking.record import Booking
from shared.domain.quoting import shown
from shared.parked import ParkedList
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
    DISCARDED = "discarded"
    """It was thrown away before: `text` says by whom. No replay of it was done."""
    NOT_USED = "not_used"
    """Another order of this message was done first, and the text of this one wasn't used: `text` says whose was, and
    what became of that."""


USED = (ReplayOutcome.APPLIED, ReplayOutcome.UNCHANGED, ReplayOutcome.RECORDED)


@dataclass(frozen=True, slots=True, kw_only=True)
class ReplayStory:
    """What became of one replay; `text` says all of it in sentences.

    `booking` is the one that it concerns as it stands now, None where there is none. `problems` are those of a message
    that was parked again, also where it `is_parked` no more.
    """

    replayed: Replayed
    outcome: ReplayOutcome
    text: str
    booking: Booking | None
    problems: tuple[str, ...]
    is_parked: bool

    @property
    def result(self) -> ReplayResult:
        """What was noted; an empty result where nothing was, or not yet."""
        return self.replayed.result or ReplayResult(end="")


def stories_of(
    replayed: Mapping[str, Replayed],
    *,
    bookings: Callable[[Collection[str]], Mapping[str, Booking]],
    parked: ParkedList,
) -> dict[str, ReplayStory]:
    """Return what became of these replays, by their ids. `bookings` reads bookings. Two round trips at most."""
    results = [it.result for it in replayed.values() if it.result is not None]
    booking_ids = {it.booking_id for it in results if it.booking_id}
    parked_ids = {it.parked_id for it in results if it.parked_id}
    known = bookings(booking_ids) if booking_ids else {}
    on_list = parked.get_many(parked_ids) if parked_ids else {}
    found: dict[str, ReplayStory] = {}
    for name, it in replayed.items():
        result = it.result or ReplayResult(end="")
        entry = on_list.get(result.parked_id)
        # A worker that didn't note the problems yet left them on the list alone.
        problems = result.problems or (entry.parked.problems if entry is not None else ())
        found[name] = _story(it, known.get(result.booking_id), problems, is_parked=entry is not None)
    return found


def _story(it: Replayed, booking: Booking | None, problems: tuple[str, ...], *, is_parked: bool) -> ReplayStory:
    outcome = _outcome(it)
    sentences = _sentences(it, outcome, problems, is_parked=is_parked)
    stands = _how_it_stands(booking)
    return ReplayStory(
        replayed=it,
        outcome=outcome,
        text=" ".join((*sentences, *stands)),
        booking=booking,
        problems=problems,
        is_parked=is_parked,
    )


def _outcome(it: Replayed) -> ReplayOutcome:
    if it.waits:
        return ReplayOutcome.WAITING
    if it.result is None or it.result.end not in tuple(ReplayEnd):
        return ReplayOutcome.NOT_NOTED
    return ReplayOutcome(it.result.end)


def _sentences(it: Replayed, outcome: ReplayOutcome, problems: tuple[str, ...], *, is_parked: bool) -> Iterator[str]:
    result = it.result or ReplayResult(end="")
    named = f"booking {shown(result.booking_id)}"
    match outcome:
        case ReplayOutcome.APPLIED:
            revision = f", revision {result.revision}" if result.revision is not None else ""
            yield f"It was applied as {named}{revision}."
        case ReplayOutcome.UNCHANGED:
            yield f"It was used, and {named} stays as it was: {result.why}."
        case ReplayOutcome.RECORDED:
            yield f"The event was recorded{f' for {named}' if result.booking_id else ''}."
        case ReplayOutcome.PARKED:
            told = "; ".join(map(shown, problems))
            yield f"It could not be used, and was parked again{f': {told}' if told else ''}."
            if not is_parked:
                yield "It is no longer on the list."
        case ReplayOutcome.WAITING:
            yield f"It is back in {shown(it.stream)}, and no worker has worked on it yet."
        case ReplayOutcome.NOT_NOTED:
            yield (
                f"It went back to {shown(it.stream)} and was taken from there by a worker of another version, so"
                " what became of it was not noted. Look at its booking."
            )
        case ReplayOutcome.DISCARDED | ReplayOutcome.NOT_USED:
            # Of an order that came too late: never of the replay that was done.
            pass


def _how_it_stands(booking: Booking | None) -> Iterator[str]:
    if booking is not None:
        why = f" ({booking.reason.replace('_', ' ')})" if booking.reason else ""
        yield f"The booking is {booking.state}{why}."
