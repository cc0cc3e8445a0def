"""One POST to a channel's URL; every failure becomes `NotDelivered`."""

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final

import httpx

from shared.seam.client import retry_after
from worker.alerts.channel import NotDelivered

_TIMEOUT: Final = httpx.Timeout(connect=5, read=10, write=5, pool=5)
# A server that answers byte by byte, or without an end, can't delay other channels for longer than this.
_ANSWER_WITHIN: Final = 15.0
_LONGEST_ANSWER: Final = 64 * 1024


@dataclass(frozen=True, slots=True)
class Answer:
    """The answer to a POST, of any status."""

    status: int
    body: bytes
    headers: httpx.Headers


def exchange(client: httpx.Client, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send `body` once and return the answer; redirects aren't followed. Raises NotDelivered if no answer came."""
    until = time.monotonic() + _ANSWER_WITHIN
    try:
        with client.stream(
            "POST", url, content=body, headers=dict(headers), timeout=_TIMEOUT, follow_redirects=False
        ) as response:
            content = b""
            for chunk in response.iter_bytes():
                content += chunk
                if len(content) > _LONGEST_ANSWER or time.monotonic() > until:
                    break
            return Answer(response.status_code, content[:_LONGEST_ANSWER], response.headers)
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # The error's text may hold the URL, and the URL of a chat is a secret.
        raise NotDelivered(type(error).__name__) from None


def post(client: httpx.Client, url: str, body: bytes, headers: Mapping[str, str]) -> Answer:
    """Send `body` once; a 2xx is success, a redirect is not. Raises NotDelivered."""
    answer = exchange(client, url, body, headers)
    if not httpx.codes.is_success(answer.status):
        raise NotDelivered(f"HTTP {answer.status}", retry_after=retry_after(answer.headers))
    return answer


def json_object(answer: Answer) -> dict[str, Any]:
    """Return the answer's JSON object. Raises NotDelivered if it isn't one: then another server has answered."""
    try:
        content = json.loads(answer.body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise NotDelivered("the answer is not a JSON object")
    return content
