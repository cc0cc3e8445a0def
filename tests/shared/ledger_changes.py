"""A small change of a booking, and its door's place in the due-set."""

from dataclasses import replace

from shared.domain.booking.record import Booking, Change, HistoryEntry
from shared.ledger.due_set import door_item
from tests.shared.stories import DOOR, NOW

MEMBER = door_item("BK-1", DOOR).encoded()


def labelled(it: Booking, label: str) -> Change:
    """Return the smallest change there is."""
    return Change(replace(it, label=f"{it.label or ''}{label}"), (HistoryEntry(at=NOW, what="x.y", text=label),))
