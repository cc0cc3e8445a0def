"""Booking messages with a wrong envelope, or hostile ones: read or refused, never a crash."""

import json
import pickle
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.messages.message import InvalidMessage, MessageType, Problem
from shared.domain.messages.parse import parse_booking_message
from tests.domain.booking_messages import BOOKING, ENVELOPE, LONG, booking, envelope, fields_of, problems_of

BAD_ENVELOPES: list[tuple[str, dict[str, Any], list[str]]] = [
    ("no type", {"type": ...}, ["type"]),
    ("unknown type", {"type": "booking.deleted"}, ["type"]),
    ("type no text", {"type": ["booking.created"]}, ["type"]),
    ("no id", {"id": ...}, ["id"]),
    ("empty id", {"id": ""}, ["id"]),
    ("id no text", {"id": 7}, ["id"]),
    ("no source", {"source": None}, ["source"]),
    ("long source", {"source": "x" * 513}, ["source"]),
    ("old version", {"specversion": "0.3"}, ["specversion"]),
    ("version no text", {"specversion": True}, ["specversion"]),
    ("version 10", {"specversion": "10.0"}, ["specversion"]),
    ("no data", {"data": ...}, ["data"]),
    ("data null", {"data": None}, ["data"]),
    ("data text", {"data": json.dumps(BOOKING)}, ["data"]),
    ("data list", {"data": [BOOKING]}, ["data"]),
    ("binary data", {"data": ..., "data_base64": "e30="}, ["data"]),
    ("all at once", {"type": 1, "id": 1, "source": 1, "specversion": "2.0", "data": 1},
     ["source", "id", "type", "specversion", "data"]),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "named"), [pytest.param(*row, id=name) for name, *row in BAD_ENVELOPES])
def test_bad_envelope(fields: dict[str, Any], named: list[str]) -> None:
    """Each problem of the envelope."""
    assert fields_of(envelope(**fields)) == named


@pytest.mark.parametrize("version", ["1.0", "1.1", "1", 1.0, None, ...], ids=repr)
def test_lenient_specversion(version: Any) -> None:
    """Nothing here depends on it."""
    assert parse_booking_message(envelope(specversion=version)).message_id == "7f9c"


def test_an_empty_source_counts_as_none() -> None:
    """As in a bare message; so its booking can be cancelled."""
    message = parse_booking_message(envelope(source="", type="booking.cancelled", data={"booking_id": "BK-1"}))
    assert (message.source, message.message_id) == ("", "7f9c")


def test_type_beside_the_fields_is_not_taken_for_a_creation() -> None:
    """A cancellation without its envelope must not create a code."""
    assert fields_of(booking(type="booking.cancelled")) == ["type"]
    assert parse_booking_message(booking(type="vacation")).type is MessageType.CREATED


HOSTILE: list[tuple[str, Any]] = [
    ("nothing", ""), ("no bytes", b""), ("not JSON", "booking"), ("half", '{"booking_id": "'),
    ("list", "[]"), ("text", '"x"'), ("number", "7"), ("null", "null"), ("true", "true"),
    ("two objects", "{}{}"), ("NaN", '{"revision": NaN}'), ("infinity", '{"x": -Infinity}'),
    ("not UTF-8", b'{"booking_id": "\xff"}'), ("UTF-16", json.dumps(BOOKING).encode("utf-16")),
    ("deep lists", "[" * 100_000), ("deep objects", '{"a":' * 100_000), ("zeros", b"\0" * 1000),
    ("long number", '{"x": ' + "9" * 5000 + "}"), ("megabyte of text", '"' + "x" * 10**6 + '"'),
    ("NaN in a mapping", {"x": float("nan")}), ("set in a mapping", {"x": {1}}),
    ("bytes in a mapping", {"x": b"x"}), ("number in a mapping", {"x": 10**5000}),
    ("tuple as a key", {(1, 2): 3}), ("no mapping", 7), ("none", None), ("list object", []),
]  # fmt: skip


@pytest.mark.parametrize("raw", [pytest.param(row, id=name) for name, row in HOSTILE])
def test_hostile_input_is_refused(raw: Any) -> None:
    """Any input: InvalidMessage with one short printable sentence."""
    (problem,) = problems_of(raw)
    assert problem.field == "message"


def test_nesting_that_can_be_read_but_not_hashed() -> None:
    """At any depth it is read or refused: Python 3.14 reads fifty times as deep as 3.11."""
    for depth in (*range(100, 2000, 100), 5_000, 50_000, 100_000):
        raw = json.dumps(BOOKING)[:-1] + ', "x": ' + "[" * depth + "]" * depth + "}"
        try:
            parse_booking_message(raw)
        except InvalidMessage as refused:
            assert refused.problems[0].field == "message"  # noqa: PT017 - either is right


def test_recursive_mapping() -> None:
    """A mapping that contains itself is no JSON."""
    mapping: dict[str, Any] = {}
    mapping["self"] = mapping
    assert fields_of(mapping) == ["message"]


def test_duplicate_keys() -> None:
    """Parsers differ in which of the two counts."""
    raw = json.dumps(BOOKING)[:-1] + ', "booking_id": "BK-2", "x": {"y": 1, "y": 2, "y": 3}}'
    assert fields_of(raw) == ["y", "booking_id"]


def test_unknown_fields_are_ignored() -> None:
    """With any value."""
    more = {"guests": [{"name": "\ud800"}], "x" * 1000: LONG, "big": 10**4000, "f": 1e400}
    raw = json.dumps(booking(**more)).replace("Infinity", "1e999")
    assert parse_booking_message(raw).booking_id == "BK-1001"


def test_quotations_are_short_and_printable() -> None:
    """A problem can be shown in a log, a page or an alert."""
    for value in (LONG, "\x00" * 1000, "\ud800" * 1000, "\u202e" * 90):
        (problem,) = problems_of(booking(booking_id=value))
        assert problem.wrong.isprintable()
        assert str(problem).encode()
        assert len(problem.wrong) < 80 * 10 + 100


def test_invalid_message_survives_pickling() -> None:
    """Task results and process pools pickle exceptions."""
    original = InvalidMessage((Problem("a", "is wrong", "make it right"), Problem("b", "too", "")))
    assert pickle.loads(pickle.dumps(original)).problems == original.problems  # noqa: S301
    assert str(original) == "a: is wrong; make it right; b: too"


JSON_VALUES = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=6,
)
FIELDS = st.sampled_from([
    "booking_id", "revision", "device_ids", "unit", "check_in", "check_out", "time_zone",
    "granularity", "slot", "label", "type", "specversion", "id", "source", "data",
])  # fmt: skip


@given(st.dictionaries(FIELDS, JSON_VALUES), st.booleans())
def test_any_object_is_read_or_refused(fields: dict[str, Any], wrapped: bool) -> None:  # noqa: FBT001
    """Random values in every field: never another exception."""
    for raw in (BOOKING | fields, ENVELOPE | {"data": BOOKING | fields} if wrapped else fields):
        try:
            parse_booking_message(raw)
        except InvalidMessage as refused:
            assert refused.problems  # noqa: PT017 - either is right


@given(st.binary() | st.text())
def test_any_bytes_are_read_or_refused(raw: bytes | str) -> None:
    """Noise is refused."""
    with pytest.raises(InvalidMessage):
        parse_booking_message(raw)
