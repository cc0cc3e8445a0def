"""Finds fields with unknown names that may be meant for fields that are read, such as `checkIn` or `revison`.

Booking systems may send more fields than are read here. But if a misspelled `revision` were ignored, an old message
could win. Cancellations in other words: `shared.domain.messages.cancellations`.
"""

import re
from collections.abc import Iterator, Mapping
from functools import lru_cache
from itertools import islice
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
OUR_FIELDS: Final = (*FIELDS, "source", "id", "type", "specversion", "data", "message", "booking")
"""All field names that a problem may have, also of the envelope; any other name is quoted from the message."""

# Which fields count in a cancellation; a typo in another one must not keep it from cancelling.
_OF_A_CANCELLATION: Final = ("booking_id", "revision")
# A message has one of the two. If it has one, another field can't be meant for the other.
_EITHER: Final = {"unit": "device_ids", "device_ids": "unit"}
# In a short name a typo often makes another word. So for short names only these typos count.
_SHORT: Final = {
    "units": "unit", "uint": "unit", "unti": "unit", "slots": "slot", "solt": "slot", "labels": "label",
    "lable": "label", "tz": "time_zone",
}  # fmt: skip
_SHORTEST_WITH_A_TYPO: Final = 6
_LONGEST_NAME: Final = 24
_MOST_NAMES: Final = 200
# Other names that booking systems have for a field. They count only if the message lacks that field.
_ALIASES: Final = {
    **dict.fromkeys(("arrival", "arrive", "arrives", "start", "begin", "from"), "check_in"),
    **dict.fromkeys(("departure", "depart", "departs", "end", "to", "until"), "check_out"),
    **dict.fromkeys(("room", "apartment", "property", "listing", "door", "lock", "accommodation", "space"), "unit"),
    **dict.fromkeys(
        ("id", "booking", "reservation", "reservationid", "bookingnumber", "bookingreference", "bookingcode", "uid",
         "confirmationcode", "confirmationnumber", "reservationnumber", "bookingref", "externalid"),
        "booking_id",
    ),
}  # fmt: skip
_OF_A_DATE: Final = re.compile(r"(?P<name>.*?)(?:date(?:time)?|time|at|on|day|utc|local)")
_OF_A_UNIT: Final = re.compile(r"(?P<name>.*?)(?:id|name|number|no|code|key)")
# Fields with a time of day that belongs into the field of the date.
_TIMES_OF_DAY: Final = {"checkintime": "check_in", "checkouttime": "check_out"}
_DATE_ALONE: Final = re.compile(r"[^Tt:]*")
_PLACES: Final = {alias: place for place, alias in enumerate(_ALIASES, start=1)}


def plain_name(name: str) -> str:
    """Return a name without what people write in several ways: capitals, hyphens, underscores, blanks."""
    return re.sub(r"[\s_-]", "", name.lower())


def _with_a_typo(name: str) -> set[str]:
    """Return a name, and the name without each of its letters; two names a typo apart have one of these in common."""
    return {name, *(name[:place] + name[place + 1 :] for place in range(len(name)))}


_NEAR: Final = {
    variant: field
    for field in FIELDS
    if len(field) >= _SHORTEST_WITH_A_TYPO
    for variant in _with_a_typo(plain_name(field))
}
_EXACT: Final = {plain_name(field): field for field in FIELDS}


def field_meant(name: str) -> str | None:
    """Return the field that `name` may be a misspelling of; None if there is none."""
    plain = plain_name(name[: 2 * _LONGEST_NAME])
    if plain in _EXACT:
        return _EXACT[plain]
    if plain in _SHORT:
        return _SHORT[plain]
    if len(plain) > _LONGEST_NAME:
        return None
    near = {_NEAR[variant] for variant in _with_a_typo(plain) if variant in _NEAR}
    return min(near, default=None)


def field_called(name: str) -> str | None:
    """Return the field that booking systems call so (`arrival`, `roomNumber`, `id`); None if there is none."""
    alias = _alias(name)
    return (_ALIASES.get(alias) or _EXACT.get(alias)) if alias is not None else None


def _alias(name: str) -> str | None:
    """Return a name without its ending (`Date`, `Number`), if booking systems have a field of that name; else None."""
    plain = plain_name(name[: 2 * _LONGEST_NAME])
    if plain in _ALIASES:
        return plain
    for ending, fields in ((_OF_A_DATE, ("check_in", "check_out")), (_OF_A_UNIT, ("unit",))):
        found = ending.fullmatch(plain)
        if found is not None and (_ALIASES.get(found["name"]) or _EXACT.get(found["name"])) in fields:
            return found["name"]
    return None


def values_for(fields: Mapping[str, Any], field: str) -> Iterator[object]:
    """Yield the values that may be meant for a field, the likeliest first. Bounded.

    First the value under the field's own name, then those under misspelled names, then those under names that booking
    systems use. People are told of them; they are never applied.
    """
    if fields.get(field) is not None:
        yield fields[field]
    places = {name: _place(name[: 2 * _LONGEST_NAME], field) for name in islice(fields, _MOST_NAMES)}
    others = [(place, name) for name, place in places.items() if place is not None]
    yield from (fields[name] for _, name in sorted(others) if fields[name] is not None)


@lru_cache(maxsize=1024)
def _place(name: str, field: str) -> int | None:
    """Return how likely a name is meant for a field: 0 is the likeliest; None if it isn't meant for it."""
    if name in FIELDS:
        return None
    alias = _alias(name)
    if field_meant(name) == field or (alias in _EXACT and _EXACT[alias] == field):
        return 0
    return _PLACES[alias] if alias is not None and _ALIASES.get(alias) == field else None


def near_misses(body: Mapping[str, Any], kind: MessageType) -> Iterator[Problem]:
    """Yield a problem for each field that isn't read, and that could have been meant for one that is."""
    of_interest = _OF_A_CANCELLATION if kind is MessageType.CANCELLED else FIELDS
    for name, value in body.items():
        if name in FIELDS or value is None:
            continue
        yield from _time_of_day(body, name, value, kind)
        meant = field_meant(name)
        if meant is None and _is_missing(body, field_called(name)):
            meant = field_called(name)
        if meant is None or meant not in of_interest or not _may_be_meant(body, name, value, meant):
            continue
        right = f"write {meant} if that is meant; else leave it out, or give it another name"
        yield Problem(shown_name(name), "is not read", right)


def _is_missing(body: Mapping[str, Any], field: str | None) -> bool:
    return field is not None and body.get(field) is None


def _may_be_meant(body: Mapping[str, Any], name: str, value: object, meant: str) -> bool:
    """Say whether `name` may be meant for the field: the field is missing, or has another value than `name`."""
    given = body.get(meant)
    if given is None:
        return _EITHER.get(meant) is None or body.get(_EITHER[meant]) is None
    return plain_name(name) == plain_name(meant) and value != given


def _time_of_day(body: Mapping[str, Any], name: str, value: object, kind: MessageType) -> Iterator[Problem]:
    field = _TIMES_OF_DAY.get(plain_name(name[:_LONGEST_NAME]))
    if field is None or kind is MessageType.CANCELLED:
        return
    given = body.get(field)
    if isinstance(given, str) and _DATE_ALONE.fullmatch(given):
        right = f"write the time into {field}, such as {given.strip()[:10]}T15:45"
        yield Problem(shown_name(name), f"{quoted(value)} is not read, and {field} is a date alone", right)


def shown_name(name: str) -> str:
    """Return a field's name for people."""
    return shown(name[:LONGEST_QUOTE])
