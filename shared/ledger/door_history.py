"""The newest changes of each door, each with its time. They are kept for as long as the door is read.

A process that reads a door from Seam and finds it changed (`shared.seam.doors`) stores the change and the door's new
fingerprint in one atomic step. So a change is stored once, even if several workers see it, or one is killed.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any, Final, cast

from redis import Redis
from redis.client import Pipeline

from shared import redis_keys

MOST_CHANGES: Final = 100
_NOTE: Final = (Path(__file__).parent / "note_door.lua").read_text(encoding="utf-8")


@dataclass(frozen=True, slots=True)
class DoorChange:
    """One change: when it was noticed, and what was changed, one sentence for each field."""

    at: datetime
    what: tuple[str, ...]


def note_door(pipeline: Pipeline, device_id: str, fingerprint: str, change: DoorChange, *, keep_for: timedelta) -> None:
    """Queue on `pipeline`: store the door's fingerprint, and the change if it differs. Answers the old fingerprint."""
    entry = json.dumps({"at": change.at.isoformat(), "what": list(change.what)})
    life = int(keep_for / timedelta(milliseconds=1))
    keys = redis_keys.door_fingerprint(device_id), redis_keys.door_history(device_id)
    pipeline.eval(_NOTE, len(keys), *keys, fingerprint, entry, str(MOST_CHANGES), str(life))


class DoorHistory:
    """Reads the changes of doors."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis

    def of(self, device_id: str) -> list[DoorChange]:
        """Return the door's changes, the newest first."""
        found = cast(Any, self._redis.lrange(redis_keys.door_history(device_id), 0, MOST_CHANGES - 1))
        entries = map(json.loads, found)
        return [DoorChange(datetime.fromisoformat(each["at"]), tuple(each["what"])) for each in entries]
