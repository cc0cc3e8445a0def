"""A walk through everything that the sandbox can answer, so that all of it can be judged."""

from tests.sandbox.harness import Sandbox, in_days, wait_until

_FLAGS = ("is_cancellable", "is_extendable", "is_early_checkin_able", "is_overridable")
_SIMULATIONS = (
    {"simulate": "modified_external"},
    {"simulate": "deleted_external"},
    {"simulate": "failed_to_set"},
    {"simulate": "duplicate_code_on_device"},
    {"simulate": "no_space"},
    {"simulate": "delay_in_setting"},
    {"simulate": "code_changed"},
    {"simulate": "time_frame_changed"},
    {"simulate": "removed"},
)


def walk(sandbox: Sandbox) -> None:
    """Ask for everything, in every state that it can be in."""
    _doors(sandbox)
    _life_of_a_code(sandbox)
    _what_outsiders_do(sandbox)
    _changes(sandbox)
    _webhooks(sandbox)
    _events(sandbox)
    _refusals(sandbox)


def _doors(sandbox: Sandbox) -> None:
    for tod_style in ("zone", "offset_zone", "bare"):
        sandbox.door(tod_style=tod_style, prefix_field="ext", max_active_codes=3)
    device_id = sandbox.door(prefix_field="schema")
    for path in ("/devices/get", "/locks/get"):
        sandbox.api.get(path, params={"device_id": device_id})
    for path in ("/devices/list", "/locks/list"):
        sandbox.api.get(path)
    sandbox.api.get("/devices/list", params={"limit": 1})


def _life_of_a_code(sandbox: Sandbox) -> None:
    late = sandbox.door(program_lead_seconds=3600)
    sandbox.code(sandbox.created(late)["access_code_id"])
    failing = sandbox.door(no_slot_behaviour="fail_later")
    code_id = sandbox.created(failing, starts_at=in_days(2, "08:00:00"))["access_code_id"]
    wait_until(lambda: sandbox.code(code_id)["errors"])
    device_id = sandbox.door()
    for door in (late, failing, device_id):
        answer = sandbox.create(door).json()
        asked = {"action_attempt_id": answer["action_attempt"]["action_attempt_id"]}
        sandbox.api.get("/action_attempts/get", params=asked)
        if door == device_id:
            sandbox.wait_for_status(answer["access_code"]["access_code_id"], "set")
        sandbox.api.get("/action_attempts/get", params=asked)
        sandbox.codes(door)
    sandbox.api.get("/access_codes/list", params={"device_id": device_id, "limit": 1})


def _what_outsiders_do(sandbox: Sandbox) -> None:
    for what in _SIMULATIONS:
        device_id = sandbox.door()
        code_id = sandbox.created(device_id)["access_code_id"]
        sandbox.wait_for_status(code_id, "set")
        sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", what)
        sandbox.code(code_id)
        sandbox.codes(device_id)
    device_id = sandbox.door()
    code_id = sandbox.created(device_id)["access_code_id"]
    sandbox.arrange("PATCH", f"/sandbox/access_codes/{code_id}", {"simulate": "converted_to_unmanaged"})
    sandbox.api.get("/access_codes/unmanaged/get", params={"access_code_id": code_id})
    sandbox.api.get("/access_codes/unmanaged/list", params={"device_id": device_id})


def _changes(sandbox: Sandbox) -> None:
    device_id = sandbox.door(code_flags=dict.fromkeys(_FLAGS, True))
    code_id = sandbox.wait_for_status(sandbox.created(device_id)["access_code_id"], "set")["access_code_id"]
    changed = {"access_code_id": code_id, "name": "BK-2", "ends_at": in_days(6, "10:00:00")}
    sandbox.api.patch("/access_codes/update", json=changed)
    sandbox.code(code_id)
    wait_until(lambda: not sandbox.code(code_id)["pending_mutations"])
    sandbox.api.delete("/access_codes/delete", params={"access_code_id": code_id})
    sandbox.code(code_id)
    wait_until(lambda: sandbox.code(code_id) is None)


def _webhooks(sandbox: Sandbox) -> None:
    webhook = sandbox.api.post("/webhooks/create", json={"url": "http://127.0.0.1:9/x"}).json()["webhook"]
    asked = {"webhook_id": webhook["webhook_id"]}
    sandbox.api.get("/webhooks/get", params=asked)
    sandbox.api.get("/webhooks/list")
    sandbox.api.put("/webhooks/update", json={**asked, "event_types": ["access_code.created"]})
    sandbox.api.delete("/webhooks/delete", params=asked)
    sandbox.api.get("/webhooks/get", params=asked)


def _events(sandbox: Sandbox) -> None:
    event = sandbox.events()[0]
    sandbox.api.get("/events/get", params={"event_id": event["event_id"]})


def _refusals(sandbox: Sandbox) -> None:
    device_id = sandbox.door()
    sandbox.create(device_id, starts_at="soon")
    sandbox.create(device_id, starts_at=in_days(2, "03:00:00"))
    for _ in range(11):
        sandbox.create(device_id)
    code_id = sandbox.codes(device_id)[0]["access_code_id"]
    sandbox.api.post("/access_codes/delete", json={"access_code_id": code_id})
    sandbox.api.patch("/access_codes/update", json={"access_code_id": code_id, "name": "BK-3"})
