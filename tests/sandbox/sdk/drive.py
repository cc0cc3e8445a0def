"""``python -m tests.sandbox.sdk.drive URL KEY STARTS_AT ENDS_AT``: make every call of Seam's SDK that is ours, once.

Runs in the SDK's interpreter. Prints for each path what the SDK returned or raised, and what is wrong with the raw
answer beneath it.
"""

import json
import sys
from typing import Any
from uuid import uuid4

import httpx
import seam  # type: ignore[import-not-found,unused-ignore]

from tests.sandbox.sdk.routes import judge_answer, routes

URL, API_KEY, STARTS_AT, ENDS_AT = sys.argv[1:]
WINDOW = {"starts_at": STARTS_AT, "ends_at": ENDS_AT}
SLOT = {"name": "Guest", "check_in": "16:00", "check_out": "10:00"}
FLAGS = {"is_cancellable": True, "is_extendable": True, "is_overridable": True}

control = httpx.Client(base_url=URL)
answers: list[httpx.Response] = []
known = routes()


def keep(answer: httpx.Response) -> None:
    """Remember a raw answer."""
    answer.read()
    answers.append(answer)


client = seam.Seam(api_key=API_KEY, endpoint=URL, httpx_options={"event_hooks": {"response": [keep]}})


def arrange(method: str, path: str, body: object) -> Any:
    """Call a control endpoint."""
    answer = control.request(method, path, json=body)
    answer.raise_for_status()
    return answer.json()


def door(**spec: Any) -> str:
    """Add a door."""
    body = {"device_id": str(uuid4()), "time_zone": "UTC", "slots": [SLOT], "code_flags": FLAGS, **spec}
    return str(arrange("POST", "/sandbox/devices", body)["device_id"])


def code(device_id: str, simulate: str = "set") -> str:
    """Create a code, and let it be set or something else happen to it."""
    created = client.access_codes.create(device_id=device_id, is_offline_access_code=True, name="BK-1", **WINDOW)
    arrange("PATCH", f"/sandbox/access_codes/{created.access_code_id}", {"simulate": simulate})
    return str(created.access_code_id)


def account() -> str:
    """Add a connected account."""
    body = {"connected_account_id": str(uuid4())}
    return str(arrange("POST", "/sandbox/connected_accounts", body)["connected_account_id"])


def unmanaged_door() -> str:
    """Add a door that Seam doesn't manage."""
    device_id = door()
    client.devices.update(device_id=device_id, is_managed=False)
    return device_id


