"""A status, a type or an event in words that nobody here knows: the message is left to a person. Pure.

The word may mean that the booking is cancelled, in a language or a code that no list has. A code that is made for a
guest who cancelled mostly can't be taken back, and nobody notices it. But a parked message raises an alert, which is
the more urgent the nearer its check-in is. So a message passes only if its words are known to say that the booking
stands (docs/decisions/0007). A booking needs no status at all.
"""

from collections.abc import Collection, Iterator, Mapping
from itertools import islice
from typing import Any, Final

from shared.domain.masking import REMOVED
from shared.domain.messages.cancellations import HOW_TO_CANCEL, cancellations
from shared.domain.messages.message import MessageType, Problem
from shared.domain.messages.near_misses import FIELDS, plain_name, shown_name
from shared.domain.messages.status_fields import (
    LONGEST_NAME,
    WRAPS_THE_BOOKING,
    is_an_address,
    is_of_the_booking,
    is_of_the_past,
)
from shared.domain.messages.status_words import Meaning, meaning_of
from shared.domain.quoting import quoted

_IF_CANCELLED: Final = f"if it is cancelled, {HOW_TO_CANCEL}"
_RIGHT: Final = f"if it stands, leave this out, write confirmed, or set BOOKING_STATUS_WORDS; {_IF_CANCELLED}"
_RIGHT_IF_REMOVED: Final = f"if it stands, leave this out, or write confirmed; {_IF_CANCELLED}"
_DEEPEST: Final = 3
_MOST_PARTS: Final = 50
# An object under one of these names holds more than a word.
_HOLDS_MORE: Final = ("event", "action", "change", "operation", "type", "kind")


def unknown_statuses(fields: Mapping[str, Any], kind: MessageType, own: Collection[str] = ()) -> Iterator[Problem]:
    """Yield a problem for each status, type or event in words that aren't known; none for a cancellation.

    `own` are words of the booking system that say that a booking stands, by `status_key`. Not yielded is what
    `cancellations` names.
    """
    if kind is MessageType.CANCELLED:
        return
    is_address = is_an_address(islice(fields, 500))
    for name, value in fields.items():
        if name in FIELDS or (is_address and plain_name(name[:LONGEST_NAME]) == "state"):
            continue
        found = _unknown(name, value, own)
        if found is not None and not any(cancellations({name: value}, kind)):
            yield unknown_status(*found)


def unknown_status(name: str, value: object) -> Problem:
    """Return the problem of a status, a type or an event that isn't known to say that the booking stands."""
    if value == REMOVED:
        told, right = "a value that is not kept (it may be a PIN)", _RIGHT_IF_REMOVED
    else:
        told, right = quoted(value), _RIGHT
    return Problem(shown_name(name), f"{told} isn't known to say that the booking stands", right)


def _unknown(name: str, value: object, own: Collection[str], depth: int = 0) -> tuple[str, object] | None:
    """Return the path and the value of what isn't known, in a field or in an object that it holds."""
    plain = plain_name(name[:LONGEST_NAME])
    if is_of_the_past(name):
        return None
    if isinstance(value, Mapping) and (plain in WRAPS_THE_BOOKING or plain in _HOLDS_MORE):
        return _unknown_within(name, value, own, depth)
    if not is_of_the_booking(plain) or value is None or value is True:
        return None
    if not isinstance(value, Mapping | list):
        return None if _stands(value, own) else (name, value)
    parts = list(islice(_parts(value, 0), _MOST_PARTS + 1))
    known = [_stands(part, own) for part in parts]
    # In an object one known part is enough (`{"id": 3, "name": "confirmed"}`). In a list every part must be known.
    is_known = not parts or (any(known) if isinstance(value, Mapping) else all(known))
    return None if is_known and len(parts) <= _MOST_PARTS else (name, value)


def _unknown_within(name: str, value: Mapping[str, Any], own: Collection[str], depth: int) -> tuple[str, object] | None:
    """Return what isn't known in an object that holds the booking, or an event of it."""
    is_address = is_an_address(islice(value, _MOST_PARTS))
    for inner, held in islice(value.items(), _MOST_PARTS if depth < _DEEPEST else 0):
        is_state_of_address = is_address and plain_name(inner[:LONGEST_NAME]) == "state"
        found = None if is_state_of_address else _unknown(inner, held, own, depth + 1)
        if found is not None:
            return f"{name}.{found[0]}", found[1]
    return None


def _parts(value: Mapping[str, Any] | list[Any], depth: int) -> Iterator[object]:
    """Yield what an object or a list holds at any depth; what lies too deep as it is."""
    inner = [held for name, held in value.items() if not is_of_the_past(name)] if isinstance(value, Mapping) else value
    for held in inner:
        if isinstance(held, Mapping | list) and depth < _DEEPEST:
            yield from _parts(held, depth + 1)
        elif held is not None and not isinstance(held, bool):
            yield held


def _stands(value: object, own: Collection[str]) -> bool:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return False
    return meaning_of(str(value) if isinstance(value, str) else quoted(value), own) is Meaning.STANDS
