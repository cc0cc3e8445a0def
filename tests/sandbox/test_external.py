"""What somebody does to a code at the lock, outside of Seam: undone by Seam, or honored where the code allows it."""

from typing import Any

import pytest

from tests.sandbox.harness import Sandbox, in_days

CONFLICT, IN_EFFECT = "conflicting_external_modification", "external_modification_in_effect"


@pytest.fixture
def code(sandbox: Sandbox) -> Any:
    """Create a code that is set."""
    return sandbox.wait_for_status(sandbox.created(sandbox.door())["access_code_id"], "set")


def simulate(sandbox: Sandbox, code: Any, simulation: str, /, **details: Any) -> Any:
    """Let something happen to a code; return it as Seam then serves it."""
    body = {"simulate": simulation, **details}
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code['access_code_id']}", body)
    return sandbox.code(code["access_code_id"])


def test_removed_code_is_set_again(sandbox: Sandbox, code: Any) -> None:
    """The error says that Seam tries; after a while the code is set, with its PIN, and the event tells of it."""
    removed = simulate(sandbox, code, "deleted_external", set_again_seconds=0.3)
    [error] = removed["errors"]
    assert (error["error_code"], error["change_type"]) == (CONFLICT, "removed")
    assert removed["status"] == "setting"
    assert removed["pending_mutations"][0]["mutation_code"] == "creating"

    again = sandbox.wait_for_status(code["access_code_id"], "set")
    assert (again["code"], again["errors"], again["pending_mutations"]) == (code["code"], [], [])
    types = ["set_on_device", "deleted_external_to_seam", "set_on_device"]
    assert sandbox.event_types(code["access_code_id"])[2:] == types


def test_removed_code_stays_with_its_error_until_then(sandbox: Sandbox, code: Any) -> None:
    """By default Seam takes a minute: a look in between finds the error, and the code is still there."""
    removed = simulate(sandbox, code, "deleted_external")
    assert sandbox.code(code["access_code_id"]) == removed
    assert simulate(sandbox, code, "set")["errors"] == []


def test_allowed_removal_stands(sandbox: Sandbox) -> None:
    """The warning says so; Seam doesn't set the code again."""
    asked = {"is_external_modification_allowed": True}
    code = sandbox.wait_for_status(sandbox.created(sandbox.door(), **asked)["access_code_id"], "set")
    assert code["is_external_modification_allowed"] is True
    removed = simulate(sandbox, code, "deleted_external", set_again_seconds=0)
    [warning] = removed["warnings"]
    assert (warning["warning_code"], warning["change_type"]) == (IN_EFFECT, "removed")
    assert (removed["status"], removed["errors"], removed["pending_mutations"]) == ("unset", [], [])
    assert sandbox.event_types(code["access_code_id"])[-1] == "deleted_external_to_seam"
    assert sandbox.code(code["access_code_id"]) == removed


def test_plain_deletion(sandbox: Sandbox, code: Any) -> None:
    """Seam doesn't know the code any more, and says so."""
    assert simulate(sandbox, code, "removed") is None
    assert sandbox.event_types(code["access_code_id"])[-1] == "deleted"


def test_modification_is_undone(sandbox: Sandbox, code: Any) -> None:
    """The error lists what was changed, with old and new values; the code keeps what Seam wants."""
    ends_at = in_days(5, "09:00:00.000", offset="Z")
    changed = simulate(sandbox, code, "modified_external", code="777777", ends_at=ends_at, set_again_seconds=0.3)
    [error] = changed["errors"]
    assert (error["error_code"], error["change_type"]) == (CONFLICT, "modified")
    assert error["modified_fields"] == [
        {"field": "code", "from": code["code"], "to": "777777"},
        {"field": "ends_at", "from": code["ends_at"], "to": ends_at},
    ]
    assert (changed["code"], changed["ends_at"]) == (code["code"], code["ends_at"])
    again = sandbox.wait_for_status(code["access_code_id"], "set")
    assert (again["code"], again["errors"]) == (code["code"], [])
    assert {code["code"], "777777"} <= set(sandbox.look("/sandbox/secrets")["pins"])


def test_allowed_modification_stands(sandbox: Sandbox, code: Any) -> None:
    """The code is what somebody made of it; the warning lists the change."""
    allowed = {"is_external_modification_allowed": True}
    changed = simulate(sandbox, code, "modified_external", code="777777", **allowed)
    [warning] = changed["warnings"]
    assert warning["warning_code"] == IN_EFFECT
    assert warning["modified_fields"] == [{"field": "code", "from": code["code"], "to": "777777"}]
    assert (changed["status"], changed["code"], changed["errors"]) == ("set", "777777", [])
    assert sandbox.event_types(code["access_code_id"])[-1] == "modified_external_to_seam"
    assert {code["code"], "777777"} <= set(sandbox.look("/sandbox/secrets")["pins"])


def test_modification_of_a_random_pin(sandbox: Sandbox, code: Any) -> None:
    """Without details, the PIN is changed; whatever it is, it is among the secrets."""
    [error] = simulate(sandbox, code, "modified_external")["errors"]
    [field] = error["modified_fields"]
    assert (field["field"], field["from"]) == ("code", code["code"])
    assert field["to"] in sandbox.look("/sandbox/secrets")["pins"]
    path = f"/sandbox/access_codes/{code['access_code_id']}"
    sandbox.arrange("PATCH", path, {"simulate": "set"})
