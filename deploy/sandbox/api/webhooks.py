"""``/webhooks``: where events go. The URL of a webhook can't be changed, as at Seam."""

from dataclasses import replace
from uuid import uuid4

from deploy.sandbox.api.params import Params
from deploy.sandbox.errors import not_found
from deploy.sandbox.webhooks import Webhook, new_secret, webhook_object
from deploy.sandbox.wire import JsonObject
from deploy.sandbox.world import World

_EVERYTHING = ("*",)


def create(world: World, params: Params) -> JsonObject:
    """Create a webhook with a new secret."""
    event_types = params.strings("event_types")
    url = params.required("url")
    if not url.startswith(("http://", "https://")):
        params.complain("url", "Invalid url")
    params.check()
    webhook = Webhook(str(uuid4()), url, new_secret(), tuple(event_types or _EVERYTHING))
    return {"webhook": webhook_object(world.webhooks.put(webhook))}


def get(world: World, params: Params) -> JsonObject:
    """Return one webhook."""
    return {"webhook": webhook_object(_one(world, params))}


def list_webhooks(world: World, params: Params) -> JsonObject:
    """Return all webhooks."""
    params.check()
    return {"webhooks": [webhook_object(webhook) for webhook in world.webhooks]}


def update(world: World, params: Params) -> JsonObject:
    """Change the event types."""
    event_types = params.strings("event_types")
    webhook = _one(world, params)
    world.webhooks.put(replace(webhook, event_types=tuple(event_types or _EVERYTHING)))
    return {}


def delete(world: World, params: Params) -> JsonObject:
    """Delete a webhook; what is on its way to it isn't tried again."""
    world.webhooks.remove(_one(world, params).webhook_id)
    return {}


def _one(world: World, params: Params) -> Webhook:
    webhook_id = params.required("webhook_id")
    webhook = world.webhooks.find(webhook_id)
    if webhook is None:
        raise not_found("webhook", webhook_id)
    return webhook
