"""What is stored of an alert channel: its budget of messages, and the first message of each of its conversations."""

from contextlib import suppress
from datetime import datetime, timedelta
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.domain.alerting.budget import Budget, Priority, Rate, spend, without_place
from shared.ledger.records import Conflict, RecordStore, Stored, Write

_BUDGET_FOR: Final = timedelta(days=1)


class ChannelBudgets:
    """Limits how many messages a channel gets, and orders those that wait. All workers share one for each channel."""

    def __init__(self, redis: Redis, *, rate: Rate) -> None:
        self._records = RecordStore(redis, Budget)
        self._rate = rate

    def spend(self, channel: str, now: datetime, *, name: str, priority: Priority) -> datetime | None:
        """Take one message out of the channel's budget, atomically.

        Returns None if the message may be sent, else when to try again. `name` is that of the notification. It keeps
        its place under it among those that wait.
        """
        again_at: datetime | None = None

        def spent(stored: Stored[Budget]) -> Write[Budget]:
            nonlocal again_at
            after, again_at = spend(stored.record, self._rate, now, name=name, priority=priority)
            return Write(record=after, expires_at=now + _BUDGET_FOR)

        # Too many workers write the budget at once. The message is sent uncounted: a budget must not delay an alert.
        with suppress(Conflict):
            self._records.update(redis_keys.alert_channel_budget(channel), spent)
        return again_at

    def leave(self, channel: str, now: datetime, *, name: str) -> None:
        """Take the notification of this name out of those that wait: there is nothing to tell by it now. Idempotent."""

        def left(stored: Stored[Budget]) -> Write[Budget] | None:
            if stored.record is None:
                return None
            after = without_place(stored.record, name)
            return Write(record=after, expires_at=now + _BUDGET_FOR) if after is not stored.record else None

        # Its place ends by itself after some minutes.
        with suppress(Conflict):
            self._records.update(redis_keys.alert_channel_budget(channel), left)


class Conversations:
    """Remembers the first message of each conversation, so that later messages can answer or change it."""

    def __init__(self, redis: Redis, *, keep_for: timedelta) -> None:
        self._redis = redis
        self._keep_for = keep_for

    def get(self, channel: str, conversation: str) -> str | None:
        """Return the channel's own id of the conversation's first message; None if there is none."""
        found: str | None = cast(Any, self._redis.get(redis_keys.alert_conversation(channel, conversation)))
        return found

    def keep(self, channel: str, conversation: str, reference: str) -> None:
        """Store the channel's own id of the conversation's first message."""
        self._redis.set(redis_keys.alert_conversation(channel, conversation), reference, ex=self._keep_for)

    def end(self, channel: str, conversation: str) -> None:
        """Forget the conversation. The next message begins a new one."""
        self._redis.delete(redis_keys.alert_conversation(channel, conversation))
