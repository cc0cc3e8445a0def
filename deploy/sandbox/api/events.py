"""``/events``: what happened, for those who missed a webhook."""

from datetime import datetime
from typing import Annotated

from pydantic import BeforeValidator

from deploy.sandbox.api.parameters import (
    Limit,
    Offset,
    Parameters,
    Timestamp,
    Timestamps,
    Uuids,
    list_of_query,
    one_of,
)
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import invalid_input, not_found
from deploy.sandbox.models import Uuid
from deploy.sandbox.vocabulary import EVENT_TYPES

DEFAULT_LIMIT = 500
# Parameters of `/events/list` that are no filters.
_NO_FILTERS = frozenset({"between", "limit", "since", "unstable_offset"})

_EventType = Annotated[str, one_of(EVENT_TYPES)]


class GetEvent(Parameters):
    """An event, by its id, or the newest of a type at a device."""

    event_id: Uuid | None = None
    device_id: Uuid | None = None
    event_type: str | None = None


class ListEvents(Parameters):
    """Which events to list; each filter but the first two is named like the field of the event that it looks at."""

    between: Timestamps | None = None
    since: Timestamp | None = None
    limit: Limit | None = None
    unstable_offset: Offset | None = None
    access_code_id: Uuid | None = None
    access_code_ids: Uuids | None = None
    access_grant_id: Uuid | None = None
    access_grant_ids: Uuids | None = None
    access_method_id: Uuid | None = None
    access_method_ids: Uuids | None = None
    acs_access_group_id: Uuid | None = None
    acs_credential_id: Uuid | None = None
    acs_encoder_id: Uuid | None = None
    acs_entrance_id: Uuid | None = None
    acs_system_id: Uuid | None = None
    acs_system_ids: Uuids | None = None
    acs_user_id: Uuid | None = None
    connect_webview_id: Uuid | None = None
    connected_account_id: Uuid | None = None
    customer_key: str | None = None
    device_id: Uuid | None = None
    device_ids: Uuids | None = None
    event_ids: Uuids | None = None
    event_type: _EventType | None = None
    event_types: Annotated[list[_EventType], BeforeValidator(list_of_query)] | None = None
    space_id: Uuid | None = None
    space_ids: Uuids | None = None
    user_identity_id: Uuid | None = None

    def filters(self) -> dict[str, frozenset[str]]:
        """Return the values that each field of an event may have, by the field's name."""
        wanted: dict[str, frozenset[str]] = {}
        for name in type(self).model_fields.keys() - _NO_FILTERS:
            value = getattr(self, name)
            if value is not None:
                values = frozenset({value} if isinstance(value, str) else value)
                field = name if isinstance(value, str) else name.removesuffix("s")
                wanted[field] = wanted[field] & values if field in wanted else values
        return wanted


def get(sandbox: Sandbox, asked: GetEvent) -> JsonObject:
    """Return one event, by ``event_id``, or the newest of an ``event_type`` at a ``device_id``."""
    if asked.event_id is not None:
        event = sandbox.events.find(asked.event_id)
    elif asked.event_type is not None and asked.device_id is not None:
        event = sandbox.events.latest(asked.event_type, asked.device_id)
    else:
        raise invalid_input("event_id", "Required, or event_type and device_id")
    if event is None:
        raise not_found("event", asked.event_id or f"of type {asked.event_type}")
    return {"event": event.body}


def list_events(sandbox: Sandbox, asked: ListEvents) -> JsonObject:
    """Return the oldest events after ``since``, or within ``between``; bounds are exclusive."""
    since, until = _span(asked)
    wanted = asked.filters()
    found = [
        event.body
        for event in sandbox.events.between(since, until)
        if all(event.body.get(field) in values for field, values in wanted.items())
    ]
    start = asked.unstable_offset or 0
    return {"events": found[start : start + (asked.limit or DEFAULT_LIMIT)]}


def _span(asked: ListEvents) -> tuple[datetime, datetime | None]:
    if asked.between is not None:
        low, high = asked.between
        if low >= high:
            raise invalid_input("between", "The first date must be before the second")
        return low, high
    if asked.since is None:
        raise invalid_input("since", "Either since or between is required")
    return asked.since, None
