"""No PIN at rest: what is taken out of an event, and what must be left in it."""

import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.seam_event_redaction import REMOVED, Redactor, mask_digits, redact_event

PIN = "739158"
CODE_ID = "f23721ec-6dce-4c54-8971-40d58449a366"
DEVICE = "deadbeef-cafe-beef-cafe-deadbeefcafe"
AT = "2026-11-21T10:00:00.000Z"

# Where the events of Seam hold a PIN (Seam's SDK, `resources/seam_event.py`), and what must be left there.
DOCUMENTED: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "set_on_device": ({"code": PIN}, {"code": REMOVED}),
    "a number": ({"code": int(PIN)}, {"code": REMOVED}),
    "deleted without one": ({"code": None}, {"code": None}),
    "code_changed": (
        {"from": {"code": PIN}, "to": {"code": PIN}, "description": f"Code changed to {PIN}."},
        {"from": {"code": REMOVED}, "to": {"code": REMOVED}, "description": "Code changed to ######."},
    ),
    "code_changed, was none": ({"from": {"code": None}, "to": {"code": PIN}}, {"from": {}}),
    "changed_properties": (
        {"changed_properties": [{"property": "code", "from": PIN, "to": PIN}]},
        {"changed_properties": [{"property": "code", "from": REMOVED, "to": REMOVED}]},
    ),
    "changed_properties as objects": (
        {"changed_properties": [{"property": "code", "from": {"value": PIN}, "to": [PIN]}]},
        {"changed_properties": [{"property": "code", "from": REMOVED, "to": REMOVED}]},
    ),
    "requested_mutations": (
        {"requested_mutations": [{"mutation_code": "updating_code", "from": {"code": PIN}, "to": {"code": PIN}}]},
        {"requested_mutations": [{"mutation_code": "updating_code", "from": REMOVED, "to": REMOVED}]},
    ),
    "error messages": (
        {"access_code_errors": [{"error_code": "duplicate_code_on_device", "message": f"{PIN} is taken"}]},
        {"access_code_errors": [{"error_code": "duplicate_code_on_device", "message": "###### is taken"}]},
    ),
    "a spaced one": ({"event_description": "PIN 739 158"}, {"event_description": "PIN #######"}),
    "a dashed one": ({"event_description": "PIN 73-91-58"}, {"event_description": "PIN ########"}),
    "custom metadata": ({"device_custom_metadata": {"pin": PIN}}, {"device_custom_metadata": {"pin": REMOVED}}),
    "the whole code": (
        {"access_code": {"access_code_id": CODE_ID, "code": PIN}},
        {"access_code": {"access_code_id": CODE_ID, "code": REMOVED}},
    ),
    "in capitals": ({"Code": PIN, "PIN": PIN}, {"Code": REMOVED, "PIN": REMOVED}),
    "under an id's name": ({"backup_access_code_id": PIN}, {"backup_access_code_id": "######"}),
    "in other digits, as if it were an id": (
        {"access_code_id": "a\u0667\u0663\u0669\u0661\u0665\u0668"},
        {"access_code_id": "a######"},
    ),
    "as a key": ({"device_custom_metadata": {PIN: "yes"}}, {"device_custom_metadata": {"######": "yes"}}),
}


@pytest.mark.parametrize(("event", "left"), DOCUMENTED.values(), ids=DOCUMENTED.keys())
def test_where_pins_are_documented(event: dict[str, Any], left: dict[str, Any]) -> None:
    """Each documented place loses its PIN, and tells that there was one."""
    redacted = redact_event(event)
    assert {name: redacted.get(name) for name in left} == left
    assert PIN not in json.dumps(redacted)


KEPT: dict[str, dict[str, Any]] = {
    "ids": {"event_id": CODE_ID, "access_code_id": CODE_ID, "device_ids": [CODE_ID], "stay_id": 123456},
    "readable ids": {"access_code_id": "access_code1234", "workspace_id": "seed_workspace_1"},
    "times": {"created_at": AT, "occurred_at": "2026-11-21T02:00:00-08:00", "starts_at": AT},
    "enums": {"event_type": "access_code.set_on_device", "status": "set", "mutation_code": "updating_code"},
    "time frames": {"from": {"starts_at": AT, "ends_at": None}, "to": {"starts_at": AT, "ends_at": AT}},
    "names": {"from": {"name": "Room 101"}, "to": {"name": "Room 102"}},
    "flags and small numbers": {"is_managed": True, "count": 31, "share": 0.5, "nothing": None},
    "issues": {"device_errors": [{"error_code": "device_removed", "message": "It is gone.", "created_at": AT}]},
    "a window's change": {"changed_properties": [{"property": "name", "from": "A", "to": "B"}]},
}


