"""Signatures as Svix makes them, by Svix's own library."""

import binascii
from datetime import datetime
from functools import lru_cache

from standardwebhooks.webhooks import EmptyWebhookSecretError
from svix.webhooks import Webhook

_PREFIX = "whsec_"


@lru_cache(maxsize=64)
def signer(secret: str) -> Webhook:
    """Return what signs with a secret.

    Raises:
        ValueError: the secret is not ``whsec_`` and base64.

    """
    try:
        if not secret.startswith(_PREFIX):
            raise ValueError(f"a webhook secret starts with {_PREFIX}")
        return Webhook(secret)
    except (binascii.Error, EmptyWebhookSecretError) as problem:
        raise ValueError(f"not a webhook secret: {problem}") from problem


def headers(secret: str, message_id: str, at: datetime, body: str) -> dict[str, str]:
    """Return the headers of one delivery; the timestamp is that of the attempt."""
    return {
        "svix-id": message_id,
        "svix-timestamp": str(int(at.timestamp())),
        "svix-signature": signer(secret).sign(message_id, at, body),
    }
