"""What a booking stores of the slots that a person may choose, and of the slot that was chosen: values only."""

from dataclasses import dataclass, field
from datetime import datetime
from shlex import quote

from shared.domain.quoting import is_showable, shown
from shared.domain.versions import NOT_IN_JSON, UnknownFields

_LONGEST_NAME = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotOffer:
    """A slot that a person may choose: the window that its code would have, and what that means for the guest.

    `slot` is the reference by which matching finds it. `typed` is what a person types for it: the name if that is
    unique. It holds no data of the guest.
    """

    slot: str
    name: str
    starts_at: datetime
    ends_at: datetime
    meaning: str
    typed: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChosenSlot:
    """The slot that a person chose for one door of a booking, by whom and when. It holds until the stay changes."""

    slot: str
    name: str
    by: str
    at: datetime
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


def can_be_typed(name: str) -> bool:
    """Say whether a slot's name can be read, and pasted into a shell from a message."""
    return 0 < len(name) <= _LONGEST_NAME and is_showable(name) and name[0] != "-" and "`" not in name


def choose_command(booking_id: str, offer: SlotOffer | None, *, door_key: str = "") -> str:
    """Return the shell command that chooses the slot; without an `offer`, the command that lists the slots.

    `door_key` is needed for a booking of several doors.
    """
    words = ["oracode", "bookings", "choose", booking_id]
    words += [offer.typed or offer.slot] if offer is not None else []
    words += ["--door", door_key] if door_key else []
    return " ".join(map(quote, words))


def called(name: str) -> str:
    """Return a slot's name for a sentence: in quotation marks, printable and short."""
    return f"“{short(name) or '(no name)'}”"


def short(name: str) -> str:
    """Return a name from outside, printable and short."""
    text = shown(name[: _LONGEST_NAME + 1])
    return text if len(text) <= _LONGEST_NAME else f"{text[: _LONGEST_NAME - 1]}…"
