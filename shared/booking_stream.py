"""Appending booking messages to their stream, and telling which were appended before.

`source`, `id` and what it says identify a message for three days: other content under an id that was used is appended,
and parked by the worker. A message without a source has no id of its own, so only the
newest one of its booking is remembered: the same again right after it is a repeat, the same after another is news. What
is no message is remembered by its text.
"""

from collections.abc import Mapping
from hashlib import sha256
from pathlib import Path
from typing import Final

from redis import Redis

from shared import redis_keys
from shared.booking_message_redaction import without_secrets
from shared.contracts import BOOKING_FIELD
from shared.domain.booking.message_order import identity_of
from shared.domain.messages.message import BookingMessage, InvalidMessage, content_hash
from shared.domain.messages.outer_type import contradicts, outer_type
from shared.domain.messages.parse import parse_booking_message
from shared.replicas import begin_step, wait_for_replicas
from shared.streams import APPEND_ONCE_SCRIPT

_APPEND_AND_MARK: Final = (Path(__file__).parent / "append_and_mark.lua").read_text(encoding="utf-8")
_SEEN_FOR: Final = int(redis_keys.SEEN_FOR.total_seconds())
# No source and no id holds it, so it can't be the mark of a message.
_NEWEST_OF: Final = "\x1f\x1f"
_TEXT: Final = "\x1f\x1f\x1f"


def seen_mark(message: BookingMessage) -> tuple[str, str]:
    """Return the mark that tells whether a message was appended before: its name, and its value then."""
    if message.source:
        return identity_of(message), content_hash(message)
    return f"{_NEWEST_OF}{message.booking_id}", message.message_id


class BookingStream:
    """The stream of booking messages, as the worker and the command line append to it."""

    def __init__(self, redis: Redis, stream: str) -> None:
        self._redis = redis
        self._stream = stream
        self._append = redis.register_script(APPEND_ONCE_SCRIPT)
        self._mark = redis.register_script(_APPEND_AND_MARK)

    def append(self, text: str, message: BookingMessage) -> str:
        """Append a message, whether it was appended before or not; return its entry's id. Atomic.

        PINs and guests' contacts are taken out before. Raises NotOnReplicas where it is appended, but may be lost in a
        failover; so does `append_delivered`.
        """
        step = begin_step(self._redis)
        text = without_secrets(text)
        name, value = seen_mark(message)
        entry_id = self._append_and_mark({BOOKING_FIELD: text}, name, value)
        wait_for_replicas(self._redis, step)
        return entry_id

    def append_delivered(self, text: str, *, is_redelivered: bool, beside: Mapping[str, object] | None = None) -> bool:
        """Append what a broker delivered; say whether it was new. Atomic.

        `beside` is what stood beside the message. Where that says that it cancels, or isn't known, and the message
        itself is a booking, it is appended with that, and the worker that takes it decides.

        Only what the broker delivers again, or an earlier call failed for, can be a repeat (`is_redelivered`). The same
        message sent again by a booking system is appended: what was parked may be mended by now. What is no message is
        appended, and parked by the worker that takes it. PINs and guests' contacts are taken out before.
        """
        step = begin_step(self._redis)
        text = without_secrets(text)
        message: BookingMessage | None
        try:
            message = parse_booking_message(text)
        except InvalidMessage:
            message = None
        found = outer_type(beside or {})
        if message is None or (found is not None and contradicts(found, message)):
            is_new = self._append_for_parking(
                {BOOKING_FIELD: text} | ({found.field: found.said} if found else {}), is_redelivered=is_redelivered
            )
            wait_for_replicas(self._redis, step)
            return is_new
        if not is_redelivered:
            self.append(text, message)
            return True
        name, value = seen_mark(message)
        keys = [self._stream, redis_keys.seen(self._stream, name)]
        is_new = bool(self._append(keys=keys, args=[_SEEN_FOR, BOOKING_FIELD, "", text, value]) == "1")
        # Also for a repeat: what it repeats may be on no replica yet.
        wait_for_replicas(self._redis, step)
        return is_new

    def _append_for_parking(self, entry: Mapping[str, str], *, is_redelivered: bool) -> bool:
        """Append what is no message, or contradicts what stands beside it; say whether it was new."""
        digest = sha256("\n".join(f"{name}={value}" for name, value in entry.items()).encode()).hexdigest()
        name = f"{_TEXT}{digest}"
        if is_redelivered and self._redis.exists(redis_keys.seen(self._stream, name)):
            return False
        self._append_and_mark(entry, name, "1")
        return True

    def _append_and_mark(self, entry: Mapping[str, str], name: str, value: str) -> str:
        """Append an entry with its mark, and return the entry's id. Atomic: one that fails leaves no mark."""
        fields = [part for field in entry.items() for part in field]
        keys = [self._stream, redis_keys.seen(self._stream, name)]
        return str(self._mark(keys=keys, args=[_SEEN_FOR, value, *fields]))
