"""Any HTTP receiver; requests are signed as the Standard Webhooks specification says."""

import json
from dataclasses import asdict
from datetime import datetime
from typing import Any
from urllib.parse import quote

import httpx
from standardwebhooks import Webhook

from worker.alerts.alert_post import post_of
from worker.alerts.http_post import post
from worker.alerts.message import AlertMessage


class SignedWebhook:
    """One receiver with its own secret. `webhook-id` is the same for every try of a message."""

    def __init__(self, name: str, url: str, secret: str, client: httpx.Client) -> None:
        self._name = name
        self._url = url
        self._webhook = Webhook(secret)
        self._client = client

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._name

    def send(self, message: AlertMessage) -> str:
        """Post the message, signed. Raises NotDelivered."""
        body = json.dumps(webhook_body(message))
        signature = signed_headers(self._webhook, message.delivery_id, message.at, body)
        headers = {"content-type": "application/json", **signature}
        return f"HTTP {post(self._client, self._url, body.encode(), headers).status}"


def signed_headers(webhook: Webhook, message_id: str, at: datetime, body: str) -> dict[str, str]:
    """Return the headers that sign a body by the Standard Webhooks specification."""
    # A booking's id may have any characters; a header may not.
    webhook_id = quote(message_id, safe="-_.:/@+#")
    return {
        "webhook-id": webhook_id,
        "webhook-timestamp": str(int(at.timestamp())),
        "webhook-signature": webhook.sign(webhook_id, at, body),
    }


def webhook_body(message: AlertMessage) -> dict[str, Any]:
    """Return the message for machines: an `AlertPost` as JSON has it."""
    return asdict(post_of(message))
