"""The few HTTP pieces that the hot path needs, without request and response objects."""

import json
from collections.abc import Mapping
from typing import Any

from starlette.types import Receive, Scope, Send


class BodyTooLarge(Exception):
    """The body is over the limit, by its own word or while it was read."""


class ClientGone(Exception):
    """The client closed the connection before its request was whole."""


def headers_of(scope: Scope) -> dict[bytes, bytes]:
    """Return the request's headers, lower-case names, the last of repeated ones."""
    return dict(scope["headers"])


async def read_body(receive: Receive, headers: Mapping[bytes, bytes], limit: int) -> bytes:
    """Return the whole body. Raises BodyTooLarge without reading on, ClientGone if it never gets whole."""
    declared = headers.get(b"content-length", b"")
    if declared.isdigit() and (len(declared) > 18 or int(declared) > limit):  # noqa: PLR2004 - beyond any length
        raise BodyTooLarge
    chunks: list[bytes] = []
    size = 0
    while True:
        message = await receive()
        if message["type"] == "http.disconnect":
            raise ClientGone
        chunk = message.get("body", b"")
        size += len(chunk)
        if size > limit:
            raise BodyTooLarge
        chunks.append(chunk)
        if not message.get("more_body", False):
            return chunks[0] if len(chunks) == 1 else b"".join(chunks)


async def answer(send: Send, status: int, body: Mapping[str, Any], headers: Mapping[str, str] | None = None) -> None:
    """Send a JSON answer."""
    await answer_bytes(send, status, json.dumps(body).encode(), headers)


async def answer_bytes(send: Send, status: int, body: bytes, headers: Mapping[str, str] | None = None) -> None:
    """Send an answer whose JSON body is ready."""
    raw = [(b"content-type", b"application/json"), (b"content-length", str(len(body)).encode())]
    raw += [(name.encode(), value.encode()) for name, value in (headers or {}).items()]
    await send({"type": "http.response.start", "status": status, "headers": raw})
    await send({"type": "http.response.body", "body": body})
