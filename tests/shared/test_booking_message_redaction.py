"""What booking systems send is stored without PINs, and without how a guest is reached; all else as it was sent."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.booking_message_redaction import without_secrets
from shared.domain.messages.parse import parse_booking_message
from tests.domain.booking_messages import booking, envelope

GONE = "[removed]"
FIELDS: list[tuple[str, Any, Any]] = [
    ("pin", "4821", GONE),
    ("pin", 4821, GONE),
    ("doorCode", "A4821", GONE),
    ("access_code", "4821", GONE),
    ("access_code", {"code": "4821", "id": "x"}, {"code": GONE, "id": "x"}),
    ("codes", [4821, 4822], GONE),
    ("code", {"name": "Ann", "pin": "4821"}, GONE),
    ("status_code", {"name": "cancelled", "id": 4821}, {"1": "cancelled", "2": GONE}),
    ("status", {"code": {"name": "confirmed", "by": None}}, {"code": {"1": "confirmed"}}),
    ("status_code", ["confirmed", "x9"], ["confirmed", GONE]),
    ("guest", {"phone": "+43 660 4821", "name": "x"}, {"phone": GONE, "name": "x"}),
    ("guest_phone_number", 436604821, GONE),
    ("contact-email", "ann@example.com", GONE),
    ("pin", None, None),
    ("has_pin", True, True),
    ("mailbox", "4821", "4821"),
    ("note", "floor 1207", "floor 1207"),
    ("room", 1207, 1207),
    ("revision", 1780000000000, 1780000000000),
    ("booking_id", 739158, 739158),
    ("arrival", "2026-12-01T15:45", "2026-12-01T15:45"),
    ("country", "AT", "AT"),
]


@pytest.mark.parametrize(("name", "value", "kept"), [pytest.param(*row, id=f"{row[0]}={row[1]!r}") for row in FIELDS])
def test_what_is_kept_of_a_field(name: str, value: Any, kept: Any) -> None:
    """In a bare booking, and in an envelope."""
    for sent, there in ((booking(), ()), (envelope(data=booking()), ("data",))):
        at: Any = sent
        for step in there:
            at = at[step]
        at[name] = value
        found = json.loads(without_secrets(json.dumps(sent)))
        for step in there:
            found = found[step]
        assert found == at | {name: kept}


def test_what_holds_none_stays_as_it_was_written() -> None:
    """Byte for byte, blanks and all."""
    text = '{ "booking_id":"BK-1",\n "note": 1.10, "label": "\\u00e4 \\ud800"}'
    assert without_secrets(text) == text


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ('{"pin": "4821"', '{"pin": "[removed]"'),
        ('{"pin": "4821', '{"pin": "[removed]"'),
        ('{"pin" : 4821, "check_in": "2026-12-01T15:45', '{"pin" : "[removed]", "check_in": "2026-12-01T15:45'),
        ('{"pin": "4821", "pin": null}', '{"pin": "[removed]", "pin": "[removed]"}'),
        ("4821", "4821"),
        ("", ""),
    ],
)
def test_what_is_not_quite_json(text: str, kept: str) -> None:
    """Cut off, or a name twice: only values beside such names go."""
    assert without_secrets(text) == kept


@given(st.recursive(st.none() | st.booleans() | st.integers() | st.text(max_size=8), lambda inner: st.lists(inner) |
       st.dictionaries(st.sampled_from(["pin", "door_code", "phone", "a", "code"]), inner), max_leaves=12))  # fmt: skip
def test_nothing_stands_beside_such_a_name(extra: Any) -> None:
    """At any depth; a second time changes nothing, and the message means what it meant."""
    text = json.dumps(booking(extra=extra))
    once = without_secrets(text)
    assert without_secrets(once) == once
    before, after = parse_booking_message(text), parse_booking_message(once)
    assert (before.booking_id, before.check_in, before.device_ids) == (
        after.booking_id,
        after.check_in,
        after.device_ids,
    )


def test_a_message_that_nests_too_deeply_is_left_alone() -> None:
    """It is refused where it is read."""
    text = '{"a": ' + "[" * 100_000
    assert without_secrets(text) == text


def test_a_word_for_a_cancellation_stays_under_any_name() -> None:
    """Without it the message would be taken for a booking. What has a digit in it may be a PIN."""
    text = json.dumps({"booking_id": "BK-1", "status": {"code": "CXL"}, "state": {"code": "no_show"}})
    assert without_secrets(text) == text
    hidden = json.dumps({"status": {"code": "cancelled 739158"}, "door": {"code": "void1"}})
    assert "739158" not in without_secrets(hidden)
    assert "void1" not in without_secrets(hidden)
