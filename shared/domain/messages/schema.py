"""The JSON Schema of a booking message, made from the tables by which messages are read.

It says what has the right shape. What a schema can't say is checked when a message is read: that a date exists, that
check-out is after check-in, that a zone or a unit is known, that no field is a near miss.
"""

import re
from typing import Any, Final

from shared.domain.door.device_id import DEVICE_ID_PATTERN
from shared.domain.messages.fields import (
    HIGHEST_REVISION,
    LONGEST_BOOKING_ID,
    LONGEST_SOURCE,
    LONGEST_TEXT,
    MOST_DEVICES,
)
from shared.domain.messages.message import MessageType
from shared.domain.messages.near_misses import FIELDS
from shared.domain.messages.parse import ENVELOPE_MARKS
from shared.domain.messages.time_fields import LONGEST_TIME, TIME_PATTERN
from shared.domain.stay.stay import Granularity

JsonObject = dict[str, Any]

_NULL: Final[JsonObject] = {"type": "null"}
_CONTROLS: Final = r"\u0000-\u001f\u007f-\u009f"
_REQUIRED: Final = ("booking_id", "check_in", "check_out")


def booking_message_schema() -> JsonObject:
    """Return the schema (draft 2020-12) of a booking message: an envelope, or a bare booking."""
    marks = [{"required": [name]} for name in ENVELOPE_MARKS]
    return {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "Booking message",
        "description": "What a booking system sends: a CloudEvents 1.0 envelope, or its data alone. Unknown fields are"
        " ignored, but for those that could have been meant for one of these. null is as good as absent.",
        "type": "object",
        "if": {"anyOf": marks},
        "then": {"$ref": "#/$defs/envelope"},
        "else": {"allOf": [{"$ref": "#/$defs/booking"}, {"$ref": "#/$defs/bare"}]},
        "$defs": {
            "envelope": _envelope(),
            "bare": {
                "description": "A bare booking is created or changed; it has no type, and can't be a cancellation.",
                "properties": {"type": {"not": {"enum": [MessageType.UPDATED, MessageType.CANCELLED]}}},
            },
            "booking": _booking(),
            "cancellation": {
                "type": "object",
                "required": ["booking_id"],
                "properties": _optional_fields(),
                "not": _both_given(),
            },
        },
    }


def _envelope() -> JsonObject:
    is_cancelled = {"properties": {"type": {"const": MessageType.CANCELLED}}, "required": ["type"]}
    return {
        "description": "A CloudEvents 1.0 envelope in structured mode. source and id identify the message.",
        "type": "object",
        "required": ["id", "source", "type", "data"],
        "properties": {
            "specversion": {"anyOf": [_NULL, {"const": 1}, {"type": "string", "pattern": r"^1(\.|$)"}]},
            "id": _text(LONGEST_SOURCE),
            "source": _text(LONGEST_SOURCE, may_be_empty=True) | {"description": "Empty: none, as of a bare message."},
            "type": {"enum": [each.value for each in MessageType]},
            "time": {"description": "When it was sent. Not read."},
        },
        "if": is_cancelled,
        "then": {"properties": {"data": {"$ref": "#/$defs/cancellation"}}},
        "else": {"properties": {"data": {"$ref": "#/$defs/booking"}}},
    }


def _booking() -> JsonObject:
    fields = _optional_fields()
    return {
        "type": "object",
        "required": list(_REQUIRED),
        "properties": fields | {name: _given(fields[name]) for name in _REQUIRED},
        "anyOf": [_with("device_ids"), _with("unit")],
        "not": _both_given(),
    }


def _optional_fields() -> JsonObject:
    time = {
        "type": "string",
        "maxLength": LONGEST_TIME,
        "pattern": rf"^\s*{_portable(TIME_PATTERN)}\s*$",
        "description": "With an offset: an instant. Without: what the lock's clock shows, or that of time_zone. A date"
        " alone: the unit's default time of DOORS_FILE.",
        "examples": ["2026-12-01T15:45:00-08:00", "2026-12-01T15:45", "2026-12-01"],
    }
    fields: JsonObject = {
        "booking_id": _booking_id(),
        "revision": {"type": "integer", "minimum": 0, "maximum": HIGHEST_REVISION}
        | {"description": "The highest wins. Without one in any message the order of arrival counts."},
        "device_ids": {
            "type": "array",
            "minItems": 1,
            "maxItems": MOST_DEVICES,
            "uniqueItems": True,
            "items": {"type": "string", "pattern": f"^{DEVICE_ID_PATTERN.replace('a-f', 'a-fA-F')}$"},
            "description": "Seam devices; or else a unit.",
        },
        "unit": _text(LONGEST_TEXT) | {"description": "A unit of DOORS_FILE, instead of device_ids."},
        "check_in": time,
        "check_out": time,
        "time_zone": {
            "type": "string",
            "minLength": 1,
            "description": "IANA name; for local times of another clock.",
        },
        "granularity": {"enum": [each.value for each in Granularity]},
        "slot": _text(LONGEST_TEXT) | {"description": "A time slot that must be used, by name or user level id."},
        "label": {"type": "string", "pattern": f"^[^{_CONTROLS}]*$"}
        | {"description": "What people read; ends up in the code's name. Too long a one is cut."},
    }
    missing = set(FIELDS) ^ fields.keys()
    if missing:
        raise ValueError(f"not in the schema: {missing}")
    return {name: field if name == "booking_id" else {"anyOf": [_NULL, field]} for name, field in fields.items()}


def _booking_id() -> JsonObject:
    shown = rf"[^{_CONTROLS}\s]"
    inner = rf"[^{_CONTROLS}]{{0,{LONGEST_BOOKING_ID - 2}}}"
    return {
        "description": "Identifies the booking for ever. Blanks around it are cut; a number counts as its digits.",
        "anyOf": [
            {"type": "string", "pattern": rf"^\s*{shown}(?:{inner}{shown})?\s*$"},
            {"type": "integer", "minimum": 0, "exclusiveMaximum": 10**LONGEST_BOOKING_ID},
        ],
    }


def _text(longest: int, *, may_be_empty: bool = False) -> JsonObject:
    shortest = 0 if may_be_empty else 1
    return {"type": "string", "minLength": shortest, "maxLength": longest, "pattern": f"^[^{_CONTROLS}]*$"}


def _given(field: JsonObject) -> JsonObject:
    """Return a field that may not be null."""
    kinds = [each for each in field["anyOf"] if each != _NULL]
    return kinds[0] if len(kinds) == 1 else {**field, "anyOf": kinds}


def _with(name: str) -> JsonObject:
    return {"required": [name], "properties": {name: {"not": _NULL}}}


def _both_given() -> JsonObject:
    return {"allOf": [_with("device_ids"), _with("unit")]}


def _portable(pattern: str) -> str:
    """Return a pattern without names of groups: JSON Schema's regular expressions don't have them."""
    return re.sub(r"\(\?P<\w+>", "(?:", pattern).replace("[+-]", "[+\u2212-]")
