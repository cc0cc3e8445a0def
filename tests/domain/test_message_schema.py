"""The published JSON Schema of booking messages: it is made from the code's tables, and agrees with the parser.

`UPDATE_GOLDEN=1 pytest tests/domain/test_message_schema.py` writes the file again.
"""

import json
import os
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from jsonschema import Draft202012Validator

from shared.domain.messages.fields import HIGHEST_REVISION
from shared.domain.messages.message import InvalidMessage
from shared.domain.messages.parse import parse_booking_message
from shared.domain.messages.schema import booking_message_schema
from tests.domain.booking_messages import BOOKING, ENVELOPE, booking, envelope
from tests.domain.test_time_spellings import IDS, READ, REFUSED

KEPT = Path(__file__).parents[2] / "docs" / "schemas" / "booking-message.json"
VALIDATOR = Draft202012Validator(booking_message_schema())
ABSENT: Any = object()
DOOR, SECOND = "d0000000-0000-0000-0000-000000000001", "D0000000-0000-0000-0000-00000000000A"


def is_read(message: Any) -> bool:
    """Say whether the parser accepts a message."""
    try:
        parse_booking_message(message)
    except InvalidMessage:
        return False
    return True


def test_the_published_schema_is_the_codes_own() -> None:
    """The file in docs is the one that the code makes."""
    made = json.dumps(booking_message_schema(), indent=2, ensure_ascii=True) + "\n"
    if os.environ.get("UPDATE_GOLDEN"):
        KEPT.write_text(made)
    assert KEPT.read_text() == made
    Draft202012Validator.check_schema(json.loads(made))


@pytest.mark.parametrize("message", [BOOKING, ENVELOPE], ids=["bare", "envelope"])
def test_the_usual_messages_are_valid(message: dict[str, Any]) -> None:
    """So are a cancellation, and a message with more fields."""
    VALIDATOR.validate(message)
    VALIDATOR.validate(envelope(type="booking.cancelled", data={"booking_id": 7}))
    VALIDATOR.validate(booking(guests=2, arrival="late"))


def test_every_readable_spelling_of_a_time_is_valid() -> None:
    """And every id."""
    for _, written, _ in READ:
        VALIDATOR.validate(booking(check_in=written, check_out="2036-12-05T10:00:00Z"))
    for _, written, _ in IDS:
        VALIDATOR.validate(booking(booking_id=written))


def test_ambiguous_spellings_are_not_valid() -> None:
    """A time that has the right form, but doesn't exist, is refused by the parser only."""
    shapeless = [
        written
        for _, written, why in REFUSED
        if not any(
            each in why for each in ("doesn't exist", "zone than", "isn't known", "has an offset", "offset that")
        )
    ]
    assert len(shapeless) > 15
    assert [each for each in shapeless if VALIDATOR.is_valid(booking(check_in=each))] == []


TEXTS = st.text("aB1 -/", max_size=6) | st.sampled_from(
    ["x" * 64, "x" * 65, "x" * 128, "x" * 129, "x" * 513, "a\nb", "\x00"]
)
ANYTHING = st.sampled_from([ABSENT, None, True, False, -1, 0.5, [], {}, ["x"], {"x": 1}])
TIMES = ["2026-12-01", "2026-12-01T15:45", "20261201T1545-08", "12/01/2026", "", "soon", 1764633600]
FIELDS: dict[str, st.SearchStrategy[Any]] = {
    "booking_id": ANYTHING | TEXTS | st.sampled_from([0, 7, 10**64 - 1, 10**64]),
    "revision": ANYTHING | st.sampled_from([0, 1, HIGHEST_REVISION, HIGHEST_REVISION + 1, "1"]),
    "device_ids": ANYTHING
    | st.sampled_from([[DOOR], [DOOR, SECOND], [DOOR, DOOR], ["101"], [None], [DOOR + " "], DOOR])
    | st.integers(99, 101).map(lambda many: [f"{DOOR[:-3]}{number:03}" for number in range(many)]),
    "unit": ANYTHING | TEXTS,
    "check_in": ANYTHING | st.sampled_from(TIMES),
    # Later than any check-in: a schema can't compare the two.
    "check_out": ANYTHING | st.sampled_from([each.replace("2026", "2036") for each in map(str, TIMES)]),
    "time_zone": ANYTHING | st.sampled_from(["Europe/Vienna", "UTC", ""]),
    "granularity": ANYTHING | st.sampled_from(["hourly", "daily", "Hourly", "weekly", ""]),
    "slot": ANYTHING | TEXTS,
    "label": ANYTHING | TEXTS,
}
AROUND: dict[str, st.SearchStrategy[Any]] = {
    "specversion": ANYTHING | st.sampled_from(["1.0", "1", "1.1", "10.0", "0.3", "", 1, 1.0, 2]),
    "id": ANYTHING | TEXTS,
    "source": ANYTHING | TEXTS,
    "type": ANYTHING
    | st.sampled_from(["booking.created", "booking.updated", "booking.cancelled", "booking.deleted", ""]),
    "time": ANYTHING,
}
# A schema can't know which further words mean that the booking stands.
KNOWN_TYPES = st.sampled_from([ABSENT, None, True, "booking.created", "booking.updated", "booking.cancelled", ""])
GOOD = {"device_ids": [DOOR], "check_in": "2026-12-01T15:45", "check_out": "2036-12-05T10:15", "booking_id": "BK-1"}


@st.composite
def some(draw: st.DrawFn, good: dict[str, Any], fields: dict[str, st.SearchStrategy[Any]]) -> dict[str, Any]:
    """Draw a valid object with a few fields changed."""
    names = draw(st.lists(st.sampled_from(sorted(fields)), max_size=3, unique=True))
    changed = good | {name: draw(fields[name]) for name in names}
    return {name: value for name, value in changed.items() if value is not ABSENT}


@settings(max_examples=400, deadline=None)
@given(some(GOOD, {**FIELDS, "type": KNOWN_TYPES}))
def test_a_bare_booking_is_valid_if_it_is_read(message: dict[str, Any]) -> None:
    """Each field is missing, null, of another type, too long, or valid."""
    assert VALIDATOR.is_valid(message) == is_read(message)


@settings(max_examples=400, deadline=None)
@given(some({**ENVELOPE, "data": None}, AROUND), some(GOOD, FIELDS), st.booleans() | ANYTHING)
def test_an_envelope_is_valid_if_it_is_read(around: dict[str, Any], data: dict[str, Any], instead: Any) -> None:
    """With a booking, a cancellation, or something else in it."""
    message = {**around, "data": data if isinstance(instead, bool) or instead is ABSENT else instead}
    assert VALIDATOR.is_valid(message) == is_read(message)


@settings(max_examples=200, deadline=None)
@given(some({"booking_id": "BK-1"}, FIELDS))
def test_a_cancellation_is_valid_if_it_is_read(data: dict[str, Any]) -> None:
    """It needs only the booking's id; its other fields must be valid."""
    message = envelope(type="booking.cancelled", data=data)
    assert VALIDATOR.is_valid(message) == is_read(message)
