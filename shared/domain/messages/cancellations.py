"""Cancellations that are told in another way than by the type `booking.cancelled`.

A cancellation that is taken for a booking makes a code for nobody. So what says in any usual way that a booking is
cancelled, or doesn't stand, is a problem: with how to cancel.
"""

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.domain.messages.message import MessageType, Problem
from shared.domain.messages.near_misses import FIELDS, plain_name, shown_name
from shared.domain.quoting import LONGEST_QUOTE, quoted

HOW_TO_CANCEL: Final = (
    'send a CloudEvents envelope with "type": "booking.cancelled"; its data needs the booking_id alone'
)

_IF_IT_STANDS: Final = "; if the booking stands, leave the field out"
_LONGEST_NAME: Final = 48
_DEEPEST: Final = 3
_MOST_LOOKED_AT: Final = 200

_IS_CANCELLED: Final = re.compile(
    r"(?:is|was)?cancell?ed|cancel|cancell?ed(?:at|on|date|time)|cancellation(?:at|date|time)"
    r"|(?:is)?(?:deleted|voided)(?:at|on|date|time)?"
)
_IS_ACTIVE: Final = re.compile(r"(?:is|booking|reservation)?(?:active|valid|enabled)")
_TELLS_A_STATE: Final = re.compile(r".*(?:status|state)|type|kind|event|eventtype|action|operation|change")
# Of these it is the booking that stands or doesn't; a payment may be declined while it stands.
_OF_THE_BOOKING: Final = re.compile(r"(?:booking|reservation|stay|order|current)?(?:status|state)(?:code|name)?")
_WRAPS_THE_BOOKING: Final = (
    "booking", "reservation", "stay", "order", "attributes", "payload", "body", "details", "resource", "object",
)  # fmt: skip
# What was so before says nothing of now.
_OF_THE_PAST: Final = re.compile(r"(?:previous|prior|former|old).*|.*(?:history|policy)")
# As systems write it: in English, as codes, and in the languages of those who sell them.
_WORDS: Final = (
    r"cancel(?:l?ed|lation)?|deleted?|void(?:ed)?|annulled"
    r"|cxl|cxld|canx|cncl|cnx"
    r"|stornier(?:t|ung|en)|storno|annullier(?:t|ung)|abgesagt"
    r"|annul[e\u00e9]e?s?|annulation"
    r"|cancelad[ao]s?|anulad[ao]s?|cancelaci[o\u00f3]n"
    r"|cancellat[ao]|annullat[ao]|annullamento|cancellazione|disdett[ao]"
    r"|geannuleerd|avbokad|avbestilt|aflyst|peruttu|peruutettu|anulowan[aey]|zru[s\u0161]en[ao\u00fd\u00e1\u00e9]"
)
_CANCELLED_VALUE: Final = re.compile(rf"(?:.*[^a-z])?(?:{_WORDS})(?:[^a-z].*)?")
_DOES_NOT_STAND: Final = re.compile(
    r"no[\s_-]?shows?|declined|rejected|denied|refused|expired|withdrawn|inactive|terminated|aborted|abandoned|removed"
)
_FALSE: Final = (None, False, 0, "", "0", "false", "no", "n", "none", "null")
_GIVEN_FALSE: Final = (False, 0, "0", "false", "no", "n", "off")


@dataclass(slots=True)
class _Look:
    """How many values may still be looked at: a hostile message is not gone through."""

    left: int = _MOST_LOOKED_AT


@dataclass(frozen=True, slots=True)
class _Said:
    """What says it, by its path, and whether it speaks of a cancellation or of a booking that doesn't stand."""

    path: str
    value: object
    is_cancelled: bool

    def problem(self, kind: MessageType) -> Problem:
        what = "is cancelled" if self.is_cancelled else "doesn't stand"
        wrong = f"{quoted(self.value)} says that the booking {what}, and the message is a {kind}"
        right = HOW_TO_CANCEL if self.is_cancelled else HOW_TO_CANCEL + _IF_IT_STANDS
        return Problem(shown_name(self.path), wrong, right)


def cancellations(fields: Mapping[str, Any], kind: MessageType) -> Iterator[Problem]:
    """Yield a problem for each field that says in its own way that a booking is cancelled; none for a cancellation.

    Also where it says so in an object of its own (`{"status": {"code": "cancelled"}}`).
    """
    if kind is MessageType.CANCELLED:
        return
    look = _Look()
    for name, value in fields.items():
        said = _said(name, value, look) if name not in FIELDS else None
        if said is not None:
            yield said.problem(kind)


def is_about_cancelling(value: object) -> bool:
    """Say whether a type or a status names a cancellation."""
    return isinstance(value, str) and _CANCELLED_VALUE.fullmatch(value[:LONGEST_QUOTE].strip().lower()) is not None


def says_cancelled(value: object) -> bool:
    """Say whether a value, whatever it stands under, is a word for a booking that is cancelled or doesn't stand."""
    if not isinstance(value, str) or len(value) > LONGEST_QUOTE or any(letter.isdigit() for letter in value):
        return False
    return is_about_cancelling(value) or _DOES_NOT_STAND.fullmatch(value.strip().lower()) is not None


def _said(name: str, value: object, look: _Look, *, depth: int = 0) -> _Said | None:
    """Return where, in a field or in an object that it holds, something says so."""
    plain = plain_name(name[:_LONGEST_NAME])
    look.left -= 1
    if look.left < 0 or _OF_THE_PAST.fullmatch(plain):
        return None
    if isinstance(value, list) and len(value) == 1:
        value = value[0]
    if not isinstance(value, Mapping) or _IS_CANCELLED.fullmatch(plain):
        is_cancelled = _says_cancelled(plain, value)
        return _Said(name, value, is_cancelled) if is_cancelled or _does_not_stand(plain, value) else None
    tells_a_state = _TELLS_A_STATE.fullmatch(plain) is not None
    if depth >= _DEEPEST or not (tells_a_state or plain in _WRAPS_THE_BOOKING):
        return None
    for inner, held in value.items():
        said = _said(inner, held, look, depth=depth + 1)
        if said is None and tells_a_state and not _OF_THE_PAST.fullmatch(plain_name(inner[:_LONGEST_NAME])):
            # Under a status, whatever the parts of it are called.
            said = _said(name, held, look, depth=depth + 1)
            said = _Said(inner, said.value, said.is_cancelled) if said is not None else None
        if said is not None:
            return _Said(f"{name}.{said.path}", said.value, said.is_cancelled)
    return None


def _says_cancelled(plain: str, value: object) -> bool:
    if _IS_CANCELLED.fullmatch(plain):
        given = value.strip().lower() if isinstance(value, str) else value
        return not any(given == false for false in _FALSE)
    return _TELLS_A_STATE.fullmatch(plain) is not None and is_about_cancelling(value)


def _does_not_stand(plain: str, value: object) -> bool:
    given = value.strip().lower() if isinstance(value, str) else value
    if _IS_ACTIVE.fullmatch(plain):
        return any(type(given) is type(false) and given == false for false in _GIVEN_FALSE)
    is_status = _OF_THE_BOOKING.fullmatch(plain) is not None
    return is_status and isinstance(given, str) and _DOES_NOT_STAND.fullmatch(given[:LONGEST_QUOTE]) is not None
