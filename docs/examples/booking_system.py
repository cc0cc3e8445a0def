"""A booking system's side, in Python with nothing but its standard library. Read it, and take over what you need.

    booking_system.py publish BOOKING DEVICE CHECK_IN CHECK_OUT
    booking_system.py change  BOOKING DEVICE CHECK_IN CHECK_OUT
    booking_system.py cancel  BOOKING
    booking_system.py status  BOOKING
    booking_system.py pin     BOOKING
    booking_system.py listen  PORT      one line of JSON for each new outcome

From the environment: ORACODE_URL (where `web` is), BOOKING_TOKEN, REVEAL_TOKEN (for `pin`), OUTCOME_SECRET (for
`listen`: the `whsec_…` of OUTCOME_WEBHOOK_URLS).
"""

import base64
import hashlib
import hmac
import json
import os
import sys
import time
import urllib.error
import urllib.parse
import urllib.request
from collections.abc import Mapping
from functools import partial
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import uuid4

SOURCE = "/pms/example"
TOLERANCE_SECONDS = 300
LARGEST_BODY = 1024 * 1024
SEEN: set[str] = set()


def publish(kind: str, booking_id: str, **fields: Any) -> dict[str, Any]:
    """Hand over one booking message. The same `id` again changes nothing, so repeat it where no answer came.

    There is no revision: the order of arrival counts. So send the messages of one booking one after the other, each
    once the one before it is answered. If your system counts revisions, give them: then the highest wins.
    """
    message = {
        "specversion": "1.0",
        "id": str(uuid4()),
        "source": SOURCE,
        "type": f"booking.{kind}",
        "data": {"booking_id": booking_id, **fields},
    }
    return call("POST", "/bookings", os.environ["BOOKING_TOKEN"], message)


def status(booking_id: str) -> dict[str, Any]:
    """Ask what became of a booking."""
    return call("GET", f"/bookings/{urllib.parse.quote(booking_id, safe='')}", os.environ["BOOKING_TOKEN"])


def pin(booking_id: str) -> dict[str, Any]:
    """Read the PINs of a booking, for the guest. Show them; store them nowhere."""
    path = f"/bookings/{urllib.parse.quote(booking_id, safe='')}/reveal"
    return call("POST", path, os.environ["REVEAL_TOKEN"], {"by": "example"})


def call(method: str, path: str, token: str, body: Any = None) -> dict[str, Any]:
    """Send one request. Raises urllib.error.HTTPError: 503 and 429 say in Retry-After when to send it again."""
    request = urllib.request.Request(
        os.environ["ORACODE_URL"] + path,
        method=method,
        data=None if body is None else json.dumps(body).encode(),
        headers={"authorization": f"Bearer {token}", "content-type": "application/json"},
    )
    with urllib.request.urlopen(request, timeout=30) as answer:
        content: dict[str, Any] = json.load(answer)
    return content


def is_signed(headers: Mapping[str, str], body: bytes, secret: str) -> bool:
    """Say whether the body was signed with the secret, in the last five minutes (Standard Webhooks)."""
    message_id, timestamp = headers.get("webhook-id", ""), headers.get("webhook-timestamp", "")
    if not timestamp.isascii() or not timestamp.isdigit() or abs(time.time() - int(timestamp)) > TOLERANCE_SECONDS:
        return False
    key = base64.b64decode(secret.removeprefix("whsec_"))
    signed = f"{message_id}.{timestamp}.".encode() + body
    right = base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest())
    shown = [each.partition(",")[2] for each in headers.get("webhook-signature", "").split() if each.startswith("v1,")]
    return any(hmac.compare_digest(right, each.encode()) for each in shown)


class Outcomes(BaseHTTPRequestHandler):
    """Receives outcomes. A real system remembers the ids in its database, in the transaction that handles them."""

    def do_POST(self) -> None:
        """Answer 2xx only once the outcome is handled: it comes again until then."""
        length = self.headers.get("content-length", "")
        if not length.isdigit() or int(length) > LARGEST_BODY:
            return self.answer(413)
        body = self.rfile.read(int(length))
        if not is_signed(self.headers, body, os.environ["OUTCOME_SECRET"]):
            return self.answer(401)
        outcome = json.loads(body)
        if outcome["id"] not in SEEN:
            SEEN.add(outcome["id"])
            handle(outcome)
        return self.answer(204)

    def answer(self, code: int) -> None:
        """Answer without a body."""
        self.send_response(code)
        self.end_headers()

    def log_message(self, *_: Any) -> None:
        """Say nothing: outcomes may hold PINs."""


def handle(outcome: dict[str, Any]) -> None:
    """Do what the outcome asks for. Here: tell. `code` is there with OUTCOME_PIN alone, and isn't printed."""
    data = outcome["data"]
    doors = [
        {"device_id": each["device_id"], "new_pin": each["pin_changed"], "has_pin": bool(each.get("code"))}
        for each in data["devices"]
    ]
    told = {"id": outcome["id"], "state": data["state"], "reason": data["reason"], "doors": doors}
    print(json.dumps(told), flush=True)


def main(arguments: list[str]) -> None:
    """Do what the command line says; an HTTP error's status is the last line, and the exit code is 1."""
    match arguments:
        case ["publish" | "change" as what, booking_id, device_id, check_in, check_out]:
            kind = "created" if what == "publish" else "updated"
            stay = {"device_ids": [device_id], "check_in": check_in, "check_out": check_out}
            do = partial(publish, kind, booking_id, **stay)
        case ["cancel", booking_id]:
            do = partial(publish, "cancelled", booking_id)
        case ["status", booking_id]:
            do = partial(status, booking_id)
        case ["pin", booking_id]:
            do = partial(pin, booking_id)
        case ["listen", port]:
            ThreadingHTTPServer(("127.0.0.1", int(port)), Outcomes).serve_forever()
            return
        case _:
            raise SystemExit(__doc__)
    try:
        print(json.dumps(do()))
    except urllib.error.HTTPError as error:
        print(error.read().decode(), file=sys.stderr)
        raise SystemExit(f"HTTP {error.code}") from None


if __name__ == "__main__":
    main(sys.argv[1:])
