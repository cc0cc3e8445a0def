"""Appending to, and acknowledging from, the streams of the contract.

An entry is taken out of its stream in the same step in which it is acknowledged: what a stream holds is what is still
to be done, its length is the backlog, and memory stays flat.
"""

from pathlib import Path
from typing import Final

from redis import Redis

from shared import redis_keys

GROUP: Final = "oracode"
APPEND_ONCE_SCRIPT: Final = (Path(__file__).parent / "append_once.lua").read_text()


class OutcomeStream:
    """The stream that tells booking systems what became of their bookings."""

    def __init__(self, redis: Redis, stream: str) -> None:
        self._stream = stream
        self._append = redis.register_script(APPEND_ONCE_SCRIPT)

    def publish(self, message_id: str, message: str) -> bool:
        """Append a message once: False where one of this id was appended within three days. Atomic."""
        keys = [self._stream, redis_keys.seen(self._stream, message_id)]
        args: list[str | int] = [int(redis_keys.SEEN_FOR.total_seconds()), "message", message, ""]
        return bool(self._append(keys=keys, args=args) == "1")


def ensure_group(redis: Redis, stream: str) -> None:
    """Create our consumer group at the stream's very start, and the stream, where they don't exist."""
    from redis.exceptions import ResponseError  # noqa: PLC0415 - only here

    try:
        redis.xgroup_create(stream, GROUP, id="0", mkstream=True)
    except ResponseError as error:
        if "BUSYGROUP" not in str(error):
            raise


def acknowledge(redis: Redis, stream: str, entry_ids: list[str]) -> None:
    """Take entries whose outcome is recorded out of the group and the stream, in one transaction. Idempotent."""
    if entry_ids:
        pipeline = redis.pipeline(transaction=True)
        pipeline.xack(stream, GROUP, *entry_ids)
        pipeline.xdel(stream, *entry_ids)
        pipeline.execute()
