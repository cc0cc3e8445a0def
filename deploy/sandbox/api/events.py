"""``/events``: what happened, for those who missed a webhook."""

from datetime import datetime

from deploy.sandbox.api.params import Params
from deploy.sandbox.errors import invalid_input, not_found
from deploy.sandbox.events import Event
from deploy.sandbox.wire import JsonObject
from deploy.sandbox.world import World

DEFAULT_LIMIT = 500
# Each list parameter with its singular and the event field they select on.
_FILTERS = (
    ("event_types", "event_type", "event_type"),
    ("access_code_ids", "access_code_id", "access_code_id"),
    ("device_ids", "device_id", "device_id"),
    ("connected_account_ids", "connected_account_id", "connected_account_id"),
    ("event_ids", "event_id", "event_id"),
)
_BOUNDS = 2


def get(world: World, params: Params) -> JsonObject:
    """Return one event, by ``event_id``, or the newest of an ``event_type`` at a ``device_id``."""
    event_id = params.string("event_id")
    event_type, device_id = params.string("event_type"), params.string("device_id")
    params.check()
    if event_id is not None:
        event = world.events.find(event_id)
    elif event_type is not None and device_id is not None:
        event = world.events.latest(event_type, device_id)
    else:
        raise invalid_input("event_id", "Required, or event_type and device_id")
    if event is None:
        raise not_found("event", event_id or f"of type {event_type}")
    return {"event": event.body}


def list_events(world: World, params: Params) -> JsonObject:
    """Return the oldest events after ``since``, or within ``between``; bounds are exclusive."""
    since, until = _span(params)
    limit = params.count("limit") or DEFAULT_LIMIT
    wanted = {field: _choice(params, plural, single) for plural, single, field in _FILTERS}
    params.check()
    found = world.events.between(since, until)
    for field, values in wanted.items():
        if values is not None:
            found = _selected(found, field, values)
    return {"events": [event.body for event in found[:limit]]}


def _span(params: Params) -> tuple[datetime, datetime | None]:
    since = params.instant("since")
    bounds = params.strings("between")
    if since is None and bounds is None and not params.problems:
        params.complain("since", "Either since or between is required")
    params.check()
    if bounds is None:
        if since is None:
            raise invalid_input("since", "Required")
        return since, None
    if len(bounds) != _BOUNDS:
        raise invalid_input("between", "Expected two dates")
    low, high = (params.as_instant("between", text) for text in bounds)
    params.check()
    if low is None or high is None or low >= high:
        raise invalid_input("between", "The first date must be before the second")
    return low, high


def _choice(params: Params, plural: str, single: str) -> frozenset[str] | None:
    several, one = params.strings(plural), params.string(single)
    if one is not None:
        return frozenset({one})
    return None if several is None else frozenset(several)


def _selected(events: list[Event], field: str, values: frozenset[str]) -> list[Event]:
    return [event for event in events if event.body.get(field) in values]
