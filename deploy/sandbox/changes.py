"""What differs between two states of a code: pending mutations, and the events that follow them."""

from datetime import datetime

from deploy.sandbox.code_objects import mutation
from deploy.sandbox.codes import Code
from deploy.sandbox.events import EventLog
from deploy.sandbox.wire import JsonObject, instant

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


def request(events: EventLog, code: Code, mutations: tuple[JsonObject, ...]) -> None:
    """Emit that mutations were asked for."""
    shown = ("mutation_code", "from", "to")
    requested = [{name: entry[name] for name in shown if name in entry} for entry in mutations]
    events.emit_for(code, "mutations_requested", requested_mutations=requested)


def announce(events: EventLog, code: Code, mutations: tuple[JsonObject, ...]) -> None:
    """Emit that mutations were carried out: one event each, and ``changed`` for all together."""
    properties: list[JsonObject] = []
    for entry in mutations:
        event_type = _EVENT_TYPES.get(entry["mutation_code"])
        if event_type is None:
            continue
        old, new = entry["from"], entry["to"]
        text = f"Access code: {event_type.replace('_', ' ')}."
        events.emit_for(code, event_type, **{"from": old, "to": new}, description=text)
        properties += [{"property": name, "from": old[name], "to": new[name]} for name in new if old[name] != new[name]]
    if properties:
        events.emit_for(code, "changed", changed_properties=properties)


def _window(code: Code) -> JsonObject:
    return {"starts_at": instant(code.starts_at), "ends_at": instant(code.ends_at)}
