"""Control of the codes: look at all, PINs too; let things happen to them; emit any event."""

from typing import get_args

from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.codes.codes import Code
from deploy.sandbox.control.code_patch import CodePatch, Simulation
from deploy.sandbox.control.routes import ControlEndpoint, ControlRequest
from deploy.sandbox.control.simulate import apply
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import ControlError, unknown


def _shown(sandbox: Sandbox, code: Code) -> JsonObject:
    return {
        **sandbox.code_object(code),
        "pin": code.pin,
        "phase": code.phase.value,
        "due_at": code.due_at,
        "gone_at": code.gone_at,
    }


def _list(request: ControlRequest) -> JsonObject:
    device_id, prefix = request.query.get("device_id"), request.query.get("name_prefix", "")
    codes = [
        _shown(request.sandbox, code)
        for code in request.sandbox.codes.everything()
        if device_id in {None, code.device_id} and (code.name or "").startswith(prefix)
    ]
    return {"access_codes": codes}


def _patch(request: ControlRequest) -> JsonObject:
    code = request.sandbox.codes.find(request.path["access_code_id"])
    if code is None:
        raise unknown("access code", request.path["access_code_id"])
    return _shown(request.sandbox, apply(request.sandbox, code, CodePatch.model_validate(request.body)))


def _emit(request: ControlRequest) -> JsonObject:
    fields = dict(request.body)
    event_type = fields.pop("event_type", None)
    if not isinstance(event_type, str) or not event_type:
        raise ControlError("event_type: a non-empty string is needed")
    return request.sandbox.events.emit(event_type, **fields).body


def _secrets(request: ControlRequest) -> JsonObject:
    sandbox = request.sandbox
    pins = sorted({*sandbox.codes.pins_ever(), *(code.pin for code in sandbox.found_codes.everything())})
    return {
        "pins": pins,
        "api_keys": [sandbox.api_key],
        "webhook_secrets": sandbox.webhooks.secrets(),
    }


ENDPOINTS = (
    ControlEndpoint(
        "GET",
        "/sandbox/access_codes",
        "All codes ever made, with PINs; ?device_id= and ?name_prefix= narrow it.",
        _list,
    ),
    ControlEndpoint(
        "PATCH",
        "/sandbox/access_codes/{access_code_id}",
        f"Let something happen to a code; simulate: {', '.join(get_args(Simulation))}. What is changed at the lock "
        "is undone after set_again_seconds, or stands, if is_external_modification_allowed.",
        _patch,
        (
            {"simulate": "deleted_external", "set_again_seconds": 5},
            {"simulate": "deleted_external", "is_external_modification_allowed": True},
            {"simulate": "modified_external", "code": "123456"},
            {"simulate": "time_frame_changed", "ends_at": "2035-01-01T10:00:00Z"},
            {"simulate": "removed"},
        ),
    ),
    ControlEndpoint(
        "POST",
        "/sandbox/events",
        "Emit any event: {event_type, device_id?, ...}.",
        _emit,
        ({"event_type": "lock.locked", "device_id": "11111111-1111-1111-1111-444444444444"},),
    ),
    ControlEndpoint(
        "GET",
        "/sandbox/secrets",
        "Every PIN, API key and webhook secret ever handed out.",
        _secrets,
    ),
)
