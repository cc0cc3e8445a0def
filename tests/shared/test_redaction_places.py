"""Every place of Seam's SDK that can hold a PIN: none survives there, whatever it looks like, however deep it lies."""

import ast
import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.seam_event_redaction import REMOVED, redact_event

AT = "2026-11-21T10:00:00.000Z"
ID = "f23721ec-6dce-4c54-8971-40d58449a366"
Holder = Callable[[Any, Any], dict[str, Any]]


def issue(**fields: Any) -> dict[str, Any]:
    """Return an error or a warning of Seam with some fields besides its own."""
    return {"message": "Somebody changed it.", "created_at": AT, "is_access_code_error": True, **fields}


def modified(field: str, old: Any, new: Any) -> dict[str, Any]:
    """Return what Seam says of a change that somebody made at the lock."""
    return issue(
        error_code="conflicting_external_modification",
        change_type="modified",
        modified_fields=[{"field": field, "from": old, "to": new}],
    )


# By resource and field of the SDK 3.18 (`seam/resources/*.py`), with an old and a new PIN.
PLACES: dict[str, Holder] = {
    "access_code.code": lambda _, new: {"access_code": {"access_code_id": ID, "code": new}},
    "access_code.errors[].modified_fields[]": lambda old, new: {"errors": [modified("code", old, new)]},
    "access_code.warnings[].modified_fields[]": lambda old, new: {"warnings": [modified("code", old, new)]},
    "access_code.pending_mutations[].from.code": lambda old, new: {
        "pending_mutations": [{"mutation_code": "updating_code", "from": {"code": old}, "to": {"code": new}}]
    },
    "access_grant.requested_access_methods[].code": lambda _, new: {
        "requested_access_methods": [{"mode": "code", "code": new}]
    },
    "access_grant.warnings[].original_code": lambda old, new: {
        "warnings": [issue(warning_code="requested_code_unavailable", original_code=old, new_code=new)]
    },
    "access_method.code": lambda _, new: {"access_method": {"mode": "code", "code": new}},
    "access_method.warnings[].original_code": lambda old, new: {
        "warnings": [issue(warning_code="pulled_backup_access_code", original_code=old, new_code=new)]
    },
    "acs_credential.code": lambda _, new: {"acs_credential": {"acs_credential_id": ID, "code": new}},
    "action_attempt.result.access_code": lambda _, new: {"result": {"access_code": {"code": new}}},
    "seam_event.code": lambda _, new: {"event_type": "access_code.set_on_device", "code": new},
    "seam_event.from.code": lambda old, new: {
        "event_type": "access_code.code_changed",
        "from": {"code": old},
        "to": {"code": new},
    },
    "seam_event.changed_properties[]": lambda old, new: {
        "changed_properties": [{"property": "code", "from": old, "to": new}]
    },
    "seam_event.requested_mutations[]": lambda old, new: {
        "requested_mutations": [{"mutation_code": "updating_code", "from": {"code": old}, "to": {"code": new}}]
    },
    "seam_event.access_code_errors[].modified_fields[]": lambda old, new: {
        "access_code_errors": [modified("code", old, new)]
    },
    "seam_event.access_code_warnings[].modified_fields[]": lambda old, new: {
        "access_code_warnings": [modified("code", old, new)]
    },
    # Not in the SDK, and as near to it as what a next version may have.
    "a changed code whose sides aren't objects": lambda old, new: {
        "event_type": "access_code.code_changed",
        "from": old,
        "to": new,
    },
    "a changed code by another name": lambda old, new: modified("pin_code", old, new),
    "a changed code in capitals": lambda old, new: modified("Code", old, new),
    "a changed code among others": lambda old, new: {"field": ["starts_at", "code"], "from": old, "to": new},
    "other names of the sides": lambda old, new: {"field": "code", "old_value": old, "new_value": new, "value": new},
    "changes by their name": lambda old, new: {"modified_fields": {"code": {"from": old, "to": new}}},
    "codes": lambda old, new: {"codes": [old, new]},
    "a code's own object": lambda old, new: {"code": {"value": new, "was": [old]}},
    "access codes that are texts": lambda old, new: {"access_codes": [old, new], "access_code": [new]},
    "a new field": lambda old, new: {"previous_code": old, "requestedPin": new, "passcode": new},
    "metadata of a customer": lambda old, new: {"device_custom_metadata": {"door_code": old, "GatePIN": new}},
}

# Letters and digits, as locks of other brands have them, or digits alone; never like a word beside it.
ALPHANUMERIC = st.from_regex(r"[A-Z0-9]{2,5}Q[0-9]Z[A-Z0-9]{0,4}", fullmatch=True)
PINS = ALPHANUMERIC | st.from_regex(r"[0-9]{4,12}", fullmatch=True).map(lambda pin: f"9{pin}7")
WORDS = st.sampled_from(["inner", "errors", "data", "payload", "items"])
BESIDE = {"device_id": ID, "created_at": AT, "name": "Room 101", "status": "set", "count": 3, "is_managed": True}


