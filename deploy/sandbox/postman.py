"""Carries events to webhooks: signed as Svix signs, tried again on its schedule.

A bounded number is in flight at a time, over one HTTP client.
"""

import asyncio
from dataclasses import replace
from datetime import timedelta
from functools import partial
from typing import Literal

import httpx

from deploy.sandbox import signing
from deploy.sandbox.agenda import Agenda
from deploy.sandbox.clock import Clock
from deploy.sandbox.deliveries import Attempt, Deliveries, Delivery, Fate, after, new_message_id
from deploy.sandbox.events import Event, EventLog
from deploy.sandbox.mischief import Mischief
from deploy.sandbox.settings import Dials
from deploy.sandbox.store import Store
from deploy.sandbox.webhooks import Webhook, Webhooks
from deploy.sandbox.wire import dump

IN_FLIGHT = 32
# Svix: an endpoint that hasn't answered by then has failed.
TIMEOUT_SECONDS = 15.0

ReleaseOrder = Literal["as_is", "reverse", "shuffle"]


class Postman:
    """Takes every new event, and delivers it to the webhooks that want it."""

    def __init__(
        self,
        *,
        store: Store,
        events: EventLog,
        webhooks: Webhooks,
        agenda: Agenda,
        dials: Dials,
        clock: Clock,
    ) -> None:
        """Load what is on its way."""
        self.deliveries = Deliveries(store)
        self.mischief = Mischief(store)
        self._events = events
        self._webhooks = webhooks
        self._agenda = agenda
        self._dials = dials
        self._clock = clock
        self._due: asyncio.Queue[str] = asyncio.Queue()
        events.subscribe(self.accept)

    def resume(self) -> None:
        """Put the stored messages on the agenda again."""
        for delivery in self.deliveries.with_fate(Fate.PENDING):
            self._remind(delivery)

    def accept(self, event: Event) -> None:
        """Address an event to every webhook that wants it."""
        for webhook in self._webhooks:
            if webhook.wants(event.event_type):
                self._address(event, webhook)

    def release(self, order: ReleaseOrder = "as_is") -> int:
        """Send the messages that were held back; return how many."""
        held = self.deliveries.with_fate(Fate.HELD)
        if order == "reverse":
            held.reverse()
        elif order == "shuffle":
            self.mischief.dice.shuffle(held)
        for delivery in held:
            self._send_now(replace(delivery, fate=Fate.PENDING, next_attempt_at=self._clock()))
        return len(held)

    def repeat(self, event: Event, times: int) -> list[str]:
        """Send an event's messages again now, `times` times each; return the message ids.

        An event that no webhook was told of is addressed to all of them first.
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
        """Carry messages for ever."""
        limits = httpx.Limits(max_connections=IN_FLIGHT, max_keepalive_connections=IN_FLIGHT)
        async with (
            httpx.AsyncClient(timeout=TIMEOUT_SECONDS, limits=limits, trust_env=False) as client,
            asyncio.TaskGroup() as group,
        ):
            for _ in range(IN_FLIGHT):
                group.create_task(self._carry(client))

    async def _carry(self, client: httpx.AsyncClient) -> None:
        while True:
            delivery = self.deliveries.find(await self._due.get())
            webhook = self._webhooks.find(delivery.webhook_id) if delivery else None
            if delivery is None:
                continue
            if webhook is None:
                self.deliveries.put(replace(delivery, fate=Fate.GAVE_UP, next_attempt_at=None))
                continue
            attempt = await self._attempt(client, delivery, webhook)
            self._conclude(delivery.message_id, attempt)

    async def _attempt(self, client: httpx.AsyncClient, delivery: Delivery, webhook: Webhook) -> Attempt:
        event = self._events.find(delivery.event_id)
        at = self._clock()
        if event is None:
            return Attempt(at, error="the event is gone")
        body = dump(event.body).decode()
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
            concluded = after(delivery, attempt, self._clock(), self._dials.current.retry_scale)
            self.deliveries.put(concluded)
            self._remind(concluded)

    def _address(self, event: Event, webhook: Webhook) -> None:
        delivery = self._new(event, webhook)
        if self.mischief.drops():
            self.deliveries.put(replace(delivery, fate=Fate.DROPPED, next_attempt_at=None))
        elif self.mischief.spec.hold:
            self.deliveries.put(replace(delivery, fate=Fate.HELD, next_attempt_at=None))
        else:
            wait = timedelta(seconds=self.mischief.delay())
            self._send_now(replace(delivery, next_attempt_at=self._clock() + wait))
            if self.mischief.doubles():
                self._agenda.add(
                    self._clock() + timedelta(seconds=self.mischief.delay()),
                    partial(self._due.put_nowait, delivery.message_id),
                )

    def _new(self, event: Event, webhook: Webhook) -> Delivery:
        return Delivery(
            message_id=new_message_id(),
            webhook_id=webhook.webhook_id,
            event_id=event.event_id,
            event_type=event.event_type,
            fate=Fate.PENDING,
            next_attempt_at=self._clock(),
        )

    def _send_now(self, delivery: Delivery) -> None:
        self.deliveries.put(delivery)
        self._remind(delivery)

    def _remind(self, delivery: Delivery) -> None:
        if delivery.fate is Fate.PENDING and delivery.next_attempt_at is not None:
            self._agenda.add(delivery.next_attempt_at, partial(self._call, delivery.message_id))

    def _call(self, message_id: str) -> None:
        delivery = self.deliveries.find(message_id)
        if delivery is None or delivery.fate is not Fate.PENDING:
            return
        if delivery.next_attempt_at is not None and delivery.next_attempt_at <= self._clock():
            self._due.put_nowait(message_id)
