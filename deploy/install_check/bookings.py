"""Hands over bookings to the `web` of a bare machine for some seconds, each on a door of its own, until it is accepted.

Prints each accepted one as a JSON line. Runs on the machine, from what was installed: arguments are the sandbox's
address, the token, and for how long.
"""

import json
import sys
import time
from contextlib import suppress
from datetime import timedelta
from uuid import uuid4

import httpx

from shared.clock import system_clock

_WEB = "http://127.0.0.1:8080"
_ACCEPTED = 202
_PAUSE = 0.3


def main(seam: str, token: str, seconds: str) -> None:
    """Send until the time is over."""
    end = time.monotonic() + float(seconds)
    with httpx.Client(timeout=5) as client:
        while time.monotonic() < end:
            door, booking_id = str(uuid4()), f"FAILOVER-{uuid4().hex[:8]}"
            if not _has(client, seam, door):
                continue
            while time.monotonic() < end:
                if _accepts(client, token, booking_id, door):
                    print(json.dumps({"booking_id": booking_id, "device_id": door, "at": time.monotonic()}), flush=True)
                    break
                time.sleep(_PAUSE)
            time.sleep(_PAUSE)


def _has(client: httpx.Client, seam: str, door: str) -> bool:
    slots = [{"name": "Guest", "check_in": "16:00", "check_out": "10:00"}]
    with suppress(httpx.HTTPError):
        spec = {"device_id": door, "name": "Room", "slots": slots}
        return client.post(f"{seam}/sandbox/devices", json=spec).is_success
    return False


def _accepts(client: httpx.Client, token: str, booking_id: str, door: str) -> bool:
    today = system_clock().date()
    stay = {"check_in": f"{today + timedelta(days=3)}T15:45", "check_out": f"{today + timedelta(days=6)}T10:15"}
    booking = {"booking_id": booking_id, "device_ids": [door], **stay}
    with suppress(httpx.HTTPError):
        answer = client.post(f"{_WEB}/bookings", json=booking, headers={"authorization": f"Bearer {token}"})
        return answer.status_code == _ACCEPTED
    return False


if __name__ == "__main__":
    main(*sys.argv[1:])
