"""Open tabs of the console: each holds its event stream, and loads one page a second. A process of its own.

    python -m bench.tabs PORT TOKEN TABS SECONDS

Prints JSON: the milliseconds until the first byte of each page, by page, and the size of the largest page in bytes.
"""

import http.client
import json
import random
import sys
import threading
import time
from dataclasses import dataclass, field
from typing import Final
from urllib.parse import urlencode

PAGES: Final = (
    "/arrivals",
    "/bookings",
    "/bookings?state=waiting",
    "/bookings?q=guest",
    "/bookings?device_id=d0000000-0000-4000-8000-000000000007",
    "/bookings/BK-000123",
    "/find?q=guest",
    "/alerts",
    "/parked",
    "/doors",
    "/doors/d0000000-0000-4000-8000-000000000007",
    "/residual-access",
    "/health",
)
_EVERY: Final = 1.0
_TIMEOUT: Final = 30


@dataclass(slots=True)
class Seen:
    """What all tabs saw."""

    first_byte_ms: dict[str, list[float]] = field(default_factory=dict)
    largest_page: int = 0
    failed: int = 0
    told: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock, repr=False)

    def note(self, page: str, milliseconds: float, size: int, status: int) -> None:
        """Note one page."""
        with self.lock:
            self.first_byte_ms.setdefault(page, []).append(milliseconds)
            self.largest_page = max(self.largest_page, size)
            self.failed += status != http.client.OK


def log_in(port: int, token: str) -> str:
    """Return the cookie of a session."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    headers = {"sec-fetch-site": "same-origin", "content-type": "application/x-www-form-urlencoded"}
    connection.request("POST", "/login", urlencode({"token": token}), headers)
    answer = connection.getresponse()
    answer.read()
    connection.close()
    cookie = answer.headers.get("set-cookie", "").partition(";")[0]
    if not cookie:
        raise ValueError(f"no session: HTTP {answer.status}")
    return cookie


def listen(port: int, cookie: str, seen: Seen) -> None:
    """Keep the event stream open, as a tab does, and count its events."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    connection.request("GET", "/events", headers={"cookie": cookie})
    answer = connection.getresponse()
    while line := answer.readline():
        if line.startswith(b"event: changed"):
            with seen.lock:
                seen.told += 1


def browse(port: int, cookie: str, number: int, until: float, seen: Seen) -> None:
    """Load one page a second, in another order in each tab."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=_TIMEOUT)
    dice = random.Random(number)
    due = time.monotonic() + dice.random() * _EVERY
    while due < until:
        time.sleep(max(0.0, due - time.monotonic()))
        page = dice.choice(PAGES)
        began = time.perf_counter()
        connection.request("GET", page, headers={"cookie": cookie})
        answer = connection.getresponse()
        took = (time.perf_counter() - began) * 1e3
        seen.note(page, took, len(answer.read()), answer.status)
        due += _EVERY


def main() -> None:
    """Open the tabs, browse, print what was seen."""
    port, token, tabs, seconds = int(sys.argv[1]), sys.argv[2], int(sys.argv[3]), float(sys.argv[4])
    seen, cookie = Seen(), log_in(port, token)
    for _ in range(tabs):
        threading.Thread(target=listen, args=(port, cookie, seen), daemon=True).start()
    until = time.monotonic() + seconds
    browsing = [threading.Thread(target=browse, args=(port, cookie, number, until, seen)) for number in range(tabs)]
    for thread in browsing:
        thread.start()
    for thread in browsing:
        thread.join()
    found = {"first_byte_ms": seen.first_byte_ms, "largest_page": seen.largest_page}
    print(json.dumps({**found, "failed": seen.failed, "told": seen.told}))


if __name__ == "__main__":
    main()
