"""What a booking keeps of slots that a person may choose, and of the one that somebody chose: values only."""

from dataclasses import dataclass, field
from datetime import datetime

from shared.domain.quoting import shown
from shared.domain.versions import NOT_IN_JSON, Beyond

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotOffer:
    """A slot that a person may choose: the window that its code would have, and what that means for the guest.

    `slot` is the reference by which matching finds it, `name` how it is called. Nothing in it is about the guest.
    """

    slot: str
    name: str
    starts_at: datetime
    ends_at: datetime
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSlot:
    """The slot that a person chose for one door of a booking: which, who, when. It holds until the stay changes."""

    slot: str
    name: str
    by: str
    at: datetime
    beyond: Beyond = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


def called(name: str) -> str:
    """Return a slot's name as a sentence can hold it: in quotation marks, printable and short."""
    return f"“{short(name) or '(no name)'}”"


def short(name: str) -> str:
    """Return a name from outside, printable and short."""
    text = shown(name[: _LONGEST_NAME + 1])
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
