"""What is kept of a channel: its budget of messages, and where its conversations stand."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.domain.alerting.budget import Budget, Rate, spend
from shared.ledger.records import Conflict, RecordStore, Stored, Write

_BUDGET_FOR: Final = timedelta(days=1)


class ChannelBudgets:
    """Counts messages a channel, for all workers together."""

    def __init__(self, redis: Redis, *, rate: Rate) -> None:
        self._records = RecordStore(redis, Budget)
        self._rate = rate

    def spend(self, channel: str, now: datetime, *, at_any_price: bool) -> datetime | None:
        """Take one message out of the channel's budget; return when to come again where there is none left."""
        again_at: datetime | None = None

        def spent(stored: Stored[Budget]) -> Write[Budget] | None:
            nonlocal again_at
            after, again_at = spend(stored.record, self._rate, now, at_any_price=at_any_price)
            return Write(record=after, expires_at=now + _BUDGET_FOR) if again_at is None else None

        # Too many others at once: the message goes out uncounted, because a budget must not hold up an alert.
        with suppress(Conflict):
            self._records.update(redis_keys.alert_channel_budget(channel), spent)
        return again_at


class Conversations:
    """Remembers the message that a channel's conversation began with, so that it can be answered and changed."""

    def __init__(self, redis: Redis, *, keep_for: timedelta) -> None:
        self._redis = redis
        self._keep_for = keep_for

    def get(self, channel: str, conversation: str) -> str | None:
        """Return what the channel calls the conversation's first message, None where there is none."""
        found: str | None = cast(Any, self._redis.get(redis_keys.alert_conversation(channel, conversation)))
        return found

    def keep(self, channel: str, conversation: str, reference: str) -> None:
        """Remember the conversation's first message."""
        self._redis.set(redis_keys.alert_conversation(channel, conversation), reference, ex=self._keep_for)

    def end(self, channel: str, conversation: str) -> None:
        """Forget the conversation: what comes next begins a new one."""
        self._redis.delete(redis_keys.alert_conversation(channel, conversation))
