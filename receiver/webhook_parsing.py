"""Turns the bytes of a webhook into an event of Seam: verified, parsed, and without PINs. Only this module does."""

import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any, Final, Self

from pydantic_core import from_json, to_json

from receiver.bodies import Headers
from receiver.webhook_signature import WebhookSecrets
from shared.contracts import LONGEST_ID, is_id
from shared.domain.code.event_types import is_ours
from shared.domain.code.kept_event_fields import kept_of
from shared.seam_event_redaction import Redactor, mask_digits

_MOST_PARKED_TEXT: Final = 20_000
_ENCODER: Final = json.JSONEncoder(ensure_ascii=True, separators=(",", ":"))


class NotAnEvent(Exception):
    """A delivery that Seam signed, but not a JSON object with `event_id` and `event_type`. `text` holds no PIN."""

    def __init__(self, delivery_id: str, problem: str, text: str) -> None:
        super().__init__(problem)
        self.delivery_id = delivery_id
        self.problem = problem
        self.text = text


class NotHandled(Exception):
    """An event of a type that the worker doesn't want (`shared.domain.code.event_types`)."""

    def __init__(self, event_type: str) -> None:
        super().__init__(event_type)
        self.event_type = event_type


@dataclass(frozen=True, slots=True)
class VerifiedWebhook:
    """A delivery that Seam signed. Its body may be anything, and may hold PINs."""

    delivery_id: str
    body: bytes = field(repr=False)

    @classmethod
    def from_http(cls, headers: Headers, body: bytes, secrets: WebhookSecrets) -> Self:
        """Return the delivery. Raises InvalidSignature."""
        return cls(secrets.verify(headers, body), body)


@dataclass(frozen=True, slots=True)
class SeamEvent:
    """An event that Seam signed. `fields` holds what `shared.domain.code.kept_event_fields` keeps, without PINs."""

    delivery_id: str
    event_id: str
    event_type: str
    fields: Mapping[str, Any]

    @classmethod
    def from_webhook(cls, webhook: VerifiedWebhook, redactor: Redactor) -> Self:
        """Return the event in a webhook. Raises NotAnEvent."""
        try:
            fields = _parse(webhook.body, redactor)
        except _Unusable as unusable:
            raise NotAnEvent(webhook.delivery_id, str(unusable), _readable(webhook.body)) from unusable
        return cls(webhook.delivery_id, fields["event_id"], fields["event_type"], fields)

    @property
    def is_handled(self) -> bool:
        """Whether events of this type go into the stream. Others are counted and ignored."""
        return is_ours(self.event_type)

    def as_json(self) -> bytes:
        """Return the event as JSON in ASCII, which any reader accepts: half a surrogate pair stays an escape."""
        try:
            # Four times as fast as the standard library, but it fails on surrogates and doesn't escape non-ASCII.
            encoded = to_json(self.fields, inf_nan_mode="constants")
        except ValueError:
            encoded = b"\xff"
        return encoded if encoded.isascii() else _ENCODER.encode(self.fields).encode()


class _Unusable(Exception):
    """The text says why the body isn't an event."""


def _parse(body: bytes, redactor: Redactor) -> dict[str, Any]:
    """Return the event without its PINs. Raises _Unusable for every body that isn't an event."""
    try:
        event = _load(body)
        if not isinstance(event, dict):
            raise _Unusable("the body is not a JSON object")
        for name in ("event_id", "event_type"):
            if not is_id(event.get(name)):
                raise _Unusable(f"{name} is not a text of 1 to {LONGEST_ID} printable characters")
        redacted = redactor.redact(event)
    except (RecursionError, UnicodeDecodeError, json.JSONDecodeError) as error:
        raise _Unusable("the body is not JSON that can be read") from error
    except ValueError as error:
        # A number with more digits than Python reads.
        raise _Unusable("the body holds a number that can't be read") from error
    if redacted["event_id"] != event["event_id"]:
        # All such ids become the same when masked: the second event would count as a repeat of the first.
        raise _Unusable("event_id looks like the digits of a code, not like an id")
    return kept_of(redacted)


def _load(body: bytes) -> Any:
    try:
        # Twice as fast as the standard library. What it can't read (half a surrogate pair, a byte order mark) is tried
        # with the standard library, which decides.
        return from_json(body)
    except ValueError:
        return json.loads(body)


def _readable(body: bytes) -> str:
    """Return a body that can't be parsed as text with masked digits, so that a person can read it."""
    return mask_digits(body[:_MOST_PARKED_TEXT].decode("utf-8", errors="backslashreplace"))
