"""Update and delete: refused for Oracode codes, unless the flags of that code allow the change."""

from typing import Any

import pytest

from tests.sandbox.harness import Sandbox, in_days
from tests.support.waiting import wait_until

LATER, EARLIER = in_days(6, "10:00:00"), in_days(4, "10:00:00")
SOONER = in_days(1, "16:00:00")


@pytest.mark.parametrize(
    ("flags", "change", "is_allowed"),
    [
        ([], {"ends_at": LATER}, False),
        ([], {"name": "BK-2"}, False),
        (["is_extendable"], {"ends_at": LATER}, True),
        (["is_extendable"], {"ends_at": EARLIER}, False),
        (["is_extendable"], {"starts_at": SOONER}, False),
        (["is_extendable"], {"name": "BK-2"}, False),
        (["is_early_checkin_able"], {"starts_at": SOONER}, True),
        (["is_early_checkin_able"], {"ends_at": LATER}, False),
        (["is_overridable"], {"ends_at": EARLIER, "starts_at": SOONER, "name": "BK-2"}, True),
        (["is_overridable"], {"code": "1234"}, False),
        (["is_overridable"], {"ends_at": in_days(6, "13:00:00")}, False),
    ],
)
def test_update(
    sandbox: Sandbox,
    flags: list[str],
    change: dict[str, str],
    is_allowed: bool,  # noqa: FBT001
) -> None:
    """The flag that fits lets a change through; nothing lets the PIN be chosen."""
    before = _code(sandbox, flags)
    body = {"access_code_id": before["access_code_id"], **change}
    answer = sandbox.api.patch("/access_codes/update", json=body)

    if not is_allowed:
        assert (answer.status_code, answer.json()["error"]["type"]) == (400, "invalid_input")
        assert sandbox.code(before["access_code_id"]) == before
        return
    assert answer.status_code == 200
    assert answer.json()["action_attempt"]["status"] == "pending"
    code_id = before["access_code_id"]
    code = wait_until(lambda: (c := sandbox.code(code_id)) and not c["pending_mutations"] and c)
    assert code["status"] == "set"
    assert code["code"] == before["code"]
    if "ends_at" in change:
        assert code["ends_at"][:19] == change["ends_at"][:19]
    assert sandbox.event_types(code_id)[-1] == "changed"
    assert "mutations_requested" in sandbox.event_types(code_id)[3:]
    asked = {"action_attempt_id": answer.json()["action_attempt"]["action_attempt_id"]}
    attempt = sandbox.api.get("/action_attempts/get", params=asked).json()["action_attempt"]
    assert (attempt["action_type"], attempt["status"]) == ("UPDATE_ACCESS_CODE", "success")
    assert attempt["result"]["access_code"] == code


def test_delete_is_refused(sandbox: Sandbox) -> None:
    """The guide: these codes can't be deleted."""
    code = _code(sandbox, ["is_extendable"])
    answer = sandbox.api.post("/access_codes/delete", json={"access_code_id": code["access_code_id"]})
    assert (answer.status_code, answer.json()["error"]["type"]) == (400, "offline_access_code_not_revocable")
    assert sandbox.code(code["access_code_id"]) == code


def test_cancellable_code_is_deleted(sandbox: Sandbox) -> None:
    """``removing``, then 404."""
    code_id = _code(sandbox, ["is_cancellable"])["access_code_id"]
    answer = sandbox.api.delete("/access_codes/delete", params={"access_code_id": code_id})
    assert answer.json()["ok"] is True
    wait_until(lambda: sandbox.code(code_id) is None)
    assert sandbox.event_types(code_id)[-2:] == ["removed_from_device", "deleted"]


def test_update_has_a_rate_limit_of_its_own(sandbox: Sandbox) -> None:
    """Ten updates and twenty deletes a minute and device."""
    code_id = _code(sandbox, [])["access_code_id"]
    body = {"access_code_id": code_id}
    updates = [sandbox.api.patch("/access_codes/update", json=body) for _ in range(11)]
    deletes = [sandbox.api.post("/access_codes/delete", json=body) for _ in range(21)]
    assert [answer.status_code for answer in updates] == [*[200] * 10, 429]
    assert [answer.status_code for answer in deletes] == [*[400] * 20, 429]


def _code(sandbox: Sandbox, flags: list[str]) -> Any:
    device_id = sandbox.door(code_flags=dict.fromkeys(flags, True))
    return sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")
