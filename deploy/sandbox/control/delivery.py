"""Control of webhooks: where they go, what befalls them on the way, what became of each."""

from typing import Self

from pydantic import Field, PositiveInt, model_validator

from deploy.sandbox.control.routes import Ask, Control
from deploy.sandbox.deliveries import Delivery
from deploy.sandbox.door_spec import Strict
from deploy.sandbox.errors import unknown
from deploy.sandbox.mischief import DeliverySpec
from deploy.sandbox.postman import ReleaseOrder
from deploy.sandbox.signing import signer
from deploy.sandbox.webhooks import webhook_object
from deploy.sandbox.wire import JsonObject


class _LocalWebhook(Strict):
    url: str = Field(pattern=r"^https?://")
    secret: str | None = None
    event_types: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _signs(self) -> Self:
        if self.secret is not None:
            signer(self.secret)
        return self


class _Release(Strict):
    order: ReleaseOrder = "as_is"


class _Repeat(Strict):
    event_id: str
    times: PositiveInt = 1


def _put_webhook(ask: Ask) -> JsonObject:
    wanted = _LocalWebhook.model_validate(ask.body)
    webhook = ask.world.webhooks.put_local(wanted.url, wanted.secret, wanted.event_types)
    return webhook_object(webhook)


def _disturb(ask: Ask) -> JsonObject:
    mischief = ask.world.postman.mischief
    mischief.change(DeliverySpec.model_validate(ask.body))
    return mischief.spec.model_dump()


def _release(ask: Ask) -> JsonObject:
    order = _Release.model_validate(ask.body).order
    return {"released": ask.world.postman.release(order)}


def _repeat(ask: Ask) -> JsonObject:
    wanted = _Repeat.model_validate(ask.body)
    event = ask.world.events.find(wanted.event_id)
    if event is None:
        raise unknown("event", wanted.event_id)
    return {"message_ids": ask.world.postman.repeat(event, wanted.times)}


def _shown(delivery: Delivery) -> JsonObject:
    return {
        "message_id": delivery.message_id,
        "webhook_id": delivery.webhook_id,
        "event_id": delivery.event_id,
        "event_type": delivery.event_type,
        "fate": delivery.fate.value,
        "next_attempt_at": delivery.next_attempt_at,
        "attempts": [
            {"at": attempt.at, "status": attempt.status, "error": attempt.error} for attempt in delivery.attempts
        ],
    }


def _list(ask: Ask) -> JsonObject:
    event_id = ask.query.get("event_id")
    deliveries = ask.world.postman.deliveries.everything()
    return {"deliveries": [_shown(delivery) for delivery in deliveries if event_id in {None, delivery.event_id}]}


CONTROLS = (
    Control(
        "PUT",
        "/sandbox/webhook",
        "Set the local webhook: {url, secret?, event_types?}; pending deliveries follow.",
        _put_webhook,
    ),
    Control(
        "POST",
        "/sandbox/delivery",
        "Disturb webhooks: {drop, duplicate, delay_seconds: [lo, hi], hold, shuffle, seed}.",
        _disturb,
    ),
    Control("POST", "/sandbox/delivery/release", "Deliver what is held: {order?}.", _release),
    Control("POST", "/sandbox/deliver", "Deliver an event again now: {event_id, times?}.", _repeat),
    Control(
        "GET",
        "/sandbox/deliveries",
        "Every message with its attempts; ?event_id= narrows it.",
        _list,
    ),
)
