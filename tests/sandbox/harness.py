"""What the sandbox's tests share: the process, a webhook receiver, and waiting for conditions."""

import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections import deque
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any, Self
from uuid import uuid4

import httpx

from tests.support.waiting import wait_until

API_KEY = "seam_test_key"
ROOT = Path(__file__).parents[2]
# Read once: a test that goes on past midnight means the same day by the same number.
_TODAY = datetime.now(UTC).date()


def in_days(days: int, clock: str, *, offset: str = "+00:00") -> str:
    """Return an instant some days after the day on which the tests were started (UTC), at a time of day."""
    return f"{_TODAY + timedelta(days=days)}T{clock}{offset}"


class Sandbox:
    """A running sandbox process, with a client for each of its sides."""

    def __init__(self, *options: str, data: Path | None = None) -> None:
        kept = [] if data is None else ["--data", str(data)]
        environment = {k: v for k, v in os.environ.items() if not k.startswith("SANDBOX_")}
        self.process = subprocess.Popen(
            [sys.executable, "-m", "deploy.sandbox", "--port", "0", "--api-key", API_KEY, *kept, *options],
            cwd=ROOT,
            env=environment,
            stdout=subprocess.PIPE,
            text=True,
        )
        assert self.process.stdout is not None
        self.url = self.process.stdout.readline().split()[-1]
        headers = {"authorization": f"Bearer {API_KEY}"}
        self.api = httpx.Client(base_url=self.url, headers=headers, timeout=20, trust_env=False)
        self.control = httpx.Client(base_url=self.url, timeout=20, trust_env=False)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.end(signal.SIGTERM)

    def end(self, by: signal.Signals) -> float:
        """End the process; return how many seconds that took."""
        started = time.monotonic()
        if self.process.poll() is None:
            self.process.send_signal(by)
        self.process.wait(timeout=10)
        took = time.monotonic() - started
        assert self.process.stdout is not None
        self.process.stdout.close()
        self.api.close()
        self.control.close()
        return took

    def door(self, **spec: Any) -> str:
        """Add a door in UTC with a 16:00-10:00 slot, unless told otherwise; return its id."""
        slots = [{"name": "Guest", "check_in": "16:00", "check_out": "10:00"}]
        body = {"device_id": str(uuid4()), "time_zone": "UTC", "slots": slots, **spec}
        return str(self.arrange("POST", "/sandbox/devices", body)["device_id"])

    def arrange(self, method: str, path: str, body: object = None) -> Any:
        """Call a control endpoint that must accept it; return its answer."""
        answer = self.control.request(method, path, json=body)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def ask(self, path: str, /, **parameters: Any) -> Any:
        """POST to the API; return the answer's JSON, whatever its status is."""
        return self.api.post(path, json=parameters).json()

    def look(self, path: str, /, **query: Any) -> Any:
        """Read a control endpoint."""
        answer = self.control.get(path, params=query)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def fault(self, operation: str, kind: str, **more: Any) -> Any:
        """Set a fault."""
        body = {"operation": operation, "kind": kind, **more}
        return self.arrange("POST", "/sandbox/faults", body)

    def create(self, device_id: str, **body: Any) -> httpx.Response:
        """Ask for a code in the slot of a door made by `door`, unless told otherwise."""
        wanted = {
            "device_id": device_id,
            "name": "BK-1",
            "starts_at": in_days(2, "15:45:00"),
            "ends_at": in_days(5, "10:15:00"),
            "is_offline_access_code": True,
            **body,
        }
        return self.api.post("/access_codes/create", json={k: v for k, v in wanted.items() if v is not ...})

    def created(self, device_id: str, **body: Any) -> Any:
        """Create a code; return its object."""
        answer = self.create(device_id, **body)
        assert answer.status_code == 200, answer.text
        return answer.json()["access_code"]

    def code(self, access_code_id: str) -> Any:
        """Read a code; None where Seam answers 404."""
        answer = self.api.get("/access_codes/get", params={"access_code_id": access_code_id})
        return answer.json()["access_code"] if answer.status_code == 200 else None

    def codes(self, device_id: str) -> list[Any]:
        """List a door's codes through the API."""
        answer = self.api.get("/access_codes/list", params={"device_id": device_id})
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.json()["access_codes"]
        return found

    def events(self, **query: Any) -> list[Any]:
        """List events through the API."""
        asked = {"since": "2020-01-01T00:00:00Z", **query}
        answer = self.api.get("/events/list", params=asked)
        assert answer.status_code == 200, answer.text
        found: list[Any] = answer.json()["events"]
        return found

    def event_types(self, access_code_id: str) -> list[str]:
        """Return the types of a code's events without their prefix, in order."""
        prefix = "access_code."
        found = self.events(access_code_id=access_code_id)
        return [event["event_type"].removeprefix(prefix) for event in found]

    def wait_for_status(self, access_code_id: str, status: str) -> Any:
        """Wait until a code has a status; return it."""
        return wait_until(lambda: (code := self.code(access_code_id)) and code["status"] == status and code)


@dataclass(frozen=True, slots=True)
class Received:
    """One request that the webhook receiver got."""

    headers: dict[str, str]
    body: bytes

    @property
    def event(self) -> Any:
        """The body as JSON."""
        return json.loads(self.body)


class Receiver:
    """A webhook endpoint that answers with the statuses it is told, then 200."""

    def __init__(self) -> None:
        self.received: list[Received] = []
        self.statuses: deque[int] = deque()
        outer = self

        class Handler(BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers["content-length"]))
                headers = {name.lower(): text for name, text in self.headers.items()}
                outer.received.append(Received(headers, body))
                self.send_response(outer.statuses.popleft() if outer.statuses else 200)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002
                del format, args

        self._server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        self.url = f"http://127.0.0.1:{self._server.server_port}/webhooks/seam"

    def of_type(self, event_type: str) -> list[Received]:
        """Return what came of one event type."""
        return [got for got in list(self.received) if got.event["event_type"] == event_type]

    def close(self) -> None:
        """Stop listening."""
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()
