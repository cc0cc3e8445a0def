"""Webhooks and bookings under way during a fault; afterwards: which were lost, and which codes were made twice."""

import json
import threading
from collections import Counter
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import timedelta
from uuid import uuid4

import httpx
from redis.exceptions import RedisError

from shared.clock import system_clock
from tests.faults.load import WebhookLoad, text_of, wait_for_all
from tests.support.machine import Machine
from tests.support.waiting import wait_until

_PAUSE = 0.4
_BOOKINGS_A_DOOR = 8
# Long enough for the time-outs of Seam, a lease, and the door's rate limit, one after the other.
_SETTLED_WITHIN = 90.0


@dataclass(slots=True)
class Tally:
    """The result of the traffic."""

    events: int = 0
    bookings: int = 0
    lost: list[str] = field(default_factory=list)
    twice: list[str] = field(default_factory=list)


def message_of(booking_id: str, device_id: str, days_ahead: int = 3) -> str:
    """Return a booking message that fits the slot of the fault tests' doors."""
    first = system_clock().date() + timedelta(days=days_ahead)
    booking = {
        "booking_id": booking_id,
        "device_ids": [device_id],
        "check_in": f"{first}T15:45",
        "check_out": f"{first + timedelta(days=3)}T10:15",
    }
    kind = "booking.created"
    return json.dumps({"specversion": "1.0", "id": str(uuid4()), "source": "/faults", "type": kind, "data": booking})


class Handover:
    """Sends bookings as a booking system does, by the stream or by HTTP; says whether they were accepted."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self.said: set[str] = set()

    def append(self, message: str) -> bool:
        """Append to the stream; return whether that worked."""
        try:
            with self._machine.redis() as redis:
                redis.xadd("booking-created", {"message": message})
        except (RedisError, OSError, ValueError):
            return False
        return True

    def post(self, message: str) -> bool:
        """Post to `web`; return whether it was accepted."""
        run = self._machine.run()
        headers = {"authorization": f"Bearer {run['booking_token']}"}
        try:
            answer = httpx.post(f"{run['web_url']}/bookings", content=message, headers=headers, timeout=15)
        except httpx.HTTPError:
            return False
        self.said.add(text_of(answer))
        return answer.status_code == 202


class Traffic:
    """Both kinds, from `start` to `stop`; every booking is for a door that accepts it."""

    def __init__(self, machine: Machine) -> None:
        self._machine = machine
        self._handover = Handover(machine)
        self._stopping = threading.Event()
        self._thread = threading.Thread(target=self._publish, name="bookings", daemon=True)
        self._accepted: dict[str, str] = {}
        self.load = WebhookLoad(machine)

    def start(self) -> None:
        """Start, and wait until the first of each kind are accepted."""
        self.load.start()
        self._thread.start()
        wait_until(lambda: self.load.accepted and self._accepted, what="the first webhooks and bookings")

    def stop(self) -> Tally:
        """Stop, wait until everything that was accepted is settled, and count."""
        self._stopping.set()
        self._thread.join()
        self.load.stop()
        tally = Tally(events=len(self.load.accepted), bookings=len(self._accepted))
        unsettled = self._wait_for_bookings()
        tally.lost = [*wait_for_all(self.load, self._machine, within=30), *unsettled]
        for door in set(self._accepted.values()):
            made = Counter(str(code["name"]).split(" | ")[0] for code in self._machine.codes(door))
            tally.twice += [booking_id for booking_id, times in made.items() if times > 1]
        return tally

    @property
    def said(self) -> set[str]:
        """Return the answers to it."""
        return self.load.said | self._handover.said

    def _publish(self) -> None:
        number = 0
        door = ""
        while not self._stopping.is_set():
            if number % _BOOKINGS_A_DOOR == 0:
                door = self._machine.add_door(("16:00", "10:00"), pin_at_create=True)
            booking_id = f"TR-{uuid4().hex[:8]}"
            message = message_of(booking_id, door, days_ahead=2 + number % 9)
            number += 1
            while not (self._handover.post(message) if number % 2 else self._handover.append(message)):
                if self._stopping.wait(0.1):
                    # It was never accepted: its sender would still be trying.
                    return
            self._accepted[booking_id] = door
            self._stopping.wait(_PAUSE)

    def _wait_for_bookings(self) -> list[str]:
        states: dict[str, str] = {}

        def unsettled() -> list[str]:
            with suppress(RedisError, OSError), self._machine.redis() as redis:
                states.update({booking.booking_id: booking.state for booking in self._machine.ledger(redis).all()})
            return [booking_id for booking_id in self._accepted if states.get(booking_id) != "ready"]

        with suppress(AssertionError):
            wait_until(lambda: not unsettled(), within=_SETTLED_WITHIN, what="every booking is settled")
        return [f"{each} {states.get(each)}" for each in unsettled()]