def parameters() -> dict[str, dict[str, Any]]:
    """Return what each call is made with."""
    device_id = door()
    code_id = code(device_id)
    webhook = client.webhooks.create(url="http://127.0.0.1:9/x")
    event = client.events.list(device_id=device_id, since="2020-01-01T00:00:00Z")[0]
    attempt = client.action_attempts.list(device_id=device_id)[0]
    of_door, of_code = {"device_id": device_id}, {"access_code_id": code_id}
    of_account = {"connected_account_id": account()}
    of_unmanaged = {"access_code_id": code(device_id, "converted_to_unmanaged")}
    return {
        "/access_codes/create": {**of_door, **WINDOW, "name": "BK-2", "is_offline_access_code": True},
        "/access_codes/create_multiple": {"device_ids": [device_id], **WINDOW},
        "/access_codes/delete": {"access_code_id": code(device_id)},
        "/access_codes/generate_code": of_door,
        "/access_codes/get": of_code,
        "/access_codes/list": of_door,
        "/access_codes/pull_backup_access_code": of_code,
        "/access_codes/report_device_constraints": {**of_door, "min_code_length": 4},
        "/access_codes/update": {**of_code, "name": "BK-3"},
        "/access_codes/update_multiple": {"common_code_key": "none"},
        "/access_codes/simulate/create_unmanaged_access_code": {**of_door, "code": "1234", "name": "Cleaner"},
        "/access_codes/unmanaged/get": of_unmanaged,
        "/access_codes/unmanaged/list": of_door,
        "/access_codes/unmanaged/update": {**of_unmanaged, "is_managed": True},
        "/access_codes/unmanaged/convert_to_managed": {"access_code_id": code(device_id, "converted_to_unmanaged")},
        "/access_codes/unmanaged/delete": {"access_code_id": code(device_id, "converted_to_unmanaged")},
        "/action_attempts/get": {"action_attempt_id": attempt.action_attempt_id},
        "/action_attempts/list": of_door,
        "/connected_accounts/delete": {"connected_account_id": account()},
        "/connected_accounts/get": of_account,
        "/connected_accounts/list": {},
        "/connected_accounts/simulate/disconnect": of_account,
        "/connected_accounts/sync": of_account,
        "/connected_accounts/update": {**of_account, "display_name": "jane 2"},
        "/devices/get": of_door,
        "/devices/list": {},
        "/devices/list_device_providers": {},
        "/devices/report_provider_metadata": {"devices": []},
        "/devices/update": {**of_door, "name": "Room 9"},
        "/devices/simulate/connect": of_door,
        "/devices/simulate/connect_to_hub": of_door,
        "/devices/simulate/disconnect": {"device_id": door()},
        "/devices/simulate/disconnect_from_hub": of_door,
        "/devices/simulate/paid_subscription": {**of_door, "is_expired": True},
        "/devices/simulate/remove": {"device_id": door()},
        "/devices/unmanaged/get": {"device_id": unmanaged_door()},
        "/devices/unmanaged/list": {},
        "/devices/unmanaged/update": {"device_id": unmanaged_door(), "is_managed": True},
        "/events/get": {"event_id": event.event_id},
        "/events/list": {"since": "2020-01-01T00:00:00Z"},
        "/locks/configure_auto_lock": {**of_door, "auto_lock_enabled": False},
        "/locks/get": of_door,
        "/locks/list": {},
        "/locks/lock_door": of_door,
        "/locks/unlock_door": of_door,
        "/locks/simulate/keypad_code_entry": {**of_door, "code": "1234"},
        "/locks/simulate/manual_lock_via_keypad": of_door,
        "/webhooks/create": {"url": "http://127.0.0.1:9/x"},
        "/webhooks/delete": {"webhook_id": client.webhooks.create(url="http://127.0.0.1:9/x").webhook_id},
        "/webhooks/get": {"webhook_id": webhook.webhook_id},
        "/webhooks/list": {},
        "/webhooks/update": {"webhook_id": webhook.webhook_id, "event_types": ["*"]},
        "/workspaces/get": {},
        "/workspaces/list": {},
    }


def bound(path: str) -> Any:
    """Return the client's method for a path."""
    found: Any = client
    for name in path.strip("/").split("/"):
        found = getattr(found, name)
    return found


def outcome(path: str, arguments: dict[str, Any]) -> str:
    """Return what the SDK makes of a call."""
    try:
        returned = bound(path)(**arguments)
    except seam.SeamHttpApiError as error:
        return f"{error.status_code} {error.code}"
    if isinstance(returned, list):
        return f"list of {type(returned[0]).__name__}" if returned else "empty list"
    return type(returned).__name__


def drive(path: str, arguments: dict[str, Any]) -> dict[str, Any]:
    """Make a call; report on it, and on the raw answers beneath it."""
    del answers[:]
    found = outcome(path, arguments)
    raw = [answer for answer in answers if answer.request.url.path == path]
    problems = [each for answer in raw for each in judge_answer(known[path], answer.status_code, answer.json())]
    return {"outcome": found, "calls": len(raw), "violations": problems}


def paged(path: str, arguments: dict[str, Any]) -> bool:
    """Whether the SDK's paginator finds by pages of one what a list finds at once."""
    # A code that is set between the two differs, so they are compared again.
    for _ in range(3):
        whole = bound(path)(**arguments)
        pages = client.create_paginator(bound(path), {**arguments, "limit": 1}).flatten_to_list()
        if pages == list(whole):
            return len(pages) > 1
    return False


made = parameters()
# Before the calls that take away what is listed.
pages = {path: paged(path, made[path]) for path, route in known.items() if "pagination" in route.answers}
report = {path: drive(path, arguments) for path, arguments in made.items()}
json.dump(
    {
        "driven": report,
        "not_driven": sorted(known.keys() - made.keys()),
        "paged": pages,
    },
    sys.stdout,
)
