"""What can be read from the beginning of a message that was too large."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.messages.beginning import whole_part
from shared.domain.messages.hints import hints_of
from shared.domain.messages.parked_kind import kind_said

CUT: list[tuple[str, str]] = [
    ('{"booking_id": "BK-1", "label": "x', '{"booking_id": "BK-1"}'),
    ('{"type": "booking.cancelled", "data": {"booking_id": "BK-1", "label": "x, {y',
     '{"type": "booking.cancelled", "data": {"booking_id": "BK-1"}}'),
    ('{"booking_id": "BK-1"', "{}"),
    ('{"booking_id": "BK-', "{}"),
    ('{"revision": 12', "{}"),
    ('{"a": [1, 2, 3', '{"a": [1, 2]}'),
    ('{"a": {"b": [', '{"a": {"b": []}}'),
    ('{"a": {"b": 1}', '{"a": {"b": 1}}'),
    ('{"a": "\\"}, ", "b": "', '{"a": "\\"}, "}'),
    ('{"a": "\\', "{}"),
    ('\ufeff {"a": 1,', '{"a": 1}'),
    ('{"a": 1} {"b": 2}', '{"a": 1}'),
    ("", ""),
    ("[1, 2", ""),
    ('"x', ""),
    ("\0\0\0", ""),
]  # fmt: skip


@pytest.mark.parametrize(("beginning", "whole"), CUT)
def test_whole_values_are_kept(beginning: str, whole: str) -> None:
    """A value that may continue is left out: half an id is another booking's."""
    assert whole_part(beginning.encode()).strip() == whole
    assert not whole or isinstance(json.loads(whole_part(beginning.encode())), dict)


MESSAGE = {
    "specversion": "1.0",
    "type": "booking.cancelled",
    "data": {"booking_id": "BK-1\u00e9\u4e2d", "note": "x" * 50},
}


@given(st.integers(0, 400), st.booleans())
def test_a_message_may_be_cut_anywhere(place: int, is_ascii: bool) -> None:  # noqa: FBT001 - drawn
    """Also within a letter: the id is whole, or missing; so is the type."""
    told = whole_part(json.dumps(MESSAGE, ensure_ascii=is_ascii).encode()[:place])
    assert hints_of(told).booking_id in (None, MESSAGE["data"]["booking_id"])  # type: ignore[index]
    assert kind_said(told) in ("unreadable", "cancellation")


_TEXT = st.text(max_size=6)
_JSON: Any = st.recursive(
    st.none() | st.booleans() | st.integers() | _TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(_TEXT, inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(_TEXT, _JSON, max_size=4), st.integers(0, 400))
def test_any_object_is_closed(content: dict[str, Any], place: int) -> None:
    """The result can be read, and has no field that the message didn't have; if nothing was cut, it has all of them."""
    text = json.dumps(content)
    beginning = text[:place]
    told = whole_part(beginning.encode())
    assert not beginning or json.loads(told).keys() <= content.keys()
    assert json.loads(whole_part(text.encode())) == content


@given(st.binary())
def test_never_raises(beginning: bytes) -> None:
    """For any bytes."""
    assert isinstance(whole_part(beginning), str)


@pytest.mark.parametrize("unit", [b"[", b'{"a":', b'"', b"\\", b'{"a":"\\', b",", b"}"])
def test_a_hostile_beginning_costs_little(unit: bytes) -> None:
    """However deep it is nested: reading stops after a few levels, and it is read once."""
    for lead in (b"", b'{"a":', b'{"a":"'):
        assert len(whole_part(lead + unit * (65_536 // len(unit)))) <= 65_536 + 100
