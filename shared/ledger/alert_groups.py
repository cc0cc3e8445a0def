"""Groups of alerts in Redis: which alerts are in a group, and which notifications of it are not finished."""

from collections.abc import Callable, Iterable, Mapping
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from redis import Redis
from redis.client import Pipeline

from shared import redis_keys
from shared.clock import Clock
from shared.domain.alerting.notifications import Group
from shared.ledger.due_set import DueSet, alert_item
from shared.ledger.records import RecordStore, Stored, Write

_LEAVE: Final = (Path(__file__).parent / "leave_group.lua").read_text(encoding="utf-8")


class AlertGroups:
    """Reads and writes groups. A member's number grows with each of its changes, so that none is overlooked."""

    def __init__(self, redis: Redis, *, due: DueSet, clock: Clock, retention: timedelta) -> None:
        self._redis = redis
        self._due = due
        self._clock = clock
        self._retention = retention
        self._records = RecordStore(redis, Group)
        self._leave = redis.register_script(_LEAVE)

    def join(self, group: str, key: str, *, pipeline: Pipeline) -> None:
        """Queue on `pipeline`: the alert of this key belongs to the group, and has changed."""
        members = redis_keys.alert_group_members(group)
        pipeline.hincrby(members, key, 1)
        pipeline.expire(members, self._retention)

    def members(self, group: str) -> dict[str, int]:
        """Return the keys of the group's alerts, with their numbers."""
        found = cast(Any, self._redis.hgetall(redis_keys.alert_group_members(group)))
        return {str(key): int(number) for key, number in found.items()}

    def leave(self, group: str, members: Mapping[str, int]) -> None:
        """Take those alerts out of the group that still have these numbers: they haven't changed. Atomic."""
        if members:
            args = [part for member in members.items() for part in member]
            self._leave(keys=[redis_keys.alert_group_members(group)], args=args)

    def load(self, group: str) -> tuple[Group, int]:
        """Return the group's notifications, and the version that `save` needs."""
        stored = self._records.load(redis_keys.alert_group_record(group))
        return stored.record or Group(), stored.version

    def load_many(self, groups: Iterable[str]) -> dict[str, Group]:
        """Return the notifications of each of these groups."""
        names = list(groups)
        found = self._records.load_many([redis_keys.alert_group_record(name) for name in names], passes_over_newer=True)
        return {name: record for name, record in zip(names, found, strict=True) if record is not None}

    def save(self, group: str, state: Group, *, version: int) -> None:
        """Write the group. Raises Conflict if another process wrote it since `version`."""
        self._records.save(redis_keys.alert_group_record(group), self._write(state), version=version)

    def update(self, group: str, change: Callable[[Group], Group]) -> Group:
        """Apply `change` to the group as it is now. Atomic. Raises Conflict if other writers were first too often."""

        def changed(stored: Stored[Group]) -> Write[Group] | None:
            before = stored.record or Group()
            after = change(before)
            return self._write(after) if after != before else None

        return self._records.update(redis_keys.alert_group_record(group), changed).record or Group()

    def _write(self, state: Group) -> Write[Group]:
        return Write(record=state, expires_at=self._clock() + self._retention)

    def reschedule(self, group: str, until: datetime | None, *, seen: dict[str, int]) -> None:
        """Put the group at its next time; None takes it out of the due-set.

        `seen` are the members and numbers that the caller has dealt with. If a member has changed since, the group
        stays due, so that the change isn't missed.
        """
        self._due.set([(alert_item(group), until)])
        if self.members(group) != seen:
            self._due.advance([alert_item(group)], self._clock())
