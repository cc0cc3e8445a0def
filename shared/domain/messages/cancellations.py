"""Finds cancellations that are expressed in another way than by the type `booking.cancelled`.

If a cancellation is taken for a booking, a code is made that nobody needs. So if any field says in a usual way that the
booking is cancelled, or doesn't stand, the message has a problem, which says how to cancel. Statuses in unknown words:
`shared.domain.messages.unknown_statuses`.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from itertools import islice
from typing import Any, Final

from shared.domain.messages.message import MessageType, Problem
from shared.domain.messages.near_misses import FIELDS, plain_name, shown_name
from shared.domain.messages.status_fields import (
    HOLD_BOOKINGS,
    LONGEST_NAME,
    WRAPS_THE_BOOKING,
    is_of_the_past,
    may_say_gone,
    tells_state,
)
from shared.domain.messages.status_words import Meaning, is_word_for_cancelled, meaning_of, names_a_cancellation
from shared.domain.quoting import quoted

HOW_TO_CANCEL: Final = (
    'send a CloudEvents envelope with "type": "booking.cancelled"; its data needs the booking_id alone'
)

_IF_IT_STANDS: Final = "; if the booking stands, leave the field out"
_DEEPEST: Final = 3
_MOST_LOOKED_AT: Final = 200

_IS_CANCELLED: Final = re.compile(
    r"(?:is|was)?cancell?ed|cancel|cancell?ed(?:at|on|date|time)|cancellation(?:at|date|time)"
    r"|(?:is)?(?:deleted|voided)(?:at|on|date|time)?"
)
_IS_GONE: Final = re.compile(
    r"(?:is|was)?(?:released|refunded|revoked|withdrawn|declined|rejected|noshow)(?:at|on|date|time)?"
)
_IS_ACTIVE: Final = re.compile(r"(?:is|booking|reservation)?(?:active|valid|enabled|confirmed|approved|accepted)")
# An object about a cancellation that took place has such a field. Without one it may be about the terms.
_OF_A_CANCELLATION: Final = re.compile(r".*(?:at|on|by|date|time|utc|reason|user)")
# These objects may hold the booking or its status, beside other things.
_MAY_HOLD_IT: Final = (*HOLD_BOOKINGS, "meta", "metadata", "flags")
_FALSE: Final = (None, False, 0, "", "0", "false", "no", "n", "none", "null")
_GIVEN_FALSE: Final = (False, 0, "0", "false", "no", "n", "off")
_GIVEN_TRUE: Final = (True, 1, "1", "true", "yes", "y", "on")


@dataclass(slots=True)
class _Budget:
    """How many values may still be looked at, so that a hostile message costs little."""

    left: int = _MOST_LOOKED_AT


@dataclass(frozen=True, slots=True)
class _Said:
    """A field that ends the booking: its path, its value, and whether the booking is cancelled or doesn't stand.

    `is_free_text`: the name says so, and the value is a text. It may be about a guest, so it isn't quoted.
    """

    path: str
    value: object
    meaning: Meaning
    is_free_text: bool = False

    def problem(self, kind: MessageType) -> Problem:
        is_cancelled = self.meaning is Meaning.CANCELLED
        what = "is cancelled" if is_cancelled else "doesn't stand"
        told = "a text" if self.is_free_text else quoted(self.value)
        wrong = f"{told} says that the booking {what}, and the message is a {kind}"
        right = HOW_TO_CANCEL if is_cancelled else HOW_TO_CANCEL + _IF_IT_STANDS
        return Problem(shown_name(self.path), wrong, right)


def cancellations(fields: Mapping[str, Any], kind: MessageType) -> Iterator[Problem]:
    """Yield a problem for each field that says in its own way that a booking is cancelled; none for a cancellation.

    Also where it says so in an object of its own (`{"status": {"code": "cancelled"}}`).
    """
    if kind is MessageType.CANCELLED:
        return
    budget = _Budget()
    for name, value in fields.items():
        said = _said(name, value, budget) if name not in FIELDS else None
        if said is not None:
            yield said.problem(kind)


def ending_of(name: str, value: object) -> Meaning | None:
    """Return how a field beside a message ends its booking (`cancelled: 1`); None where it doesn't."""
    said = _said(name, value, _Budget())
    return said.meaning if said is not None else None


def is_about_cancelling(value: object) -> bool:
    """Say whether a type or a status names a cancellation."""
    return isinstance(value, str) and meaning_of(value) is Meaning.CANCELLED


def _said(name: str, value: object, budget: _Budget, *, depth: int = 0) -> _Said | None:
    """Return what in a field, or in an object under it, ends the booking; None if nothing does."""
    plain = plain_name(name[:LONGEST_NAME])
    budget.left -= 1
    if budget.left < 0 or is_of_the_past(name):
        return None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if _IS_CANCELLED.fullmatch(plain) or names_a_cancellation(name):
        is_free_text = isinstance(value, str) and value.strip().lower() not in _GIVEN_TRUE
        return _Said(name, value, Meaning.CANCELLED, is_free_text) if _took_place(plain, value) else None
    if not isinstance(value, Mapping):
        meaning = _meaning(plain, value)
        return _Said(name, value, meaning) if meaning is not None else None
    tells_a_state = tells_state(plain)
    if depth >= _DEEPEST or not (tells_a_state or plain in WRAPS_THE_BOOKING or plain in _MAY_HOLD_IT):
        return None
    for inner, held in value.items():
        said = _said(inner, held, budget, depth=depth + 1)
        if said is None and tells_a_state and not is_of_the_past(inner):
            # In an object under a status every part counts, whatever its name.
            said = _said(name, held, budget, depth=depth + 1)
            said = replace(said, path=inner) if said is not None else None
        if said is not None:
            return replace(said, path=f"{name}.{said.path}")
    return None


def _took_place(plain: str, value: object) -> bool:
    """Say whether what stands under the plain name of a cancellation says that there was one."""
    is_flag = _IS_CANCELLED.fullmatch(plain) is not None
    if isinstance(value, Mapping) and not is_flag:
        # An object under `cancellation` may be about the terms.
        return any(_is_of_a_cancellation(*part) for part in islice(value.items(), _MOST_LOOKED_AT))
    given = value.strip().lower() if isinstance(value, str) else value
    return (is_flag or given != []) and not any(given == false for false in _FALSE)


def _is_of_a_cancellation(name: str, value: object) -> bool:
    """Say whether a part of an object about a cancellation says that there was one."""
    plain = plain_name(name[:LONGEST_NAME])
    is_named = _OF_A_CANCELLATION.fullmatch(plain) is not None or names_a_cancellation(name)
    return is_named and not is_of_the_past(name) and _took_place(plain, value)


def _meaning(plain: str, value: object) -> Meaning | None:
    """Return how a field ends its booking; None where it doesn't."""
    given = value.strip().lower() if isinstance(value, str) else value
    if _IS_GONE.fullmatch(plain):
        return None if any(given == false for false in _FALSE) else Meaning.GONE
    if _IS_ACTIVE.fullmatch(plain):
        is_said = any(type(given) is type(false) and given == false for false in _GIVEN_FALSE)
        return Meaning.GONE if is_said else None
    if any(type(given) is type(true) and given == true for true in _GIVEN_TRUE):
        return Meaning.CANCELLED if is_word_for_cancelled(plain) else None
    if not isinstance(value, str) or not tells_state(plain):
        return None
    said = meaning_of(value)
    if said is Meaning.CANCELLED or (said is Meaning.GONE and may_say_gone(plain)):
        return said
    return None
