"""What is kept of a channel: its budget of messages, and where its conversations stand."""

from datetime import datetime, timedelta
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.domain.alerting.budget import Budget, Rate, spend
from shared.ledger.records import Conflict, RecordStore

_BUDGET_FOR: Final = timedelta(days=1)
_MOST_CONFLICTS: Final = 50


class ChannelBudgets:
    """Counts messages a channel, for all workers together."""

    def __init__(self, redis: Redis, *, rate: Rate) -> None:
        self._records = RecordStore(redis, Budget)
        self._rate = rate

    def spend(self, channel: str, now: datetime, *, at_any_price: bool) -> datetime | None:
        """Take one message out of the channel's budget; return when to come again where there is none left."""
        key = redis_keys.alert_channel_budget(channel)
        for _ in range(_MOST_CONFLICTS):
            before, version = self._records.load(key)
            after, again_at = spend(before, self._rate, now, at_any_price=at_any_price)
            if again_at is not None:
                return again_at
            try:
                self._records.save(key, after, version=version, expires_at=now + _BUDGET_FOR)
            except Conflict:
                continue
            return None
        return None


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
