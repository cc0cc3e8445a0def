"""Sends events to webhooks: signed as Svix signs, tried again on its schedule.

A bounded number is in flight at a time, over one HTTP client.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Literal

import httpx

from deploy.sandbox.clock import Clock
from deploy.sandbox.encoding import to_json_bytes
from deploy.sandbox.events.log import Event, EventLog
from deploy.sandbox.scheduler import Scheduler
from deploy.sandbox.settings import CurrentSettings
from deploy.sandbox.store import Store
from deploy.sandbox.webhooks import signing
from deploy.sandbox.webhooks.deliveries import Attempt, Deliveries, Delivery, DeliveryStatus, after, new_message_id
from deploy.sandbox.webhooks.delivery_faults import DeliveryFaults
from deploy.sandbox.webhooks.endpoints import Webhook, Webhooks

IN_FLIGHT = 32
# Svix: an endpoint that hasn't answered by then has failed.
TIMEOUT_SECONDS = 15.0

ReleaseOrder = Literal["as_is", "reverse", "shuffle"]


class WebhookSender:
    """Sends every new event to the webhooks that want it."""

    def __init__(
        self,
        *,
        store: Store,
        events: EventLog,
        webhooks: Webhooks,
        scheduler: Scheduler,
        settings: CurrentSettings,
        clock: Clock,
    ) -> None:
        """Load the messages that aren't delivered yet."""
        self.deliveries = Deliveries(store)
        self.delivery_faults = DeliveryFaults(store)
        self._events = events
        self._webhooks = webhooks
        self._scheduler = scheduler
        self._settings = settings
        self._clock = clock
        self._due: asyncio.Queue[str] = asyncio.Queue()
        events.subscribe(self.accept)

    def resume(self) -> None:
        """Schedule the stored messages again."""
        for delivery in self.deliveries.with_status(DeliveryStatus.PENDING):
            self._schedule(delivery)

    def accept(self, event: Event) -> None:
        """Make a message for every webhook that wants the event."""
        for webhook in self._webhooks:
            if webhook.wants(event.event_type):
                self._make_message(event, webhook)

    def release(self, order: ReleaseOrder = "as_is") -> int:
        """Send the messages that were held back; return how many."""
        held = self.deliveries.with_status(DeliveryStatus.HELD)
        if order == "reverse":
            held.reverse()
        elif order == "shuffle":
            self.delivery_faults.random.shuffle(held)
        for delivery in held:
            self._store_and_schedule(replace(delivery, fate=DeliveryStatus.PENDING, next_attempt_at=self._clock()))
        return len(held)

    def repeat(self, event: Event, times: int) -> list[str]:
        """Send an event's messages again now, `times` times each; return the message ids.

        An event for which there are no messages yet gets one for each webhook first.
        """
        known = self.deliveries.of_event(event.event_id)
        if not known:
            known = [self._new(event, webhook) for webhook in self._webhooks]
        for delivery in known:
            self.deliveries.put(delivery)
            for _ in range(times):
                self._due.put_nowait(delivery.message_id)
        return [delivery.message_id for delivery in known]

    async def run(self) -> None:
        """Send messages for ever."""
        limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=limits, trust_env=False) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(IN_FLIGHT):
                group.create_task(self._send_messages(client))

    async def _send_messages(self, client: httpx.AsyncClient) -> None:
        while True:
            delivery = self.deliveries.find(await self._due.get())
            webhook = self._webhooks.find(delivery.webhook_id) if delivery else None
            if delivery is None:
                continue
            if webhook is None:
                self.deliveries.put(replace(delivery, fate=DeliveryStatus.GAVE_UP, next_attempt_at=None))
                continue
            attempt = await self._attempt(client, delivery, webhook)
            self._conclude(delivery.message_id, attempt)

    async def _attempt(self, client: httpx.AsyncClient, delivery: Delivery, webhook: Webhook) -> Attempt:
        event = self._events.find(delivery.event_id)
        at = self._clock()
        if event is None:
            return Attempt(at, error="the event is gone")
        body = to_json_bytes(event.body).decode()
        headers = {
            "content-type": "application/json",
            "user-agent": "Svix-Webhooks/sandbox",
            **signing.headers(webhook.secret, delivery.message_id, at, body),
        }
        try:
            async with asyncio.timeout(TIMEOUT_SECONDS):
                answer = await client.post(webhook.url, content=body, headers=headers)
        except Exception as problem:  # noqa: BLE001 -- whatever the URL does, the others go on
            return Attempt(at, error=f"{type(problem).__name__}: {problem}")
        return Attempt(at, status=answer.status_code)

    def _conclude(self, message_id: str, attempt: Attempt) -> None:
        delivery = self.deliveries.find(message_id)
        if delivery is not None:
            concluded = after(delivery, attempt, self._clock(), self._settings.current.retry_scale)
            self.deliveries.put(concluded)
            self._schedule(concluded)

    def _make_message(self, event: Event, webhook: Webhook) -> None:
        delivery = self._new(event, webhook)
        if self.delivery_faults.drops():
            self.deliveries.put(replace(delivery, fate=DeliveryStatus.DROPPED, next_attempt_at=None))
        elif self.delivery_faults.spec.hold:
            self.deliveries.put(replace(delivery, fate=DeliveryStatus.HELD, next_attempt_at=None))
        else:
            wait = timedelta(seconds=self.delivery_faults.delay())
            self._store_and_schedule(replace(delivery, next_attempt_at=self._clock() + wait))
            if self.delivery_faults.doubles():
                self._scheduler.call_at(
                    self._clock() + timedelta(seconds=self.delivery_faults.delay()),
                    partial(self._due.put_nowait, delivery.message_id),
                )

    def _new(self, event: Event, webhook: Webhook) -> Delivery:
        return Delivery(
            message_id=new_message_id(),
            webhook_id=webhook.webhook_id,
            event_id=event.event_id,
            event_type=event.event_type,
            fate=DeliveryStatus.PENDING,
            next_attempt_at=self._clock(),
        )

    def _store_and_schedule(self, delivery: Delivery) -> None:
        self.deliveries.put(delivery)
        self._schedule(delivery)

    def _schedule(self, delivery: Delivery) -> None:
        if delivery.fate is DeliveryStatus.PENDING and delivery.next_attempt_at is not None:
            self._scheduler.call_at(delivery.next_attempt_at, partial(self._enqueue, delivery.message_id))

    def _enqueue(self, message_id: str) -> None:
        delivery = self.deliveries.find(message_id)
        if delivery is None or delivery.fate is not DeliveryStatus.PENDING:
            return
        if delivery.next_attempt_at is not None and delivery.next_attempt_at <= self._clock():
            self._due.put_nowait(message_id)
