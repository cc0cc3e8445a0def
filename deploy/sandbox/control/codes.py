"""Control of the codes: look at all, PINs too; let things happen to them; emit any event."""

from deploy.sandbox.code_objects import code_object
from deploy.sandbox.codes import Code
from deploy.sandbox.control.routes import Ask, Control
from deploy.sandbox.errors import ControlError, unknown
from deploy.sandbox.simulate import CodePatch, apply
from deploy.sandbox.wire import JsonObject


def _shown(code: Code) -> JsonObject:
    return {
        **code_object(code),
        "pin": code.pin,
        "phase": code.phase.value,
        "due_at": code.due_at,
        "gone_at": code.gone_at,
    }


def _list(ask: Ask) -> JsonObject:
    device_id, prefix = ask.query.get("device_id"), ask.query.get("name_prefix", "")
    codes = [
        _shown(code)
        for code in ask.world.codes.everything()
        if device_id in {None, code.device_id} and (code.name or "").startswith(prefix)
    ]
    return {"access_codes": codes}


def _patch(ask: Ask) -> JsonObject:
    code = ask.world.codes.find(ask.path["access_code_id"])
    if code is None:
        raise unknown("access code", ask.path["access_code_id"])
    return _shown(apply(ask.world, code, CodePatch.model_validate(ask.body)))


def _emit(ask: Ask) -> JsonObject:
    fields = dict(ask.body)
    event_type = fields.pop("event_type", None)
    if not isinstance(event_type, str) or not event_type:
        raise ControlError("event_type: a non-empty string is needed")
    return ask.world.events.emit(event_type, **fields).body


def _secrets(ask: Ask) -> JsonObject:
    world = ask.world
    pins = sorted(set(world.codes.pins_ever()))
    return {
        "pins": pins,
        "api_keys": [world.api_key],
        "webhook_secrets": world.webhooks.secrets(),
    }


CONTROLS = (
    Control(
        "GET",
        "/sandbox/access_codes",
        "All codes ever made, with PINs; ?device_id= and ?name_prefix= narrow it.",
        _list,
    ),
    Control(
        "PATCH",
        "/sandbox/access_codes/{access_code_id}",
        "Let something happen to a code: {simulate: modified_external, failed_to_set, ...}.",
        _patch,
    ),
    Control("POST", "/sandbox/events", "Emit any event: {event_type, device_id?, ...}.", _emit),
    Control(
        "GET",
        "/sandbox/secrets",
        "Every PIN, API key and webhook secret ever handed out.",
        _secrets,
    ),
)
