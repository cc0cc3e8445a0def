"""Alerts in Redis: one record a key; its group is in the due-set while there is something to tell or to wait for."""

from collections.abc import Callable, Iterable, Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, cast

from redis import Redis
from redis.client import Pipeline

from shared import redis_keys
from shared.clock import Clock
from shared.domain.alerting.alert import Alert, heard
from shared.domain.alerting.causes import Cause, raised, resolved
from shared.domain.alerting.grouping import group_of
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.booking.record import AlertNotice
from shared.ledger.alert_groups import AlertGroups
from shared.ledger.due_set import DueSet, alert_item
from shared.ledger.records import RecordStore, Stored, Write


class AlertLedger:
    """Alerts and who has been told of them. Every write is atomic for its alert."""

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

    def tell(self, notice: AlertNotice) -> None:
        """Take a notice in. Telling the same twice changes a count, nothing that people see."""
        now = self._clock()
        # A machine whose clock is ahead must not put off what it tells.
        notice = replace(notice, at=min(notice.at, now))
        group = group_of(notice, self.policy.routing.place_of(notice))
        level = self.policy.severity(notice, now)
        self.change(notice.key, lambda before: heard(before, notice, group=group, level=level))

    def tell_change(self, notice: AlertNotice) -> bool:
        """Raise or resolve what the notice says, unless it already is so. Returns whether anything changed.

        Two callers at once may both tell it: the alert then counts one more.
        """
        known = self.get(notice.key)
        is_change = notice.raised != (known is not None and known.is_open)
        if is_change:
            self.tell(notice)
        return is_change

    def tell_cause(self, cause: Cause) -> Alert | None:
        """Take in what is told of one cause that hits many. Telling the same twice changes nothing."""
        group = group_of(cause.notice, self.policy.routing.place_of(cause.notice))
        level = self.policy.severity(cause.notice, self._clock())
        return self.change(cause.notice.key, lambda before: raised(before, cause, group=group, level=level))

    def resolve(self, key: str, *, solved: str = "") -> Alert | None:
        """Record that the alert's problem is gone, and how that came; nothing changes where it is not open."""
        return self.change(key, lambda before: resolved(before, self._clock(), solved=solved))

    def update(self, key: str, change: Callable[[Alert], Alert]) -> Alert | None:
        """Change the alert as it stands now; return what was written, None where there is none."""
        return self.change(key, lambda before: change(before) if before is not None else None)

    def get(self, key: str) -> Alert | None:
        """Return the alert, None where there is none."""
        return self._records.load(redis_keys.alert_record(key)).record

    def get_many(self, keys: Iterable[str]) -> dict[str, Alert]:
        """Return those of the alerts that there are, by key, in one round trip. Raises OfNewerVersion."""
        return self._many(keys, passes_over_newer=False)

    def all(self) -> Iterator[Alert]:
        """Yield every alert that is kept and can be read here, the oldest change first."""
        over = (self._clock() - self._retention).timestamp()
        if gone := [str(key) for key in cast(Any, self._redis.zrange(redis_keys.ALERTS, "-inf", over, byscore=True))]:
            self._redis.zrem(redis_keys.ALERTS_OPEN, *gone)
            self._redis.zrem(redis_keys.ALERTS, *gone)
        keys = cast(Any, self._redis.zrange(redis_keys.ALERTS, 0, -1))
        yield from self._many((str(key) for key in keys), passes_over_newer=True).values()

    def open(self) -> list[Alert]:
        """Return every open alert that can be read here, the oldest first."""
        keys = [str(key) for key in cast(Any, self._redis.zrange(redis_keys.ALERTS_OPEN, 0, -1))]
        found = self._many(keys, passes_over_newer=True)
        return [found[key] for key in keys if key in found and found[key].is_open]

    def open_among(self, keys: Iterable[str]) -> list[Alert]:
        """Return those of the alerts that are open and can be read here. Only what the index has is read."""
        names = list(dict.fromkeys(keys))
        found = cast(Any, self._redis.zmscore(redis_keys.ALERTS_OPEN, names)) if names else []
        indexed = [key for key, opened_at in zip(names, found, strict=True) if opened_at is not None]
        if not indexed:
            return []
        return [alert for alert in self._many(indexed, passes_over_newer=True).values() if alert.is_open]

    def count_open(self) -> int:
        """Return how many alerts are open, by their index alone: none of them is read."""
        return int(cast(Any, self._redis.zcard(redis_keys.ALERTS_OPEN)))

    def latest(self, most: int) -> list[Alert]:
        """Return the alerts that changed last, the latest first."""
        keys = cast(Any, self._redis.zrange(redis_keys.ALERTS, 0, most - 1, desc=True))
        return list(self._many((str(key) for key in keys), passes_over_newer=True).values())

    def index_open(self) -> int:
        """Note which alerts are open, for those that an older version wrote; return how many are. Idempotent."""
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
        """Change the alert as it stands now, None where there is none; return what was written.

        A change to None, or to the very same, writes nothing.
        """
        look_at: datetime | None = None

        def changed(stored: Stored[Alert]) -> Write[Alert] | None:
            nonlocal look_at
            look_at, after, now = None, change(stored.record), self._clock()
            if after is None or after is stored.record:
                return None
            look_at = self._look_at(stored.record, after, now)

            def net(pipeline: Pipeline) -> None:
                # First the place in the due-set: a kill after this is a look too many, not a lost alert.
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
        """Have groups looked at by then."""
        self._due.advance([alert_item(group) for group in groups], at)

    def _look_at(self, before: Alert | None, after: Alert, now: datetime) -> datetime | None:
        """Return when the group must be looked at for this change; None where it makes no difference to it."""
        if before is None or before.sequence != after.sequence:
            return max(now, after.news_at + self.policy.window(after.severity))
        if before.look != after.look:
            return now
        times = (before.notice.check_in, before.notice.check_out)
        return None if times == (after.notice.check_in, after.notice.check_out) else now

    def _announce(self, alert: Alert, at: datetime, pipeline: Pipeline) -> None:
        """Queue: note in the group that the alert changed, and have the group looked at by then."""
        self.groups.join(alert.group, alert.key, pipeline=pipeline)
        self._due.advance([alert_item(alert.group)], at, pipeline=pipeline)
