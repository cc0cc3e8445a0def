"""The description of `web` (OpenAPI 3.1), which is published as `docs/openapi.json`.

Its schemas of messages are those of `docs/schemas`, by reference: a booking message and an outcome are described once.
"""

from typing import Any, Final

from shared.domain.messages.parked_kind import ParkedKind

JsonObject = dict[str, Any]

_BOOKING_MESSAGE: Final = {"$ref": "schemas/booking-message.json"}
_OUTCOME: Final = "schemas/outcome.json#/$defs/OutcomeData"
_TEXT: Final = {"type": "string"}
_TEXTS: Final = {"type": "array", "items": _TEXT}
_MOMENT: Final = {"type": ["string", "null"], "description": "ISO 8601 with an offset."}
_JSON: Final = "application/json"

_MEANS: Final = {
    400: "The body can't be used.",
    401: "Signature or token is missing or wrong.",
    404: "Nobody knows the booking, or the endpoint is off.",
    405: "The path doesn't take this method.",
    409: "A door that was asked for has no PIN.",
    413: "The body is larger than WEBHOOK_BODY_LIMIT.",
    429: "Too many failed tries of this client; Retry-After says when to come again.",
    503: "It can't be done now; Retry-After says when to come again.",
}


def _object(required: tuple[str, ...] = (), **properties: Any) -> JsonObject:
    return {"type": "object", "required": list(required), "properties": properties}


def _body(schema: Any) -> JsonObject:
    return {_JSON: {"schema": schema}}


_PROBLEM: Final = _object(("field", "wrong", "right"), field=_TEXT, wrong=_TEXT, right=_TEXT)
_REFUSAL: Final = _object(
    ("error",),
    error={**_TEXT, "description": "A word for programs."},
    problems={"type": "array", "items": _PROBLEM, "description": "Of `invalid_booking`: each problem."},
    right={**_TEXT, "description": "Of `invalid_request` and `method_not_allowed`: what would be right."},
    limit_bytes={"type": "integer", "description": "Of `body_too_large`."},
)
_PARKED: Final = _object(
    ("parked_id", "parked_at", "kind", "problems", "stands"),
    parked_id=_TEXT,
    parked_at=_TEXT,
    kind={"enum": [str(kind) for kind in ParkedKind]},
    problems=_TEXTS,
    stands=_TEXT,
)
_PARKED_LIST: Final = {"type": "array", "items": {"$ref": "#/components/schemas/ParkedMessage"}}
_DOOR_NOW: Final = _object(
    ("state", "name", "detail", "due_at", "problems", "next_step"),
    state=_TEXT,
    name={**_TEXT, "description": "The door's name at Seam; empty until it was read."},
    detail=_TEXT,
    due_at=_MOMENT,
    problems=_TEXTS,
    next_step=_TEXT,
)
_SCHEMAS: Final[JsonObject] = {
    "Refusal": _REFUSAL,
    "ParkedMessage": _PARKED,
    "BookingNow": {
        "allOf": [
            {"$ref": _OUTCOME},
            _object(("parked",), devices={"type": "array", "items": _DOOR_NOW}, parked=_PARKED_LIST),
        ]
    },
    "UnknownBooking": _object(("error", "parked"), error={"const": "unknown_booking"}, parked=_PARKED_LIST),
    "Accepted": _object(
        ("status",),
        status={"enum": ["accepted", "duplicate", "ignored", "parked"]},
        booking_id=_TEXT,
        notes={**_TEXTS, "description": "Of a booking: times in the night of a clock change, and what is taken."},
    ),
    "RevealRequest": _object(
        device_ids={**_TEXTS, "description": "Some of the booking's doors; all of them without it."},
        by={**_TEXT, "maxLength": 80, "description": "Who asks, for the audit."},
    ),
    "Pins": _object(
        ("booking_id", "devices"),
        booking_id=_TEXT,
        devices={
            "type": "array",
            "items": _object(
                ("device_id", "access_code_id", "code", "starts_at", "ends_at"),
                device_id=_TEXT,
                access_code_id={"type": ["string", "null"]},
                code={**_TEXT, "description": "The PIN, read from Seam now."},
                starts_at=_MOMENT,
                ends_at=_MOMENT,
            ),
        },
    ),
    "NoPin": _object(
        ("error", "booking_id", "state", "reason", "devices"),
        error={"const": "no_pin"},
        booking_id=_TEXT,
        state=_TEXT,
        reason=_TEXT,
        devices={"type": "array", "items": _object(("device_id", "reason"), device_id=_TEXT, reason=_TEXT)},
    ),
    "Alive": _object(("status",), status=_TEXT, failing=_TEXTS),
}


def _is(name: str) -> JsonObject:
    return _body({"$ref": f"#/components/schemas/{name}"})


