"""The page of error texts: what a refused request, a bad message and a bad setting are answered with."""

import ast
import json
from collections.abc import Iterator, Mapping
from typing import Any, Final

from deploy.website.reference.markdown import code, page, table
from deploy.website.reference.source_code import read_modules, wording_of
from receiver.refusals import (
    BodyTooLarge,
    InvalidSignature,
    InvalidToken,
    NoRoom,
    Refusal,
    TooManyAuthFailures,
    Unavailable,
    UnreadableForm,
    response_to,
)
from shared.domain.messages.message import InvalidMessage, Problem
from shared.domain.messages.parse import parse_booking_message

EXAMPLES: Final[tuple[tuple[Refusal, str], ...]] = (
    (
        InvalidSignature("wrong_signature"),
        "the signature of Seam or Slack is missing, wrong, or more than 5 minutes off",
    ),
    (InvalidToken(), "no bearer token, or none that is known"),
    (TooManyAuthFailures(42), "more than `REJECTION_LIMIT` failed tries of this client in this minute"),
    (BodyTooLarge(262144), "the body is larger than `WEBHOOK_BODY_LIMIT`"),
    (NoRoom(), "too many large bodies are being read; send it again"),
    (Unavailable(), "the data server or Seam can't be used now; send it again"),
    (
        InvalidMessage((Problem("check_in", "is missing", "give the time at which the stay begins and ends"),)),
        "the booking message can't be used; each problem is listed",
    ),
    (UnreadableForm(), "Slack signed something that isn't one of its forms"),
)
_GOOD: Final = {
    "booking_id": "BK-1001",
    "device_ids": ["11111111-1111-1111-1111-444444444444"],
    "check_in": "2026-12-01T15:45",
    "check_out": "2026-12-05T10:15",
}
# What is added to, or (None) taken out of, a good bare booking.
BAD_MESSAGES: Final[tuple[dict[str, Any], ...]] = (
    {"booking_id": None},
    {"booking_id": "x" * 65},
    {"revision": "2"},
    {"device_ids": None},
    {"device_ids": "101"},
    {"device_ids": ["101"]},
    {"unit": "101"},
    {"check_in": None},
    {"check_in": "12/01/2026"},
    {"check_in": 1764633600},
    {"check_in": "2026-02-30T15:00"},
    {"check_in": "2026-12-01T25:00"},
    {"check_in": "2026-12-01T15:45 PST"},
    {"check_in": "2026-12-06T15:45"},
    {"time_zone": "CET+1"},
    {"granularity": "weekly"},
    {"label": 7},
    {"revison": 2},
    {"timezone": "Europe/Vienna"},
    {"checkIn": "2026-12-01T15:45", "check_in": None},
    {"status": "cancelled"},
    {"type": "booking.canceled"},
    {"specversion": "2.0"},
)
_SETTINGS: Final = (
    "shared/settings.py",
    "shared/console_tokens.py",
    "shared/outcome_receivers.py",
    "shared/secret_files.py",
)
# Texts with fewer words are parts of another text.
_FEWEST_WORDS: Final = 5


def _refusals() -> Iterator[tuple[str, ...]]:
    for refusal, means in EXAMPLES:
        answer = response_to(refusal)
        retry = answer.headers.get("retry-after", "")
        yield str(answer.status_code), code(bytes(answer.body).decode()), code(retry and f"Retry-After: {retry}"), means


def problems_with(sent: Mapping[str, Any]) -> tuple[Problem, ...]:
    """Return the problems that the parser finds in a good message with these changes; none where it is still good."""
    message = {**_GOOD, **sent}
    try:
        parse_booking_message({name: value for name, value in message.items() if value is not None})
    except InvalidMessage as invalid:
        return invalid.problems
    return ()


def _message_problems() -> Iterator[tuple[str, ...]]:
    for sent in BAD_MESSAGES:
        shown = code(json.dumps(sent, ensure_ascii=False))
        yield from ((shown, code(each.field), each.wrong, each.right) for each in problems_with(sent))


def _setting_problems() -> Iterator[tuple[str, ...]]:
    for module in read_modules(["shared"]):
        if module.path in _SETTINGS:
            for text in dict.fromkeys(_raised_texts(module.tree)):
                if len(text.replace("…", "").split()) >= _FEWEST_WORDS:
                    yield (text,)


def _raised_texts(tree: ast.Module) -> Iterator[str]:
    for node in ast.walk(tree):
        match node:
            case ast.Raise(exc=ast.Call(func=ast.Name(id="ValueError"), args=[text])):
                yield wording_of(text)
            case _:
                pass


def errors_page() -> str:
    """Return the page."""
    unknown = code(json.dumps({"error": "unknown_booking", "parked": []}, separators=(",", ":")))
    return page(
        "Error texts",
        "## Answers of `web`",
        table(("status", "body", "header", "means"), _refusals()),
        f'A path that isn\'t there, or a method that it doesn\'t take, is 404 or 405 with `{{"error":"not_found"}}` or'
        f' `{{"error":"method_not_allowed"}}`. A booking that nobody knows is 404 with {unknown}.'
        " [Which answer comes from where](../reverse-proxy.md#which-answer-comes-from-where) tells answers of"
        " `web` from those"
        " of the proxy before it.",
        "## Problems of a booking message",
        "Each row changes one field of a good message. The problem is shown in `problems` of a 400, by `oracode parked"
        " show` and in the alert. All fields of a message: [booking messages](../booking-messages.md).",
        table(("sent", "field", "wrong", "right"), _message_problems()),
        "## Problems of a setting",
        "A process that can't start names each setting and its problem, and exits with 2. There are also `is not set`"
        " and problems of the type (not a number, not a duration such as `10m`, not one of several words). `…` is"
        " filled in.",
        table(("the setting …",), _setting_problems()),
    )
