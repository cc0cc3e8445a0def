"""Checks with svix whether a webhook is from Seam. No other module uses svix.

svix decides, and each of its errors becomes InvalidSignature. Besides its own errors, svix 2 raises ValueError
(`binascii.Error`, `UnicodeDecodeError`) for headers that no signer would send. Its `verify` returns nothing.
"""

import hmac
from collections.abc import Iterable, Mapping
from datetime import UTC, datetime, timedelta
from typing import Final

from svix.webhooks import Webhook, WebhookVerificationError

from receiver.bodies import Headers
from receiver.refusals import InvalidSignature, SignatureFault
from receiver.sender_clock import SenderClock
from shared.clock import system_clock

_HEADER_NAMES: Final = (
    (b"svix-id", b"svix-timestamp", b"svix-signature"),
    (b"webhook-id", b"webhook-timestamp", b"webhook-signature"),
)
# How far svix lets a timestamp be from now (Standard Webhooks specification).
_TOLERANCE: Final = timedelta(minutes=5)
_LONGEST_TIMESTAMP: Final = 20


class WebhookSecrets:
    """The secrets of Seam's webhooks. A signature with any of them is valid, so a secret can be changed at any time."""

    def __init__(self, secrets: Iterable[str], *, sender_clock: SenderClock | None = None) -> None:
        """`sender_clock` is given the timestamp of each genuine delivery, also if that is too old or too new."""
        self._sender_clock = sender_clock or SenderClock()
        self._webhooks = [Webhook(secret) for secret in secrets]
        if not self._webhooks:
            raise ValueError("at least one webhook secret is needed")

    def verify(self, headers: Headers, body: bytes) -> str:
        """Return the delivery's id if the signature over `body` is valid, and its timestamp within 5 minutes of now.

        The `svix-*` headers are used if all three are there, else the `webhook-*` headers (Standard Webhooks).
        Raises InvalidSignature. A repeated delivery verifies again: `receiver.inbox` recognises repeats.
        """
        signed = _signature_headers(headers)
        for webhook in self._webhooks:
            try:
                webhook.verify(body, signed)
            except (WebhookVerificationError, ValueError):
                continue
            self._sender_clock.saw(float(signed["webhook-timestamp"]))
            return signed["webhook-id"]
        fault = fault_of(signed, system_clock().timestamp())
        if fault in ("too_old", "too_new") and self._is_genuine(signed, body):
            self._sender_clock.saw(float(signed["webhook-timestamp"]))
        raise InvalidSignature(fault)

    def _is_genuine(self, signed: Mapping[str, str], body: bytes) -> bool:
        """Say whether one of our secrets signed a delivery with a timestamp that is too old or too new."""
        given = [text.encode("latin-1") for text in signed["webhook-signature"].split(" ")]
        try:
            signed_at = datetime.fromtimestamp(int(signed["webhook-timestamp"]), UTC)
            content = body.decode()
        except (ValueError, OverflowError, OSError):
            return False
        expected = [webhook.sign(signed["webhook-id"], signed_at, content).encode() for webhook in self._webhooks]
        return any(hmac.compare_digest(one, other) for one in expected for other in given)


def fault_of(signed: Mapping[str, str], now: float) -> SignatureFault:
    """Return why svix refused these signature headers, as far as the headers show it. `now`: epoch seconds.

    It only helps people to find the cause: different clocks and a wrong secret are corrected in different places.
    """
    timestamp = signed["webhook-timestamp"].strip()
    if not (timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= _LONGEST_TIMESTAMP):
        return "malformed_headers"
    age = now - int(timestamp)
    if age > _TOLERANCE.total_seconds():
        return "too_old"
    if -age > _TOLERANCE.total_seconds():
        return "too_new"
    return "wrong_signature"


def _signature_headers(headers: Headers) -> dict[str, str]:
    get = headers.get
    for id_name, timestamp_name, signature_name in _HEADER_NAMES:
        delivery_id, timestamp, signature = get(id_name), get(timestamp_name), get(signature_name)
        if delivery_id is not None and timestamp is not None and signature is not None:
            # svix copies all headers that it is given. With these three alone it is a quarter faster. svix accepts
            # either set of names.
            return {
                "webhook-id": delivery_id.decode("latin-1"),
                "webhook-timestamp": timestamp.decode("latin-1"),
                "webhook-signature": signature.decode("latin-1"),
            }
    raise InvalidSignature("missing_headers")
