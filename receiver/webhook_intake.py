"""Takes in webhooks: all that came in one turn of the event loop together, one step after the other.

First all are verified, then all are parsed, then all go into the inbox. Each of these loops fits into the processor's
caches, and one append takes all. Taking in each webhook by itself took half as long again.
"""

import asyncio
from collections.abc import Callable, Iterable, Iterator
from typing import TypeVar

from receiver.bodies import Headers
from receiver.inbox import Inbox
from receiver.webhook_parsing import NotHandled, SeamEvent, VerifiedWebhook
from receiver.webhook_signature import WebhookSecrets
from shared.seam_event_redaction import Redactor

_Before = TypeVar("_Before")
_After = TypeVar("_After")


class Delivery:
    """A webhook that is being taken in: `await delivery.is_new`, then its `event` is there.

    `is_new` fails with InvalidSignature, NotAnEvent, NotHandled or Unavailable.
    """

    __slots__ = ("event", "is_new")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.is_new: asyncio.Future[bool] = loop.create_future()
        self.event: SeamEvent

    def fail(self, error: Exception) -> None:
        """Raise the error where `is_new` is awaited, if it still is."""
        if not self.is_new.done():
            self.is_new.set_exception(error)


class WebhookIntake:
    """Takes in webhooks. For one event loop. `receiver.admission` bounds how many come in one turn."""

    def __init__(self, secrets: WebhookSecrets, inbox: Inbox) -> None:
        self._secrets = secrets
        self._inbox = inbox
        self._redactor = Redactor()
        self._waiting: list[tuple[Delivery, tuple[Headers, bytes]]] = []

    def take(self, headers: Headers, body: bytes) -> Delivery:
        """Take in a webhook. It is verified in the next turn of the loop, in the order of the calls."""
        loop = asyncio.get_running_loop()
        if not self._waiting:
            loop.call_soon(self._take_all)
        delivery = Delivery(loop)
        self._waiting.append((delivery, (headers, body)))
        return delivery

    def _take_all(self) -> None:
        waiting, self._waiting = self._waiting, []
        verified = list(_each(self._verified, waiting))
        parsed = list(_each(self._parsed, verified))
        for delivery, event in parsed:
            delivery.event = event
        for delivery, message in list(_each(_message_of, parsed)):
            try:
                _ = self._inbox.append(delivery.event.event_id, message, appended=delivery.is_new)
            except Exception as error:  # noqa: BLE001 - a refusal, or a fault of ours: neither may leave others waiting
                delivery.fail(error)

    def _verified(self, request: tuple[Headers, bytes]) -> VerifiedWebhook:
        headers, body = request
        return VerifiedWebhook.from_http(headers, body, self._secrets)

    def _parsed(self, webhook: VerifiedWebhook) -> SeamEvent:
        return SeamEvent.from_webhook(webhook, self._redactor)


def _message_of(event: SeamEvent) -> bytes:
    """Return what goes into the stream. Raises NotHandled."""
    if not event.is_handled:
        raise NotHandled(event.event_type)
    return event.as_json()


def _each(
    step: Callable[[_Before], _After], values: Iterable[tuple[Delivery, _Before]]
) -> Iterator[tuple[Delivery, _After]]:
    """Do one step for all. If it fails for a delivery, that delivery fails with the error, and the others go on."""
    for delivery, value in values:
        try:
            after = step(value)
        except Exception as error:  # noqa: BLE001 - it is raised where the future is awaited
            delivery.fail(error)
        else:
            yield delivery, after
