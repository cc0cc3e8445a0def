"""``/webhooks``: where events go. The URL of a webhook can't be changed, as at Seam."""

from dataclasses import replace
from typing import Annotated
from uuid import uuid4

from pydantic import AfterValidator
from pydantic_core import PydanticCustomError

from deploy.sandbox.api.parameters import Parameters, Texts
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import not_found
from deploy.sandbox.webhooks.endpoints import Webhook, new_secret, webhook_object

_EVERYTHING = ("*",)


def _http_url(text: str) -> str:
    if not text.startswith(("http://", "https://")):
        raise PydanticCustomError("url", "Invalid url")
    return text


class CreateWebhook(Parameters):
    """Where to send which events; Seam's schema leaves the types of events open here."""

    url: Annotated[str, AfterValidator(_http_url)]
    event_types: Texts | None = None


class OfWebhook(Parameters):
    """A webhook; Seam's schema doesn't say that its id is a UUID."""

    webhook_id: str


class UpdateWebhook(OfWebhook):
    """Which events to send."""

    event_types: Texts


class ListWebhooks(Parameters):
    """All of them."""


def create(sandbox: Sandbox, asked: CreateWebhook) -> JsonObject:
    """Create a webhook with a new secret."""
    webhook = Webhook(str(uuid4()), asked.url, new_secret(), tuple(asked.event_types or _EVERYTHING))
    return {"webhook": webhook_object(sandbox.webhooks.put(webhook))}


def get(sandbox: Sandbox, asked: OfWebhook) -> JsonObject:
    """Return one webhook."""
    return {"webhook": webhook_object(_one(sandbox, asked))}


def list_webhooks(sandbox: Sandbox, asked: ListWebhooks) -> JsonObject:
    """Return all webhooks."""
    del asked
    return {"webhooks": [webhook_object(webhook) for webhook in sandbox.webhooks]}


def update(sandbox: Sandbox, asked: UpdateWebhook) -> JsonObject:
    """Change the event types."""
    sandbox.webhooks.put(replace(_one(sandbox, asked), event_types=tuple(asked.event_types)))
    return {}


def delete(sandbox: Sandbox, asked: OfWebhook) -> JsonObject:
    """Delete a webhook; what is on its way to it isn't tried again."""
    sandbox.webhooks.remove(_one(sandbox, asked).webhook_id)
    return {}


def _one(sandbox: Sandbox, asked: OfWebhook) -> Webhook:
    webhook = sandbox.webhooks.find(asked.webhook_id)
    if webhook is None:
        raise not_found("webhook", asked.webhook_id)
    return webhook
