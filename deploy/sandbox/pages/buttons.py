"""The buttons of the front page: each calls a control endpoint, with the same checks, and leads back to the page."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, Final
from urllib.parse import parse_qs, urlsplit

from pydantic import ValidationError
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.control.observe import ENDPOINTS
from deploy.sandbox.control.routes import ControlRequest
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import ControlError
from deploy.sandbox.pages.home import home

PATH: Final = "/sandbox/buttons/{name}"
_MOST_FIELDS: Final = 500
Form = Mapping[str, Sequence[str]]


@dataclass(frozen=True, slots=True)
class _Order:
    """A call of a control endpoint, and the name of what is said afterwards."""

    method: str
    path: str
    body: JsonObject
    done: str
    parts: Mapping[str, str]


def _outage(form: Form, _: Sandbox) -> _Order:
    is_on = _one(form, "on") == "true"
    body: JsonObject = {"on": is_on, "kind": _one(form, "kind") or "http_503"}
    return _Order("POST", "/sandbox/outage", body, "away" if is_on else "back", {})


def _webhooks(form: Form, _: Sandbox) -> _Order:
    is_lost = _one(form, "drop") == "1"
    body: JsonObject = {"drop": 1.0} if is_lost else {}
    return _Order("POST", "/sandbox/delivery", body, "lost" if is_lost else "delivered", {})


def _fault(form: Form, _: Sandbox) -> _Order:
    times = _one(form, "times")
    body: JsonObject = {
        "operation": _one(form, "operation"),
        "kind": _one(form, "kind"),
        "times": int(times) if times.isdecimal() else 1,
    }
    return _Order("POST", "/sandbox/faults", body, "fault", {})


def _clear(_: Form, __: Sandbox) -> _Order:
    return _Order("DELETE", "/sandbox/faults", {}, "cleared", {})


def _slots(form: Form, sandbox: Sandbox) -> _Order:
    device_id = _one(form, "device_id")
    spec = sandbox.doors.control(device_id).spec
    before = [slot.model_dump() for slot in spec.slots] if spec is not None else []
    rows = zip(*(form.get(name, ()) for name in ("name", "check_in", "check_out")), strict=False)
    slots = []
    for number, (name, check_in, check_out) in enumerate(rows):
        # What the form doesn't show stays: the user level, and what kind of slot it is.
        known = before[number] if number < len(before) else {}
        if name.strip():
            slots.append({**known, "name": name.strip(), "check_in": check_in[:5], "check_out": check_out[:5]})
    return _Order("PATCH", "/sandbox/devices/{device_id}", {"slots": slots}, "slots", {"device_id": device_id})


_ORDERS: Final[Mapping[str, Callable[[Form, Sandbox], _Order]]] = {
    "outage": _outage,
    "webhooks": _webhooks,
    "fault": _fault,
    "clear": _clear,
    "slots": _slots,
}
_HANDLERS: Final = {(endpoint.method, endpoint.path): endpoint.handle for endpoint in ENDPOINTS}


async def press(sandbox: Sandbox, request: Request) -> Response:
    """Do what a button orders. A form of another site is refused."""
    if not _is_ours(request):
        return Response("This came from another page.", HTTPStatus.FORBIDDEN)
    make = _ORDERS.get(str(request.path_params["name"]))
    if make is None:
        return Response("There is no such button.", HTTPStatus.NOT_FOUND)
    form = parse_qs(
        (await request.body()).decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS
    )
    try:
        order = make(form, sandbox)
        with sandbox.store.batch():
            _HANDLERS[order.method, order.path](ControlRequest(sandbox, dict(order.parts), {}, order.body))
    except ValidationError as problem:
        return home(sandbox, problem="; ".join(_complaint(error) for error in problem.errors(include_url=False)))
    except ControlError as problem:
        return home(sandbox, problem=problem.message)
    return RedirectResponse(f"/?done={order.done}", HTTPStatus.SEE_OTHER)


def _complaint(error: Any) -> str:
    return f"{'.'.join(str(part) for part in error['loc']) or 'form'}: {error['msg']}"


def _one(form: Form, name: str) -> str:
    return next(iter(form.get(name, ())), "")


def _is_ours(request: Request) -> bool:
    site = request.headers.get("sec-fetch-site")
    if site is not None:
        return site == "same-origin"
    return urlsplit(request.headers.get("origin", "")).netloc == request.headers.get("host", "")
