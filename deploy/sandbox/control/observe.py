"""Looking at the sandbox: its log of calls, counts, the alerts that it took, and the index of all this."""

from collections import Counter
from datetime import datetime
from http import HTTPStatus

from deploy.sandbox.alerts import Alert
from deploy.sandbox.control import codes, delivery, doors, faults, issues
from deploy.sandbox.control.routes import ControlEndpoint, ControlRequest, number
from deploy.sandbox.encoding import JsonObject, parse_timestamp
from deploy.sandbox.errors import ControlError
from deploy.sandbox.request_log import LoggedRequest

DEFAULT_REQUESTS = 1_000


def _requests(request: ControlRequest) -> JsonObject:
    path, device_id = request.query.get("path"), request.query.get("device_id")
    since, limit = _since(request), number(request, "limit", DEFAULT_REQUESTS)
    found = [
        _request_object(logged)
        for logged in request.sandbox.requests.everything()
        if path in {None, logged.path}
        and device_id in {None, logged.device_id}
        and (since is None or logged.at > since)
    ]
    return {"requests": found[-limit:] if limit else []}


def _request_object(logged: LoggedRequest) -> JsonObject:
    return {name: getattr(logged, name) for name in LoggedRequest.__slots__}


def _since(request: ControlRequest) -> datetime | None:
    text = request.query.get("since")
    try:
        return None if text is None else parse_timestamp(text)
    except ValueError as problem:
        message = "since: an ISO 8601 instant with an offset is needed (in a URL, + is %2B)"
        raise ControlError(message, status=HTTPStatus.BAD_REQUEST) from problem


def _stats(request: ControlRequest) -> JsonObject:
    sandbox = request.sandbox
    every_code = sandbox.codes.everything()
    deliveries = sandbox.webhook_sender.deliveries.everything()
    return {
        **sandbox.requests.counts(),
        "doors": len(sandbox.doors),
        "codes": len(every_code),
        "codes_by_phase": Counter(code.phase.value for code in every_code),
        "codes_by_door": Counter(code.device_id for code in every_code),
        "events": len(sandbox.events),
        "events_by_type": Counter(event.event_type for event in sandbox.events.everything()),
        "deliveries_by_fate": Counter(delivery.fate.value for delivery in deliveries),
        "alerts": len(sandbox.alerts.everything()),
        "settings": sandbox.settings.current.model_dump(),
        "outage": sandbox.outage.spec.model_dump(),
    }


def _alerts(request: ControlRequest) -> JsonObject:
    prefix = request.query.get("channel", "")
    alerts = request.sandbox.alerts.everything()
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


def _clear_alerts(request: ControlRequest) -> JsonObject:
    return {"deleted": request.sandbox.alerts.clear()}


def _index(_: ControlRequest) -> JsonObject:
    return {
        "about": "A stand-in for the Seam API. These endpoints arrange what happens in it.",
        "endpoints": [
            {
                "method": endpoint.method,
                "path": endpoint.path,
                "what": endpoint.summary,
                "examples": list(endpoint.examples),
            }
            for endpoint in ENDPOINTS
        ],
    }


ENDPOINTS: tuple[ControlEndpoint, ...] = (
    ControlEndpoint("GET", "/sandbox", "This index.", _index),
    *doors.ENDPOINTS,
    *codes.ENDPOINTS,
    *issues.ENDPOINTS,
    *faults.ENDPOINTS,
    *delivery.ENDPOINTS,
    ControlEndpoint(
        "GET",
        "/sandbox/requests",
        "The newest API calls, oldest first; ?path= ?device_id= ?since= ?limit= narrow it.",
        _requests,
    ),
    ControlEndpoint("GET", "/sandbox/stats", "Counts of calls, codes, events, deliveries.", _stats),
    ControlEndpoint("GET", "/alerts.json", "The alerts taken, oldest first; ?channel= is a prefix.", _alerts),
    ControlEndpoint("DELETE", "/alerts", "Forget all alerts.", _clear_alerts),
)
