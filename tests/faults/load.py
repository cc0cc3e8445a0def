"""A stream of webhooks, signed as Seam signs them: which were accepted, and whether all of those are in the ledger."""

import json
import threading
import time
from collections import Counter
from contextlib import suppress
from datetime import timedelta
from typing import Any
from uuid import uuid4

import httpx
from redis import Redis
from redis.exceptions import RedisError

from shared import redis_keys
from shared.clock import system_clock
from tests.receiver.web import signed
from tests.support.machine import Machine
from tests.support.waiting import PATIENCE

_SENDERS = 3
_PAUSE = 0.02
# A code's story keeps its newest 500 lines: fewer events go into each, with repeats.
_EVENTS_A_CODE = 200
_LOOK_AGAIN = 0.1
_EVENT_STREAM = "seam-events"


def webhook(client: httpx.Client, secret: str, access_code_id: str) -> tuple[str, int]:
    """Deliver one event on a new connection; return its id and the status, or 0 if no answer came."""
    event_id, answer = deliver(client, secret, access_code_id)
    return event_id, answer.status_code if answer is not None else 0


def deliver(client: httpx.Client, secret: str, access_code_id: str) -> tuple[str, httpx.Response | None]:
    """Deliver one event on a new connection; return its id and the answer, if one came."""
    event_id = str(uuid4())
    event = {
        "event_id": event_id,
        "event_type": "access_code.created",
        "access_code_id": access_code_id,
        "occurred_at": system_clock().isoformat(),
    }
    body = json.dumps(event).encode()
    headers = [*signed(body, secret=secret, delivery_id=f"msg_{event_id}"), (b"connection", b"close")]
    try:
        return event_id, client.post("/webhooks/seam", content=body, headers=headers)
    except httpx.HTTPError:
        return event_id, None


def text_of(answer: httpx.Response) -> str:
    """Return everything of an answer, except its date, that may differ from other answers."""
    headers = sorted((name, value) for name, value in answer.headers.items() if name != "date")
    return f"{answer.status_code} {headers} {answer.text}"


def fitting_stay() -> dict[str, str]:
    """Return a stay that fits the slot of the tests' door."""
    today = system_clock().date()
    return {"check_in": f"{today + timedelta(days=3)}T15:45", "check_out": f"{today + timedelta(days=6)}T10:15"}


class WebhookLoad:
    """Sends until it is stopped. The events are of codes without a booking: each must be in the story of its code."""

    def __init__(self, machine: Machine, *, senders: int = _SENDERS, most_unrecorded: int | None = None) -> None:
        """With `most_unrecorded`, senders wait while more accepted events than that wait for a worker.

        So the machine gets as much as it can take, however slow it is. The data server must not go away then.
        """
        run = machine.run()
        self._redis = Redis.from_url(run["redis_url"]) if most_unrecorded is not None else None
        self._most_unrecorded = most_unrecorded or 0
        self._url, self._secret = run["web_url"], run["webhook_secret"].split()[0]
        self._stopping = threading.Event()
        self._lock = threading.Lock()
        self._threads = [threading.Thread(target=self._send, args=(number,), daemon=True) for number in range(senders)]
        self.accepted: dict[str, str] = {}
        self.answers: Counter[int] = Counter()
        # Every different answer once; and refusals without a Retry-After.
        self.said: set[str] = set()
        self.impolite = 0

    def start(self) -> None:
        """Begin to send."""
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        """Stop sending."""
        self._stopping.set()
        for thread in self._threads:
            thread.join()
        if self._redis is not None:
            self._redis.close()

    def lost(self, redis: Redis) -> list[str]:
        """Return the events that got a 2xx and are in no story yet."""
        recorded = self._recorded(redis)
        return [event_id for event_id in self.accepted if not recorded[event_id]]

    def repeated(self, redis: Redis) -> int:
        """Return how many events are in their story more than once: that is allowed, and rare."""
        return sum(times > 1 for times in self._recorded(redis).values())

    def _recorded(self, redis: Redis) -> Counter[str]:
        found: Counter[str] = Counter()
        for access_code_id in set(self.accepted.values()):
            lines: Any = redis.lrange(redis_keys.code_events(access_code_id), 0, -1)
            found.update(json.loads(line)["event_id"] for line in lines)
        return found

    def _send(self, number: int) -> None:
        sent = 0
        # During a restart a client waits until the next process has started.
        with httpx.Client(base_url=self._url, timeout=15 * PATIENCE) as client:
            while not self._stopping.wait(_PAUSE):
                if self._redis is not None and self._redis.xlen(_EVENT_STREAM) > self._most_unrecorded:
                    self._stopping.wait(_LOOK_AGAIN)
                    continue
                access_code_id = f"LOAD-{number}-{sent // _EVENTS_A_CODE}"
                event_id, answer = deliver(client, self._secret, access_code_id)
                sent += 1
                status = answer.status_code if answer is not None else 0
                with self._lock:
                    self.answers[status] += 1
                    if 200 <= status < 300:
                        self.accepted[event_id] = access_code_id
                    if answer is not None:
                        self.said.add(text_of(answer))
                        self.impolite += status == 503 and "retry-after" not in answer.headers


def wait_for_all(load: WebhookLoad, machine: Machine, within: float) -> list[str]:
    """Wait until every accepted event is recorded; return those that aren't in time."""
    deadline = time.monotonic() + PATIENCE * within
    while True:
        lost = list(load.accepted)
        with suppress(RedisError, OSError), machine.redis() as redis:
            lost = load.lost(redis)
        if not lost or time.monotonic() > deadline:
            return lost
        time.sleep(0.2)