def _answers(done: JsonObject, *refusals: int, **others: JsonObject) -> JsonObject:
    """Return the responses of an operation; `others` are those of a status (`s404`) that has a body of its own."""
    answers = {str(status): {"description": _MEANS[status], "content": _is("Refusal")} for status in refusals}
    answers |= {name[1:]: {"description": _MEANS[int(name[1:])], "content": body} for name, body in others.items()}
    return {**done, **dict(sorted(answers.items()))}


_BOOKING_ID: Final = {
    "name": "booking_id",
    "in": "path",
    "required": True,
    "schema": _TEXT,
    "description": "Percent-encoded; a slash in it may stand as it is.",
}
_PATHS: Final[JsonObject] = {
    "/webhooks/seam": {
        "post": {
            "operationId": "receive_seam_event",
            "summary": "An event of Seam.",
            "description": "Signed: `svix-id`, `svix-timestamp`, `svix-signature`. Answered once it is on disk.",
            "security": [],
            "requestBody": {"required": True, "content": _body({"type": "object"})},
            "responses": _answers({"202": {"description": "Taken.", "content": _is("Accepted")}}, 401, 413, 429, 503),
        }
    },
    "/bookings": {
        "post": {
            "operationId": "publish_booking",
            "summary": "A booking message.",
            "description": "Off (404) while BOOKING_TOKENS is empty. Answered once it is on disk.",
            "security": [{"booking_token": []}],
            "requestBody": {"required": True, "content": _body(_BOOKING_MESSAGE)},
            "responses": _answers(
                {"202": {"description": "Stored durably, or known already.", "content": _is("Accepted")}},
                *(400, 401, 404, 413, 429, 503),
            ),
        }
    },
    "/bookings/{booking_id}": {
        "parameters": [_BOOKING_ID],
        "get": {
            "operationId": "read_booking",
            "summary": "What became of a booking.",
            "description": "Off (404) while BOOKING_TOKENS is empty.",
            "security": [{"booking_token": []}],
            "responses": _answers(
                {"200": {"description": "As of now.", "content": _is("BookingNow")}},
                *(401, 429, 503),
                s404=_body({"anyOf": [_is("UnknownBooking")[_JSON]["schema"], _is("Refusal")[_JSON]["schema"]]}),
            ),
        },
    },
    "/bookings/{booking_id}/reveal": {
        "parameters": [_BOOKING_ID],
        "post": {
            "operationId": "reveal_pins",
            "summary": "The PINs of a booking.",
            "description": "Off (404) while REVEAL_TOKENS is empty. Read from Seam now, audited, kept nowhere.",
            "security": [{"reveal_token": []}],
            "requestBody": {"required": False, "content": _is("RevealRequest")},
            "responses": _answers(
                {"200": {"description": "The PINs.", "content": _is("Pins")}},
                *(400, 401, 404, 413, 429, 503),
                s409=_is("NoPin"),
            ),
        },
    },
    "/slack/actions": {
        "post": {
            "operationId": "receive_slack_action",
            "summary": "A button that was pressed in Slack.",
            "description": "Off (404) while SLACK_SIGNING_SECRET is empty. Signed by Slack.",
            "security": [],
            "requestBody": {
                "required": True,
                "content": {"application/x-www-form-urlencoded": {"schema": _object(("payload",), payload=_TEXT)}},
            },
            "responses": _answers(
                {"200": {"description": "Each command is on disk.", "content": _body({"type": "object"})}},
                *(400, 401, 404, 413, 429, 503),
            ),
        }
    },
    "/healthz": {
        "get": {
            "operationId": "is_alive",
            "summary": "Whether the process lives.",
            "description": "For the inside: the proxy doesn't pass it.",
            "security": [],
            "responses": {"200": {"description": "It does.", "content": _is("Alive")}},
        }
    },
    "/readyz": {
        "get": {
            "operationId": "is_ready",
            "summary": "Whether the data server takes writes.",
            "description": "For the inside: the proxy doesn't pass it.",
            "security": [],
            "responses": {
                "200": {"description": "It does.", "content": _is("Alive")},
                "503": {"description": "It doesn't; `failing` names what.", "content": _is("Alive")},
            },
        }
    },
}


def web_document() -> JsonObject:
    """Return the document. References lead to files beside it."""
    bearer = {"type": "http", "scheme": "bearer"}
    return {
        "openapi": "3.1.0",
        "info": {
            "title": "oracode web",
            "version": "1",
            "description": "What Seam, booking systems and Slack send to process `web`.",
        },
        "paths": _PATHS,
        "components": {
            "schemas": _SCHEMAS,
            "securitySchemes": {
                "booking_token": {**bearer, "description": "One of BOOKING_TOKENS."},
                "reveal_token": {**bearer, "description": "One of REVEAL_TOKENS."},
            },
        },
    }
