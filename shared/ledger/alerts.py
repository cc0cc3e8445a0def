"""Alerts in Redis: one record for each key. A group is in the due-set while it has something to tell or to wait for."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis
from redis.client import Pipeline

from shared import redis_keys
from shared.clock import Clock
from shared.domain.alerting.alert import Alert, record_notice
from shared.domain.alerting.causes import Cause, raise_cause, resolve_cause, supersede_cause
from shared.domain.alerting.grouping import group_of
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.booking.record import AlertNotice
from shared.ledger.alert_groups import AlertGroups
from shared.ledger.due_set import DueSet, alert_item
from shared.ledger.records import RecordStore, Stored, Write


class AlertLedger:
    """Stores alerts, and which channels were told of them. Every write is atomic for its alert."""

    def __init__(
        self,
        redis: Redis,
        *,
        due: DueSet,
        clock: Clock,
        retention: timedelta,
        policy: AlertPolicy | None = None,
        remembered: int = 0,
    ) -> None:
        """Keep alerts in `redis`; `remembered` is how many records stay parsed (`shared.ledger.records`)."""
        self._redis = redis
        self._due = due
        self._clock = clock
        self._retention = retention
        self._records = RecordStore(redis, Alert, remembered=remembered)
        self.policy = policy or AlertPolicy()
        self.groups = AlertGroups(redis, due=due, clock=clock, retention=retention)

    def record_notice(self, notice: AlertNotice) -> None:
        """Raise or resolve an alert by a notice. The same notice again changes a count, and nothing that people see."""
        now = self._clock()
        # If this machine's clock is ahead, the alert must not be told later for that.
        notice = replace(notice, at=min(notice.at, now))
        group = group_of(notice, self.policy.routing.place_of(notice))
        level = self.policy.severity(notice, now)
        self.change(notice.key, lambda before: record_notice(before, notice, group=group, level=level))

    def record_change(self, notice: AlertNotice) -> bool:
        """Raise or resolve an alert by a notice, unless it already is as the notice says. Returns whether it changed.

        If two callers do this at once, the alert counts one more.
        """
        known = self.get(notice.key)
        is_change = notice.raised != (known is not None and known.is_open)
        if is_change:
            self.record_notice(notice)
        return is_change

    def record_cause(self, cause: Cause) -> Alert | None:
        """Raise, change or resolve the one alert of a cause that affects many bookings. Idempotent."""
        group = group_of(cause.notice, self.policy.routing.place_of(cause.notice))
        level = self.policy.severity(cause.notice, self._clock())
        return self.change(cause.notice.key, lambda before: raise_cause(before, cause, group=group, level=level))

    def resolve(self, key: str, *, solved: str = "") -> Alert | None:
        """Record that the alert's problem is gone; `solved` says how. Idempotent: an alert that isn't open stays so."""
        return self.change(key, lambda before: resolve_cause(before, self._clock(), solved=solved))

    def supersede(self, key: str, *, goes_on_in: str) -> Alert | None:
        """Record that an open alert ended while its problem goes on; `goes_on_in` says which alert tells of it now."""
        return self.change(key, lambda before: supersede_cause(before, self._clock(), goes_on_in=goes_on_in))

    def update(self, key: str, change: Callable[[Alert], Alert]) -> Alert | None:
        """Apply `change` to the alert as it is now. Returns what was written; None if there is no such alert."""
        return self.change(key, lambda before: change(before) if before is not None else None)

    def get(self, key: str) -> Alert | None:
        """Return the alert; None if there is none."""
        return self._records.load(redis_keys.alert_record(key)).record

    def get_many(self, keys: Iterable[str]) -> dict[str, Alert]:
        """Return the alerts of these keys that exist, by key, in one round trip.

        Raises NewerVersionNeeded if only a newer process can read one of them.
        """
        return self._many(keys, passes_over_newer=False)

    def all(self) -> Iterator[Alert]:
        """Yield every stored alert that this version can read, the least recently changed first."""
        over = (self._clock() - self._retention).timestamp()
        if gone := [str(key) for key in cast(Any, self._redis.zrange(redis_keys.ALERTS, "-inf", over, byscore=True))]:
            self._redis.zrem(redis_keys.ALERTS_OPEN, *gone)
            self._redis.zrem(redis_keys.ALERTS, *gone)
        keys = cast(Any, self._redis.zrange(redis_keys.ALERTS, 0, -1))
        yield from self._many((str(key) for key in keys), passes_over_newer=True).values()

    def open(self) -> list[Alert]:
        """Return every open alert that this version can read, the oldest first."""
        keys = [str(key) for key in cast(Any, self._redis.zrange(redis_keys.ALERTS_OPEN, 0, -1))]
        found = self._many(keys, passes_over_newer=True)
        return [found[key] for key in keys if key in found and found[key].is_open]

    def open_among(self, keys: Iterable[str]) -> list[Alert]:
        """Return the alerts of these keys that are open and that this version can read. Others aren't fetched."""
        names = list(dict.fromkeys(keys))
        found = cast(Any, self._redis.zmscore(redis_keys.ALERTS_OPEN, names)) if names else []
        indexed = [key for key, opened_at in zip(names, found, strict=True) if opened_at is not None]
        if not indexed:
            return []
        return [alert for alert in self._many(indexed, passes_over_newer=True).values() if alert.is_open]

    def count_open(self) -> int:
        """Return how many alerts are open, by the index: no alert is read."""
        return int(cast(Any, self._redis.zcard(redis_keys.ALERTS_OPEN)))

    def latest(self, most: int) -> list[Alert]:
        """Return the alerts that changed last, the latest first."""
        keys = cast(Any, self._redis.zrange(redis_keys.ALERTS, 0, most - 1, desc=True))
        return list(self._many((str(key) for key in keys), passes_over_newer=True).values())

    def index_open(self) -> int:
        """Index the open alerts, also those that an older version wrote without the index.

        Returns how many are open. Idempotent.
        """
        places = {alert.key: alert.opened_at.timestamp() for alert in self.all() if alert.is_open}
        if places:
            self._redis.zadd(redis_keys.ALERTS_OPEN, places)
        return len(places)

    def changed_since(self, moment: float) -> list[tuple[str, float]]:
        """Return the keys of alerts that changed after this moment (epoch seconds), with when."""
        found = cast(Any, self._redis.zrange(redis_keys.ALERTS, f"({moment!r}", "+inf", byscore=True, withscores=True))
        return [(str(key), float(at)) for key, at in found]

    def _many(self, keys: Iterable[str], *, passes_over_newer: bool) -> dict[str, Alert]:
        names = [redis_keys.alert_record(key) for key in keys]
        found = self._records.load_many(names, passes_over_newer=passes_over_newer)
        return {alert.key: alert for alert in found if alert is not None}

    def change(self, key: str, change: Callable[[Alert | None], Alert | None]) -> Alert | None:
        """Apply `change` to the alert as it is now (None: there is none), atomically. Returns what was written.

        If `change` returns None or the same alert, nothing is written.
        """
        look_at: datetime | None = None

        def changed(stored: Stored[Alert]) -> Write[Alert] | None:
            nonlocal look_at
            look_at, after, now = None, change(stored.record), self._clock()
            if after is None or after is stored.record:
                return None
            look_at = self._look_at(stored.record, after, now)

            def net(pipeline: Pipeline) -> None:
                # The due-set is written first: a kill after it costs one look too many, and no alert is lost.
                pipeline.zadd(redis_keys.ALERTS, {key: now.timestamp()})
                if look_at is not None:
                    self._announce(after, max(look_at, now + self._due.lease), pipeline)

            opened_at = after.opened_at.timestamp() if after.is_open else None
            return Write(
                record=after,
                expires_at=now + self._retention,
                places=[(redis_keys.ALERTS_OPEN, key, opened_at)],
                together_with=net,
            )

        after = self._records.update(redis_keys.alert_record(key), changed).record
        if after is not None and look_at is not None:
            pipeline = self._redis.pipeline(transaction=False)
            self._announce(after, look_at, pipeline)
            pipeline.execute()
        return after

    def wake(self, groups: Iterable[str], at: datetime) -> None:
        """Make these groups due at `at` at the latest."""
        self._due.advance([alert_item(group) for group in groups], at)

    def _look_at(self, before: Alert | None, after: Alert, now: datetime) -> datetime | None:
        """Return when the group must be looked at for this change; None if the change doesn't concern the group."""
        if before is None or before.sequence != after.sequence:
            return max(now, after.news_at + self.policy.window(after.severity))
        if before.look != after.look:
            return now
        times = (before.notice.check_in, before.notice.check_out)
        return None if times == (after.notice.check_in, after.notice.check_out) else now

    def _announce(self, alert: Alert, at: datetime, pipeline: Pipeline) -> None:
        """Queue on `pipeline`: the alert changed in its group, and the group is due at `at` at the latest."""
        self.groups.join(alert.group, alert.key, pipeline=pipeline)
        self._due.advance([alert_item(alert.group)], at, pipeline=pipeline)
