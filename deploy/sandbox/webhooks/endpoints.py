"""Webhook endpoints that events are delivered to (Seam's "Webhooks" resource)."""

import base64
import os
from collections.abc import Iterator
from dataclasses import dataclass, field, replace

from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.store import Collection, Store

# The webhook that a local run upserts; it keeps its id, so that pending deliveries follow its URL.
LOCAL_WEBHOOK_ID = "77777777-7777-4777-8777-000000000001"
_SECRET_BYTES = 24


@dataclass(frozen=True, slots=True)
class Webhook:
    """An endpoint, the events it wants, and the secret that signs for it."""

    webhook_id: str
    url: str
    secret: str = field(repr=False)
    event_types: tuple[str, ...] = ("*",)

    def wants(self, event_type: str) -> bool:
        """Whether an event of this type is sent to it."""
        return "*" in self.event_types or event_type in self.event_types


def new_secret() -> str:
    """Return a fresh secret in Svix's form."""
    return "whsec_" + base64.b64encode(os.urandom(_SECRET_BYTES)).decode()


def webhook_object(webhook: Webhook) -> JsonObject:
    """Return the webhook as Seam serves it."""
    return {
        "webhook_id": webhook.webhook_id,
        "url": webhook.url,
        "event_types": list(webhook.event_types),
        "secret": webhook.secret,
    }


class Webhooks:
    """All webhooks by id, and every secret there ever was."""

    def __init__(self, store: Store) -> None:
        """Load the webhooks."""
        self._kept = Collection(store, "webhooks", Webhook)
        self._secrets = Collection(store, "webhook_secrets", str)

    def __iter__(self) -> Iterator[Webhook]:
        return iter(self._kept.values())

    def find(self, webhook_id: str) -> Webhook | None:
        """Return one webhook."""
        return self._kept.get(webhook_id)

    def put(self, webhook: Webhook) -> Webhook:
        """Insert or replace a webhook."""
        self._kept.put(webhook.webhook_id, webhook)
        self._secrets.put(webhook.secret, webhook.secret)
        return webhook

    def remove(self, webhook_id: str) -> None:
        """Delete a webhook; its pending deliveries then end."""
        self._kept.remove(webhook_id)

    def put_local(self, url: str, secret: str | None = None, event_types: tuple[str, ...] | None = None) -> Webhook:
        """Upsert the local webhook; what isn't given stays as it was."""
        known = self.find(LOCAL_WEBHOOK_ID) or Webhook(LOCAL_WEBHOOK_ID, url, secret or new_secret())
        changed = replace(
            known,
            url=url,
            secret=secret or known.secret,
            event_types=event_types or known.event_types,
        )
        return self.put(changed)

    def secrets(self) -> list[str]:
        """Return every secret ever handed out."""
        return self._secrets.values()
