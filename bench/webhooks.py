"""Signed webhooks as Seam sends them: about 900 bytes, each with another event."""

import hmac
import json
import time
from base64 import b64decode, b64encode
from collections.abc import Iterator
from hashlib import sha256
from itertools import count
from typing import Any, Final
from uuid import UUID

SECRET: Final = "whsec_" + b64encode(b"a secret of the benchmark").decode()
PATH: Final = "/webhooks/seam"
_ID: Final = "00000000-0000-4000-8000-000000000000"
_numbers = count(1)
_key = b64decode(SECRET.removeprefix("whsec_"))


def event(number: int, *, codes: int = 1_000) -> dict[str, Any]:
    """Return an event about one of so many codes; none of them prompts a look at Seam."""
    return {
        "event_id": _uuid(0, number),
        "event_type": "access_code.changed",
        "workspace_id": _uuid(1, 1),
        "created_at": "2026-11-21T10:00:00.000Z",
        "occurred_at": "2026-11-21T09:59:58.512Z",
        "access_code_id": _uuid(2, number % codes),
        "device_id": _uuid(3, number % codes // 10),
        "connected_account_id": _uuid(4, 1),
        "connected_account_custom_metadata": {"property": "Ocean Beach Vacations", "region": "us-west", "site": "12"},
        "device_custom_metadata": {"building": "Main house", "floor": "2", "unit": "Room 201", "wing": "north"},
        "change_reason": "The code was programmed into the lock by the provider and is active for its window.",
        "description": "Access code changed on the door: it is set, and it opens the door from its start to its end.",
    }


def body(number: int) -> bytes:
    """Return the body of a webhook with this event."""
    return json.dumps(event(number)).encode()


def signed_requests(port: int, amount: int) -> list[bytes]:
    """Return so many HTTP/1.1 requests, signed now; in this process no event comes twice."""
    stamp = str(int(time.time()))
    head = (
        f"POST {PATH} HTTP/1.1\r\nhost: 127.0.0.1:{port}\r\nuser-agent: Svix-Webhooks/1.70\r\naccept: */*\r\n"
        f"content-type: application/json\r\nsvix-timestamp: {stamp}\r\n"
    )
    return [_request(head, stamp, number) for number in _next(amount)]


def _request(head: str, stamp: str, number: int) -> bytes:
    text, name = body(number), f"msg_{number:027}"
    digest = hmac.digest(_key, f"{name}.{stamp}.".encode() + text, sha256)
    signature = b64encode(digest).decode()
    more = f"svix-id: {name}\r\nsvix-signature: v1,{signature}\r\ncontent-length: {len(text)}\r\n\r\n"
    return (head + more).encode() + text


def _next(amount: int) -> Iterator[int]:
    return (next(_numbers) for _ in range(amount))


def _uuid(kind: int, number: int) -> str:
    return str(UUID(int=UUID(_ID).int | kind << 96 | number))
