"""JSON values, request bodies, and timestamps as Seam writes them."""

from datetime import UTC, datetime
from typing import Any, TypeAlias

from pydantic_core import to_json
from starlette.types import Receive

JsonObject: TypeAlias = dict[str, Any]


def format_timestamp(moment: datetime) -> str:
    """Write an aware datetime as Seam does: UTC, milliseconds, ``Z``."""
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.") + f"{moment.microsecond // 1000:03d}Z"


def parse_timestamp(text: str) -> datetime:
    """Read an ISO 8601 instant with an offset; cut it to milliseconds.

    Raises:
        ValueError: the text is no date and time, or has no offset.

    """
    moment = datetime.fromisoformat(text)
    if moment.tzinfo is None:
        message = "no UTC offset"
        raise ValueError(message)
    return moment.astimezone(UTC).replace(microsecond=moment.microsecond // 1000 * 1000)


async def read_body(receive: Receive) -> bytes:
    """Read the whole body of a request."""
    body = b""
    while True:
        message = await receive()
        body += bytes(message.get("body", b""))
        if not message.get("more_body", False):
            return body


def to_json_bytes(value: object) -> bytes:
    """Serialise to compact JSON; datetimes as ISO 8601."""
    return to_json(value)
