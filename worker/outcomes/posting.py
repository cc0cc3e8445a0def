"""One POST of an outcome to its receiver, signed after the Standard Webhooks specification."""

from collections.abc import Mapping
from typing import Final

import httpx
from standardwebhooks import Webhook

from shared.clock import Clock
from shared.ledger.outcome_queues import LANES
from shared.outcome_receivers import OutcomeReceiver
from worker.alerts.http_post import post
from worker.alerts.signed_webhook import signed_headers

_CONTENT_TYPE: Final = "application/cloudevents+json"


class OutcomePost:
    """One receiver, with connections of its own: a slow one takes none of another's."""

    def __init__(self, receiver: OutcomeReceiver, *, clock: Clock) -> None:
        self.name = receiver.name
        self._url = receiver.url
        self._webhook = Webhook(receiver.secret)
        self._clock = clock
        self._client = httpx.Client(limits=httpx.Limits(max_connections=LANES, max_keepalive_connections=LANES))

    def send(self, event_id: str, body: bytes) -> None:
        """Post an outcome; `webhook-id` is the outcome's id, the same in every try. A 2xx is success.

        Raises NotDelivered.
        """
        headers = {"content-type": _CONTENT_TYPE, **self._signature(event_id, body)}
        post(self._client, self._url, body, headers)

    def _signature(self, event_id: str, body: bytes) -> Mapping[str, str]:
        return signed_headers(self._webhook, event_id, self._clock(), body.decode())
