"""The issues of each door and connected account, as Seam showed them at the last reading. Kept longer than the cache.

The alerts of doors and accounts, the list of arrivals and the inhibition of alerts read them here, and don't ask Seam.
Issues are stored in Seam's own words, shortened, so that a process of another version reads what it knows of them.
"""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final, cast

from redis import Redis
from redis.client import Pipeline

from shared import redis_keys
from shared.clock import Clock
from shared.domain.alerting.door_problems import KnownIssues
from shared.domain.door.issues import Issue, account_id_of, as_seam_writes, issues_of_account, issues_of_device

_ACCOUNT: Final = "connected_account_id"
_UNREADABLE: Final = "unreadable"


@dataclass(frozen=True, slots=True)
class KnownAccount:
    """A connected account at its last reading. `unreadable` says why Seam didn't show it; empty if Seam did."""

    issues: tuple[Issue, ...] = ()
    unreadable: str = ""


class DoorIssues:
    """Stores the issues of doors and accounts, by their ids."""

    def __init__(self, redis: Redis, *, clock: Clock, retention: timedelta) -> None:
        self._redis = redis
        self._clock = clock
        self._retention = retention

    def remember_door(self, pipeline: Pipeline, device_id: str, issues: Iterable[Issue], account_id: str) -> str:
        """Queue on `pipeline`: store a door's issues; return their JSON. The last answer is the JSON of before."""
        now = self._clock()
        if account_id:
            doors = redis_keys.account_doors(account_id)
            pipeline.zadd(doors, {device_id: now.timestamp()})
            pipeline.pexpire(doors, self._retention)
        text = json.dumps({_ACCOUNT: account_id, **as_seam_writes(issues)})
        pipeline.set(redis_keys.door_issues(device_id), text, px=self._retention, get=True)
        return text

    def remember_account(self, account_id: str, account: KnownAccount) -> None:
        """Store what Seam says of an account. Idempotent."""
        text = json.dumps({_UNREADABLE: account.unreadable, **as_seam_writes(account.issues)})
        self._redis.set(redis_keys.account_issues(account_id), text, px=self._retention)

    def of_doors(self, device_ids: Iterable[str]) -> dict[str, KnownIssues]:
        """Return the issues of each of these doors and of its account. A door that was never read is left out."""
        names = list(dict.fromkeys(device_ids))
        doors = {
            device_id: content
            for device_id, content in zip(names, self._objects(map(redis_keys.door_issues, names)), strict=True)
            if content is not None
        }
        accounts = self.of_accounts({account_id_of(content) for content in doors.values()} - {""})
        return {
            device_id: KnownIssues(
                of_door=issues_of_device(content),
                of_account=accounts.get(account_id_of(content), KnownAccount()).issues,
                account_id=account_id_of(content),
            )
            for device_id, content in doors.items()
        }

    def of_accounts(self, account_ids: Iterable[str]) -> dict[str, KnownAccount]:
        """Return what is known of each of these accounts. An account that was never read is left out."""
        names = list(dict.fromkeys(account_ids))
        found = self._objects(map(redis_keys.account_issues, names))
        return {
            account_id: KnownAccount(issues_of_account(content), str(content.get(_UNREADABLE) or ""))
            for account_id, content in zip(names, found, strict=True)
            if content is not None
        }

    def doors_of_account(self, account_id: str) -> list[str]:
        """Return the account's doors that were read within RETENTION; some may belong to another account by now."""
        key = redis_keys.account_doors(account_id)
        self._redis.zremrangebyscore(key, "-inf", (self._clock() - self._retention).timestamp())
        return [str(each) for each in cast(Any, self._redis.zrange(key, 0, -1))]

    def _objects(self, keys: Iterable[str]) -> list[Mapping[str, Any] | None]:
        pipeline = self._redis.pipeline(transaction=False)
        for key in keys:
            pipeline.get(key)
        return [_object(text) for text in pipeline.execute()]


def _object(text: str | None) -> Mapping[str, Any] | None:
    content = json.loads(text) if text is not None else None
    return content if isinstance(content, dict) else None
