"""Any HTTP receiver, signed after the Standard Webhooks specification."""

import json
from dataclasses import asdict
from urllib.parse import quote

import httpx
from standardwebhooks import Webhook

from worker.alerts.channel import AlertMessage
from worker.alerts.http_post import post


class SignedWebhook:
    """One receiver with a secret of its own. `webhook-id` is the same for every try of one message."""

    def __init__(self, name: str, url: str, secret: str, client: httpx.Client) -> None:
        self._name = name
        self._url = url
        self._webhook = Webhook(secret)
        self._client = client

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._name

    def send(self, message: AlertMessage) -> None:
        """Post the message, signed. Raises NotDelivered."""
        body = json.dumps({**asdict(message), "at": message.at.isoformat()})
        # A booking's id may be in any script, a header may not.
        delivery_id = quote(message.delivery_id, safe="-_.:/@+#")
        headers = {
            "content-type": "application/json",
            "webhook-id": delivery_id,
            "webhook-timestamp": str(int(message.at.timestamp())),
            "webhook-signature": self._webhook.sign(delivery_id, message.at, body),
        }
        post(self._client, self._url, body.encode(), headers)
