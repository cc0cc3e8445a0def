"""What became of the orders of a parked message, in sentences: the console and the command line say the same."""

from collections.abc import Iterable, Iterator

from shared.domain.entry_ids import moment_of
from shared.domain.quoting import shown
from shared.parked_orders import Discarded, ParkedOrder


def discarded_text(note: Discarded) -> str:
    """Say who discarded a message, when and why."""
    given = note.given
    why = f": {shown(given.reason)}" if given.reason else "."
    return f"{_who(given)} discarded it at {note.discarded_at:%Y-%m-%d %H:%M:%S} UTC{why}"


def not_done_text(mine: ParkedOrder, counted: ParkedOrder, *, is_applied: bool = False) -> str:
    """Say of an order that did nothing, to who gave it, which other one counted. `is_applied`: that made a booking."""
    what = "discard" if mine.is_discard else "correction" if mine.text else "replay"
    if counted.is_discard:
        return f"{_who(counted)} discarded the message before; your {what} did nothing."
    if mine.is_discard:
        return f"{_replayed(counted)} before; your discard did nothing."
    if counted.text:
        other = "Another correction" if mine.text else "A correction"
        came = "was applied" if is_applied else "came first"
        return f"{other} by {_who(counted)} {came}; yours was not used."
    return f"{_replayed(counted)} before, as it was; your correction was not used."


def late_lines(late: Iterable[ParkedOrder], counted: ParkedOrder) -> Iterator[str]:
    """Say of each order that came too late, and would have done something else, that it did nothing."""
    for it in late:
        if not it.asks_for_the_same(counted):
            what = "a discard" if it.is_discard else "a correction" if it.text else "a replay as it was"
            at = f"{moment_of(it.order):%Y-%m-%d %H:%M:%S}"
            yield f"{_who(it)} ordered {what} at {at} UTC: that came too late, and did nothing."


def _replayed(counted: ParkedOrder) -> str:
    if not counted.by:
        return "The message was replayed without an order (its unit was added to the doors file)"
    return f"{_who(counted)} replayed the message"


def _who(given: ParkedOrder) -> str:
    return shown(given.by) or "Somebody"
