"""Control of webhooks: where they go, faults of their delivery, what became of each."""

from typing import Self

from pydantic import Field, PositiveInt, model_validator

from deploy.sandbox.control.routes import ControlEndpoint, ControlRequest
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import unknown
from deploy.sandbox.models import StrictModel
from deploy.sandbox.webhooks.deliveries import Delivery
from deploy.sandbox.webhooks.delivery_faults import DeliverySpec
from deploy.sandbox.webhooks.endpoints import webhook_object
from deploy.sandbox.webhooks.sender import ReleaseOrder
from deploy.sandbox.webhooks.signing import signer


class _LocalWebhook(StrictModel):
    url: str = Field(pattern=r"^https?://")
    secret: str | None = None
    event_types: tuple[str, ...] | None = None

    @model_validator(mode="after")
    def _signs(self) -> Self:
        if self.secret is not None:
            signer(self.secret)
        return self


class _Release(StrictModel):
    order: ReleaseOrder = "as_is"


class _Repeat(StrictModel):
    event_id: str
    times: PositiveInt = 1


def _put_webhook(request: ControlRequest) -> JsonObject:
    wanted = _LocalWebhook.model_validate(request.body)
    webhook = request.sandbox.webhooks.put_local(wanted.url, wanted.secret, wanted.event_types)
    return webhook_object(webhook)


def _set_faults(request: ControlRequest) -> JsonObject:
    delivery_faults = request.sandbox.webhook_sender.delivery_faults
    delivery_faults.change(DeliverySpec.model_validate(request.body))
    return delivery_faults.spec.model_dump()


def _release(request: ControlRequest) -> JsonObject:
    order = _Release.model_validate(request.body).order
    return {"released": request.sandbox.webhook_sender.release(order)}


def _repeat(request: ControlRequest) -> JsonObject:
    wanted = _Repeat.model_validate(request.body)
    event = request.sandbox.events.find(wanted.event_id)
    if event is None:
        raise unknown("event", wanted.event_id)
    return {"message_ids": request.sandbox.webhook_sender.repeat(event, wanted.times)}


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


def _list(request: ControlRequest) -> JsonObject:
    event_id = request.query.get("event_id")
    deliveries = request.sandbox.webhook_sender.deliveries.everything()
    return {"deliveries": [_shown(delivery) for delivery in deliveries if event_id in {None, delivery.event_id}]}


ENDPOINTS = (
    ControlEndpoint(
        "PUT",
        "/sandbox/webhook",
        "Set the local webhook: {url, secret?, event_types?}; pending deliveries follow.",
        _put_webhook,
        ({"url": "http://127.0.0.1:8080/webhooks/seam"},),
    ),
    ControlEndpoint(
        "POST",
        "/sandbox/delivery",
        "Replace the faults of delivery: {drop, duplicate, delay_seconds: [lo, hi], hold, shuffle, seed}.",
        _set_faults,
        ({"duplicate": 0.5, "delay_seconds": [0, 2], "seed": 7}, {}),
    ),
    ControlEndpoint(
        "POST",
        "/sandbox/delivery/release",
        "Deliver what is held: {order?}; order: as_is, reverse, shuffle.",
        _release,
        ({"order": "reverse"},),
    ),
    ControlEndpoint("POST", "/sandbox/deliver", "Deliver an event again now: {event_id, times?}.", _repeat),
    ControlEndpoint(
        "GET",
        "/sandbox/deliveries",
        "Every message with its attempts; ?event_id= narrows it.",
        _list,
    ),
)
