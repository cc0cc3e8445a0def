"""What a booking keeps of slots that a person may choose, and of the one that somebody chose: values only."""

from dataclasses import dataclass, field
from datetime import datetime
from shlex import quote

from shared.domain.quoting import is_showable, shown
from shared.domain.versions import NOT_IN_JSON, UnknownFields

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotOffer:
    """A slot that a person may choose: the window that its code would have, and what that means for the guest.

    `slot` is the reference by which matching finds it, `name` how it is called, `typed` what a person types for it: the
    name where that is enough. Nothing in it is about the guest.
    """

    slot: str
    name: str
    starts_at: datetime
    ends_at: datetime
    meaning: str
    typed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSlot:
    """The slot that a person chose for one door of a booking: which, who, when. It holds until the stay changes."""

    slot: str
    name: str
    by: str
    at: datetime
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


def can_be_typed(name: str) -> bool:
    """Say whether a slot's name can be read, and pasted into a shell from a message."""
    return 0 < len(name) <= _LONGEST_NAME and is_showable(name) and name[0] != "-" and "`" not in name


def choose_command(booking_id: str, offer: SlotOffer | None, *, door_key: str = "") -> str:
    """Return the command that takes the slot, ready to paste into a shell; without an `offer`, the one that lists them.

    `door_key` is for a booking of several doors, each of which has slots of its own.
    """
    words = ["oracode", "bookings", "choose", booking_id]
    words += [offer.typed or offer.slot] if offer is not None else []
    words += ["--door", door_key] if door_key else []
    return " ".join(map(quote, words))


def called(name: str) -> str:
    """Return a slot's name as a sentence can hold it: in quotation marks, printable and short."""
    return f"“{short(name) or '(no name)'}”"


def short(name: str) -> str:
    """Return a name from outside, printable and short."""
    text = shown(name[: _LONGEST_NAME + 1])
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
