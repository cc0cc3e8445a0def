"""Looking at the sandbox: what it was asked, counts, the alerts it took, the index of all this."""

from collections import Counter
from datetime import datetime
from http import HTTPStatus

from deploy.sandbox.alerts import Alert
from deploy.sandbox.control import codes, delivery, doors, trouble
from deploy.sandbox.control.routes import Ask, Control, number
from deploy.sandbox.errors import ControlError
from deploy.sandbox.requests_log import Asked
from deploy.sandbox.wire import JsonObject, read_instant

DEFAULT_REQUESTS = 1_000


def _requests(ask: Ask) -> JsonObject:
    path, device_id = ask.query.get("path"), ask.query.get("device_id")
    since, limit = _since(ask), number(ask, "limit", DEFAULT_REQUESTS)
    found = [
        _request_object(asked)
        for asked in ask.world.requests.everything()
        if path in {None, asked.path} and device_id in {None, asked.device_id} and (since is None or asked.at > since)
    ]
    return {"requests": found[-limit:] if limit else []}


def _request_object(asked: Asked) -> JsonObject:
    return {name: getattr(asked, name) for name in Asked.__slots__}


def _since(ask: Ask) -> datetime | None:
    text = ask.query.get("since")
    try:
        return None if text is None else read_instant(text)
    except ValueError as problem:
        message = "since: an ISO 8601 instant with an offset is needed (in a URL, + is %2B)"
        raise ControlError(message, status=HTTPStatus.BAD_REQUEST) from problem


def _stats(ask: Ask) -> JsonObject:
    world = ask.world
    every_code = world.codes.everything()
    deliveries = world.postman.deliveries.everything()
    return {
        **world.requests.counts(),
        "doors": len(world.doors),
        "codes": len(every_code),
        "codes_by_phase": Counter(code.phase.value for code in every_code),
        "codes_by_door": Counter(code.device_id for code in every_code),
        "events": len(world.events),
        "events_by_type": Counter(event.event_type for event in world.events.everything()),
        "deliveries_by_fate": Counter(delivery.fate.value for delivery in deliveries),
        "alerts": len(world.alerts.everything()),
        "settings": world.dials.current.model_dump(),
        "outage": world.outage.spec.model_dump(),
    }


def _alerts(ask: Ask) -> JsonObject:
    prefix = ask.query.get("channel", "")
    alerts = ask.world.alerts.everything()
    return {"alerts": [_alert_object(alert) for alert in alerts if alert.channel.startswith(prefix)]}


def _alert_object(alert: Alert) -> JsonObject:
    return {
        "seq": alert.seq,
        "at": alert.at,
        "channel": alert.channel,
        "headers": alert.headers,
        "body": alert.body,
        "json": alert.parsed,
    }


def _clear_alerts(ask: Ask) -> JsonObject:
    return {"deleted": ask.world.alerts.clear()}


def _index(_: Ask) -> JsonObject:
    return {
        "about": "A stand-in for the Seam API. These endpoints arrange what happens in it.",
        "endpoints": [
            {"method": control.method, "path": control.path, "what": control.summary} for control in CONTROLS
        ],
    }


CONTROLS: tuple[Control, ...] = (
    Control("GET", "/sandbox", "This index.", _index),
    *doors.CONTROLS,
    *codes.CONTROLS,
    *trouble.CONTROLS,
    *delivery.CONTROLS,
    Control(
        "GET",
        "/sandbox/requests",
        "The newest API calls, oldest first; ?path= ?device_id= ?since= ?limit= narrow it.",
        _requests,
    ),
    Control("GET", "/sandbox/stats", "Counts of calls, codes, events, deliveries.", _stats),
    Control("GET", "/alerts.json", "The alerts taken, oldest first; ?channel= is a prefix.", _alerts),
    Control("DELETE", "/alerts", "Forget all alerts.", _clear_alerts),
)