@given(
    place=st.sampled_from(sorted(PLACES)),
    old=PINS,
    new=PINS,
    as_number=st.booleans(),
    path=st.lists(WORDS | st.none(), max_size=8),
)
def test_no_pin_survives_in_any_place(
    place: str, old: str, new: str, *, as_number: bool, path: list[str | None]
) -> None:
    """In objects (a name) and lists (None), at any depth. Fields beside it are unchanged."""
    values: list[Any] = [int(pin) if as_number and pin.isdigit() else pin for pin in (old, new)]
    nested: Any = PLACES[place](*values)
    for step in path:
        nested = [nested] if step is None else {step: nested, **BESIDE}
    redacted: Any = redact_event({"event_id": ID, "nested": nested})

    text = json.dumps(redacted)
    assert old not in text
    assert new not in text
    assert REMOVED in text
    inner = redacted["nested"]
    for step in reversed(path):
        if step is None:
            (inner,) = inner
        else:
            assert {name: inner[name] for name in BESIDE} == BESIDE
            inner = inner[step]


KEPT: dict[str, dict[str, Any]] = {
    "times that somebody changed": modified("starts_at", AT, "2026-11-22T10:00:00.000Z"),
    "a name that somebody changed": modified("name", "Room A", "Room B"),
    "a changed key of shared codes": modified("common_code_key", "suite", "villa"),
    "a time that somebody changed": {"changed_properties": [{"property": "ends_at", "from": AT, "to": None}]},
    "times in a mutation": {
        "mutation_code": "updating_time_frame",
        "from": {"starts_at": AT, "ends_at": AT},
        "to": {"starts_at": AT, "ends_at": None},
    },
    "a value of a device": {"field": "battery_level", "from": 0.5, "to": 0.4, "value": 0.4},
    "the vendor's enums": issue(
        error_code="duplicate_code_on_device", warning_code="code_rotates_periodically", mutation_code="updating_code"
    ),
    "ids of codes": {"managed_access_code_id": ID, "access_code_ids": [ID], "member_pin_id": ID},
    "flags about codes": {"is_backup_code": True, "can_unlock_with_code": False, "code": True},
    "keys and lengths": {"common_code_key": "suite", "supported_code_lengths": [4, 6], "active_access_code_count": 12},
    "a list of codes": {"access_codes": [{"access_code_id": ID, "name": "Room 101", "starts_at": AT}]},
}


@pytest.mark.parametrize("event", KEPT.values(), ids=KEPT.keys())
def test_what_is_no_pin_beside_such_places_survives(event: dict[str, Any]) -> None:
    """Only what a code is goes, not what is said about one."""
    assert redact_event(event) == event


def test_no_code_before_is_still_told_from_a_replaced_one() -> None:
    """What was null is dropped: the alert about a replaced PIN depends on it."""
    change = {"event_type": "access_code.code_changed", "from": {"code": None}, "to": {"code": "A12B"}}
    assert redact_event(change) == {**change, "from": {}, "to": {"code": REMOVED}}
    changed = {"property": "code", "from": None, "to": "A12B"}
    assert redact_event(changed) == {"property": "code", "to": REMOVED}


# Fields of the SDK whose names speak of codes, and which hold none.
NOT_PINS = {
    "error_code",
    "warning_code",
    "mutation_code",
    "common_code_key",
    "member_pin_id",
    "model_code",
    "code_constraints",
}
HOLDING = {"code", "original_code", "new_code", "access_code", "access_codes", "unmanaged_access_codes"}


@pytest.fixture(scope="module")
def sdk_fields() -> set[str]:
    """Return the names of all fields of the SDK's resources that are texts, or anything at all."""
    named = os.environ.get("SDK_PYTHON")
    venv = Path(named).parents[1] if named else Path(__file__).parents[2] / ".venv-sdk"
    found = sorted(venv.glob("lib/python3*/site-packages/seam/resources/*.py"))
    if not found:
        reason = "no Seam SDK: set SDK_PYTHON, or make .venv-sdk"
        if os.environ.get("CI"):
            pytest.fail(reason)
        pytest.skip(reason)
    return {
        node.target.id
        for path in found
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.AnnAssign) and isinstance(node.target, ast.Name)
        if any(word in ast.unparse(node.annotation) for word in ("str", "Any"))
    }


def test_the_table_has_every_field_of_the_sdk(sdk_fields: set[str]) -> None:
    """A next version of the SDK that names another one fails here, and a person decides what it is."""
    speaks_of_codes = {
        name for name in sdk_fields if any(word in name.split("_") for word in ("code", "codes", "pin", "passcode"))
    }
    own = {name for name in speaks_of_codes if not name.endswith(("_id", "_ids", "_errors", "_warnings"))}
    assert own - NOT_PINS == HOLDING
    assert {"field", "property", "from_", "to"} <= sdk_fields
    for name in HOLDING:
        assert redact_event({name: "A12B"}) == {name: REMOVED}
