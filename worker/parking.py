"""Parks a message, and makes the job that alerts people of it (`worker/handlers/tell_parked.py`) due soon."""

from collections.abc import Mapping
from datetime import timedelta
from typing import Final

from shared.clock import Clock
from shared.domain.messages.hints import hints_of
from shared.ledger.due_set import DueSet, periodic_job_item
from shared.parked import Parked, ParkedList
from shared.replay_results import ReplayEnd, ReplayResult, ReplayResults, is_replayed

TELL_PARKED: Final = "tell_parked"
"""The name of the periodic job that tells people."""
# Messages that are parked together are told together.
_TOLD_AFTER: Final = timedelta(seconds=1)
# What a person reads of a message that was parked again after it is off the list.
_MOST_PROBLEMS: Final = 20


class Parking:
    """The parked list, and the prompt to tell of it."""

    def __init__(self, parked: ParkedList, replays: ReplayResults, due: DueSet, clock: Clock) -> None:
        self._parked = parked
        self._replays = replays
        self._due = due
        self._clock = clock

    def park(self, parked: Parked, *, entry_id: str, entry: Mapping[str, str]) -> None:
        """Keep the message of an entry. Cut off after that, it is told a minute later, and may be parked twice.

        Where the entry was replayed, it is noted that it is parked again, and why.
        """
        parked_id = self._parked.park(parked)
        if is_replayed(entry):
            result = ReplayResult(
                end=ReplayEnd.PARKED,
                booking_id=hints_of(parked.message).booking_id or "",
                parked_id=parked_id,
                problems=parked.problems[:_MOST_PROBLEMS],
            )
            self._replays.note(parked.stream, {entry_id: result})
        self.tell_soon()

    def tell_soon(self) -> None:
        """Have people told how the list stands now: many changes within a second are told once."""
        self._due.advance([periodic_job_item(TELL_PARKED)], self._clock() + _TOLD_AFTER)
