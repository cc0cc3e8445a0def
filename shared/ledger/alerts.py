"""Alerts in Redis: one record a key, in the due-set while a channel is behind."""

from collections.abc import Callable, Iterator
from datetime import datetime, timedelta
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.clock import Clock
from shared.domain.alerts import Alert, due_at, heard
from shared.domain.records import AlertNotice
from shared.ledger.due import DueSet, alert_item
from shared.ledger.records import Conflict, RecordStore

_MOST_CONFLICTS: Final = 50


class AlertLedger:
    """Alerts and who has been told of them. Every write is atomic for its alert."""

    def __init__(
        self,
        redis: Redis,
        *,
        due: DueSet,
        clock: Clock,
        retention: timedelta,
        channels: tuple[str, ...],
    ) -> None:
        self._redis = redis
        self._due = due
        self._clock = clock
        self._retention = retention
        self._channels = channels
        self._records = RecordStore(redis, Alert)

    def tell(self, notice: AlertNotice) -> None:
        """Take a notice in. Telling the same twice changes a count, nothing that people see."""
        self._change(notice.key, lambda before: heard(before, notice))

    def update(self, key: str, change: Callable[[Alert], Alert]) -> Alert | None:
        """Change the alert as it stands now; return what was written, None where there is none."""
        return self._change(key, lambda before: change(before) if before is not None else None)

    def get(self, key: str) -> Alert | None:
        """Return the alert, None where there is none."""
        return self._records.load(redis_keys.alert_record(key))[0]

    def all(self) -> Iterator[Alert]:
        """Yield every alert that is kept, the oldest change first."""
        self._redis.zremrangebyscore(redis_keys.ALERTS, "-inf", (self._clock() - self._retention).timestamp())
        keys = cast(Any, self._redis.zrange(redis_keys.ALERTS, 0, -1))
        found = self._records.load_many([redis_keys.alert_record(str(key)) for key in keys])
        yield from (alert for alert in found if alert is not None)

    def _change(self, key: str, change: Callable[[Alert | None], Alert | None]) -> Alert | None:
        record_key = redis_keys.alert_record(key)
        for _ in range(_MOST_CONFLICTS):
            before, version = self._records.load(record_key)
            after = change(before)
            if after is None:
                return None
            now = self._clock()
            # First the place in the due-set: a kill between this and the record is a look too many, not a lost alert.
            self._due.hold([alert_item(key)], now)
            try:
                self._save(record_key, after, version, now)
            except Conflict:
                continue
            self._redis.zadd(redis_keys.ALERTS, {key: now.timestamp()})
            self._due.set([(alert_item(key), due_at(after, self._channels, now))])
            return after
        raise Conflict(key)

    def _save(self, record_key: str, alert: Alert, version: int, now: datetime) -> None:
        self._records.save(record_key, alert, version=version, expires_at=now + self._retention)
