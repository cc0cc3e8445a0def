"""What differs between two states of a code: pending mutations, and the events that follow them."""

from datetime import datetime

from deploy.sandbox.codes.codes import Code
from deploy.sandbox.codes.events import CodeEvents
from deploy.sandbox.codes.objects import mutation
from deploy.sandbox.encoding import JsonObject, format_timestamp

_EVENT_TYPES = {
    "updating_name": "name_changed",
    "updating_code": "code_changed",
    "updating_time_frame": "time_frame_changed",
}


def differences(before: Code, after: Code, now: datetime) -> tuple[JsonObject, ...]:
    """Return the mutations that lead from one state to the other."""
    aspects = (
        ("updating_name", {"name": before.name}, {"name": after.name}),
        ("updating_code", {"code": before.shown_pin}, {"code": after.shown_pin}),
        ("updating_time_frame", _window(before), _window(after)),
    )
    return tuple(
        mutation(mutation_code, now, "Seam is updating the access code.", **{"from": old, "to": new})
        for mutation_code, old, new in aspects
        if old != new
    )


def emit_requested(events: CodeEvents, code: Code, mutations: tuple[JsonObject, ...]) -> None:
    """Emit that mutations were asked for."""
    shown = ("mutation_code", "from", "to")
    requested = [{name: entry[name] for name in shown if name in entry} for entry in mutations]
    events.emit(code, "mutations_requested", requested_mutations=requested)


def emit_changed(events: CodeEvents, code: Code, mutations: tuple[JsonObject, ...]) -> None:
    """Emit that mutations were carried out: one event each, and ``changed`` for all together."""
    properties: list[JsonObject] = []
    for entry in mutations:
        event_type = _EVENT_TYPES.get(entry["mutation_code"])
        if event_type is None:
            continue
        old, new = entry["from"], entry["to"]
        text = f"Access code: {event_type.replace('_', ' ')}."
        events.emit(code, event_type, **{"from": old, "to": new}, description=text)
        properties += [{"property": name, "from": old[name], "to": new[name]} for name in new if old[name] != new[name]]
    if properties:
        events.emit(code, "changed", changed_properties=properties)


def _window(code: Code) -> JsonObject:
    return {"starts_at": format_timestamp(code.starts_at), "ends_at": format_timestamp(code.ends_at)}
