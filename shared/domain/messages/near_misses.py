"""Fields that aren't read, but that a person could have meant; and cancellations that are told in another way.

Booking systems may say more than is read here. But a misspelled `revision` that is passed over lets an old message win,
and a cancellation that is taken for a booking makes a code for nobody.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.domain.messages.message import MessageType, Problem
from shared.domain.quoting import LONGEST_QUOTE, quoted, shown

FIELDS: Final = (
    "booking_id",
    "revision",
    "device_ids",
    "unit",
    "check_in",
    "check_out",
    "time_zone",
    "granularity",
    "slot",
    "label",
)
"""The fields of a booking that are read, by their names."""

HOW_TO_CANCEL: Final = (
    'send a CloudEvents envelope with "type": "booking.cancelled"; its data needs the booking_id alone'
)

# Which fields count in a cancellation; a typo in another one must not keep it from cancelling.
_OF_A_CANCELLATION: Final = ("booking_id", "revision")
# Where one of them is given, nobody can have meant the other by another name.
_EITHER: Final = {"unit": "device_ids", "device_ids": "unit"}
# Names so short that a letter more or less is another word: only these are near.
_SHORT: Final = {
    "units": "unit", "uint": "unit", "unti": "unit", "slots": "slot", "solt": "slot", "labels": "label",
    "lable": "label", "tz": "time_zone",
}  # fmt: skip
_SHORTEST_WITH_A_TYPO: Final = 6
_LONGEST_NAME: Final = 24
# A time of day that stands beside a date, and belongs into it.
_TIMES_OF_DAY: Final = {"checkintime": "check_in", "checkouttime": "check_out"}
_DATE_ALONE: Final = re.compile(r"[^Tt:]*")

_IS_CANCELLED: Final = re.compile(
    r"(?:is|was)?cancell?ed|cancel|cancell?ed(?:at|on|date|time)|cancellation(?:at|date|time)|(?:is)?(?:deleted|voided)(?:at|on|date|time)?"
)
_TELLS_A_STATE: Final = re.compile(r".*(?:status|state)|type|kind|event|eventtype|action|operation|change")
_CANCELLED_VALUE: Final = re.compile(
    r"(?:.*[^a-z])?(?:cancel(?:l?ed|lation)?|deleted?|void(?:ed)?|annulled)(?:[^a-z].*)?"
)
_FALSE: Final = (None, False, 0, "", "0", "false", "no", "n", "none", "null")


def _plain(name: str) -> str:
    """Return a name without what people write in several ways: capitals, hyphens, underscores, blanks."""
    return re.sub(r"[\s_-]", "", name.lower())


def _with_a_typo(name: str) -> set[str]:
    """Return a name, and the name without each of its letters; two names a typo apart have one of these in common."""
    return {name, *(name[:place] + name[place + 1 :] for place in range(len(name)))}


_NEAR: Final = {
    variant: field for field in FIELDS if len(field) >= _SHORTEST_WITH_A_TYPO for variant in _with_a_typo(_plain(field))
}
_EXACT: Final = {_plain(field): field for field in FIELDS}


def field_meant(name: str) -> str | None:
    """Return the field that somebody could have meant by `name`; None where there is none near it."""
    plain = _plain(name[: 2 * _LONGEST_NAME])
    if plain in _EXACT:
        return _EXACT[plain]
    if plain in _SHORT:
        return _SHORT[plain]
    if len(plain) > _LONGEST_NAME:
        return None
    near = {_NEAR[variant] for variant in _with_a_typo(plain) if variant in _NEAR}
    return min(near, default=None)


def near_misses(body: Mapping[str, Any], kind: MessageType) -> Iterator[Problem]:
    """Yield a problem for each field that isn't read, and that could have been meant for one that is."""
    of_interest = _OF_A_CANCELLATION if kind is MessageType.CANCELLED else FIELDS
    for name, value in body.items():
        if name in FIELDS or value is None:
            continue
        yield from _time_of_day(body, name, value, kind)
        meant = field_meant(name)
        if meant is None or meant not in of_interest or not _may_be_meant(body, name, value, meant):
            continue
        right = f"write {meant} if that is meant; else leave it out, or give it another name"
        yield Problem(_shown(name), "is not read", right)


def cancellations(fields: Mapping[str, Any], kind: MessageType) -> Iterator[Problem]:
    """Yield a problem for each field that says in its own way that a booking is cancelled; none for a cancellation."""
    if kind is MessageType.CANCELLED:
        return
    for name, value in fields.items():
        if name not in FIELDS and _says_cancelled(_plain(name[: 2 * _LONGEST_NAME]), value):
            wrong = f"{quoted(value)} says that the booking is cancelled, and the message is a {kind}"
            yield Problem(_shown(name), wrong, HOW_TO_CANCEL)


def is_about_cancelling(value: object) -> bool:
    """Say whether a type or a status names a cancellation."""
    return isinstance(value, str) and _CANCELLED_VALUE.fullmatch(value[:LONGEST_QUOTE].strip().lower()) is not None


def _says_cancelled(plain: str, value: object) -> bool:
    if _IS_CANCELLED.fullmatch(plain):
        given = value.strip().lower() if isinstance(value, str) else value
        return not any(given == false for false in _FALSE)
    return _TELLS_A_STATE.fullmatch(plain) is not None and is_about_cancelling(value)


def _may_be_meant(body: Mapping[str, Any], name: str, value: object, meant: str) -> bool:
    """Say whether `name` may stand for the field: it isn't given, or the same name is, with another value."""
    given = body.get(meant)
    if given is None:
        return _EITHER.get(meant) is None or body.get(_EITHER[meant]) is None
    return _plain(name) == _plain(meant) and value != given


def _time_of_day(body: Mapping[str, Any], name: str, value: object, kind: MessageType) -> Iterator[Problem]:
    field = _TIMES_OF_DAY.get(_plain(name[:_LONGEST_NAME]))
    if field is None or kind is MessageType.CANCELLED:
        return
    given = body.get(field)
    if isinstance(given, str) and _DATE_ALONE.fullmatch(given):
        right = f"write the time into {field}, such as {given.strip()[:10]}T15:45"
        yield Problem(_shown(name), f"{quoted(value)} is not read, and {field} is a date alone", right)


def _shown(name: str) -> str:
    return shown(name[:LONGEST_QUOTE])
