"""The front page: what this is, the doors with their slots, the newest codes, where to go on."""

import json

from starlette.responses import HTMLResponse

from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.codes.codes import Code
from deploy.sandbox.control.observe import ENDPOINTS
from deploy.sandbox.devices.door import Door
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.pages.html import page, table, text

SHOWN_CODES = 200
_MARKS = ("is_24_hour", "is_biweekly_mode", "is_one_shot", "is_master")


def home(sandbox: Sandbox) -> HTMLResponse:
    """Return the front page."""
    doors = [_door_row(door) for door in sandbox.doors]
    newest = list(reversed(sandbox.codes.everything()))[:SHOWN_CODES]
    codes = [_code_row(sandbox, code) for code in newest]
    endpoints = [
        [
            f"<code>{text(endpoint.method)}</code>",
            _link(endpoint.method, endpoint.path),
            text(endpoint.summary) + _examples(endpoint.examples),
        ]
        for endpoint in ENDPOINTS
    ]
    body = (
        "<p>This process stands in for the Seam API. It behaves as Seam does for doors with "
        "dormakaba Oracode locks: the same endpoints, rules, events and signed webhooks, and no "
        "lock anywhere. "
        f"Its API key is <code>{text(sandbox.api_key)}</code>.</p>"
        '<p><a href="/alerts">Alerts it took</a> · <a href="/sandbox">Control endpoints</a> · '
        '<a href="/sandbox/requests">What it was asked</a> · '
        '<a href="/sandbox/stats">Counts</a></p>'
        f"<h2>Doors</h2>{table(['Door', 'Device', 'Zone', 'Offline codes', 'Issues', 'Time slots'], doors)}"
        f"<h2>Codes</h2>{table(['Name', 'Door', 'From', 'To', 'State', 'PIN'], codes)}"
        f"<h2>Control</h2>{table(['', 'Endpoint', ''], endpoints)}"
    )
    return page("Seam sandbox", body)


def _examples(bodies: tuple[JsonObject, ...]) -> str:
    return "".join(f"<br><code>{text(json.dumps(body))}</code>" for body in bodies)


def _door_row(door: Door) -> list[str]:
    location = door.device.get("location")
    zone = location.get("time_zone", "") if isinstance(location, dict) else ""
    return [
        text(door.name),
        f"<code>{text(door.device_id)}</code>",
        text(zone),
        "yes" if door.offers_offline_codes else "no",
        text(", ".join(issue.code for issue in door.issues)),
        "<br>".join(_slot(slot) for slot in _listed_slots(door)) or "none",
    ]


def _listed_slots(door: Door) -> list[JsonObject]:
    metadata = door.properties.get("dormakaba_oracode_metadata")
    listed = metadata.get("predefined_time_slots") if isinstance(metadata, dict) else None
    return [slot for slot in listed if isinstance(slot, dict)] if isinstance(listed, list) else []


def _slot(slot: JsonObject) -> str:
    marks = " ".join(mark.removeprefix("is_") for mark in _MARKS if slot.get(mark) is True)
    times = f"{slot.get('check_in_time')} → {slot.get('check_out_time')}"
    return f"{text(slot.get('name'))} <small>{text(times)} {text(marks)}</small>"


def _code_row(sandbox: Sandbox, code: Code) -> list[str]:
    served = sandbox.code_object(code)
    door = next((door.name for door in sandbox.doors if door.device_id == code.device_id), code.device_id)
    errors = ", ".join(str(error["error_code"]) for error in code.errors)
    return [
        text(code.name or ""),
        text(door),
        text(served["starts_at"]),
        text(served["ends_at"]),
        text(f"{served['status']} {errors}"),
        text(code.shown_pin or "not yet"),
    ]


def _link(method: str, path: str) -> str:
    shown = f"<code>{text(path)}</code>"
    return f'<a href="{text(path)}">{shown}</a>' if method == "GET" else shown