@pytest.mark.parametrize("event", KEPT.values(), ids=KEPT.keys())
def test_what_is_no_pin_is_kept(event: dict[str, Any]) -> None:
    """Ids, times and the vendor's enums are what an event is good for."""
    assert redact_event(event) == event


def test_the_event_itself_is_not_changed() -> None:
    """A copy is returned."""
    event = {"code": PIN, "inner": {"code": PIN}}
    redact_event(event)
    assert event == {"code": PIN, "inner": {"code": PIN}}


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("", ""),
        ("Room 101", "Room 101"),
        ("1234", "####"),
        ("a1234b", "a####b"),
        ("12 34", "#####"),
        ("1.2.3.4", "#######"),
        ("12  34", "12  34"),
        ("123 and 456", "123 and 456"),
        ("١٢٣٤٥٦", "######"),
    ],
    ids=["empty", "short", "four", "amid letters", "spaced", "dotted", "two gaps", "two short ones", "other digits"],
)
def test_runs_of_digits_are_masked(text: str, masked: str) -> None:
    """Four digits or more, at their own length, alone or with one separator between them."""
    assert mask_digits(text) == masked


def test_a_text_that_was_seen_is_judged_by_where_it_stands() -> None:
    """What was harmless as a name is still a PIN under `code`, and as a side of a changed code."""
    redact = Redactor().redact
    assert redact({"name": "12 b"}) == {"name": "12 b"}
    assert redact({"code": "12 b"}) == {"code": REMOVED}
    assert redact({"property": "code", "from": "12 b", "to": "12 b"}) == {
        "property": "code",
        "from": REMOVED,
        "to": REMOVED,
    }
    assert redact({"access_code_id": "a1234"}) == {"access_code_id": "a1234"}
    assert redact({"name": "a1234"}) == {"name": "a####"}


def test_what_is_remembered_is_bounded_and_holds_no_pin() -> None:
    """However many texts there are, and however long; one with a run of digits never."""
    redactor = Redactor()
    for number in range(10_000):
        redactor.redact({"name": f"{number % 100} {'x' * (number // 100)}", "note": f"it is {number + 1000}"})
    assert 0 < len(redactor._harmless) <= 4096
    assert not any(mask_digits(text) != text or len(text) > 200 for text in redactor._harmless)


PINS = st.from_regex(r"[0-9]{4,12}", fullmatch=True)
WORDS = st.sampled_from(["note", "errors", "access_code_errors", "metadata", "inner", "warnings"])
SENTENCES = st.sampled_from(["{}", "the code is {}.", "({})", "code:{}", "{}\n", "now {}, was something else"])


@st.composite
def holders(draw: st.DrawFn) -> tuple[str, dict[str, Any]]:
    """Draw a PIN and an object that holds it in one of the documented places."""
    pin = draw(PINS)
    sentence = draw(SENTENCES).format(pin)
    holder = draw(
        st.sampled_from(
            list[dict[str, Any]](
                [
                    {"code": pin},
                    {"code": int("1" + pin)},
                    {"code": [pin]},
                    {"from": {"code": pin}, "to": {"code": None}},
                    {"property": "code", "from": pin, "to": pin},
                    {"mutation_code": "updating_code", "from": {"code": pin}, "to": {"anything": [pin]}},
                    {"message": sentence},
                    {"description": sentence},
                    {"event_description": sentence},
                    {"error_code": "provider_issue", "message": sentence},
                    {"display_status": sentence},
                ]
            )
        )
    )
    return pin, holder


@given(held=holders(), path=st.lists(WORDS | st.none(), max_size=12))
def test_a_pin_survives_nowhere(held: tuple[str, dict[str, Any]], path: list[str | None]) -> None:
    """However deep it lies, in objects (a name) and lists (None): gone; ids and times beside it stay."""
    pin, inner = held
    nested: Any = inner
    for step in path:
        nested = [nested] if step is None else {step: nested, "device_id": DEVICE, "created_at": AT}
    redacted = redact_event({"event_id": "e-abc", "occurred_at": AT, "nested": nested})

    text = json.dumps(redacted).replace(AT, "")
    assert pin not in text
    assert (redacted["event_id"], redacted["occurred_at"]) == ("e-abc", AT)
    assert text.count(DEVICE) == sum(step is not None for step in path)


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=10), inner, max_size=4),
)


@given(event=st.dictionaries(st.text(max_size=10), JSON, max_size=5))
def test_redacting_twice_is_redacting_once(event: dict[str, Any]) -> None:
    """Any object can be redacted, and what is left is left alone."""
    once = redact_event(event)
    assert redact_event(once) == once
