"""How the processes stand, by their signs of life: which live, which are missing, how often they started again."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.ledger.processes import SeenProcess

WEB: Final = "web"
WORKER: Final = "worker"
BEAT: Final = "beat"
CONSOLE: Final = "console"
# As in the Procfile.
PROCESSES: Final = (WEB, WORKER, BEAT, CONSOLE)
SIGN_EVERY: Final = timedelta(seconds=5)
# Three signs that didn't come, and a little: a moment's hiccup of the data server is no death.
DEAD_AFTER: Final = timedelta(seconds=20)
_LATELY: Final = timedelta(hours=1)
# A start is told by the process's own clock, an end by that of the data server.
_CLOCKS_DIFFER_BY: Final = timedelta(seconds=30)


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessGroup:
    """All processes of one name. `silent_for` is that of the latest sign of any of them; None where none gave one.

    `restarts` are starts of the last hour that took the place of a process that ended in it. `worked_at` is when one
    of them last did its work although none gave signs any more; None where nothing tells of that.
    """

    process: str
    alive: tuple[SeenProcess, ...]
    silent_for: timedelta | None
    restarts: int
    worked_at: datetime | None = None

    @property
    def is_unknown(self) -> bool:
        """Whether one works that gives no signs of life, as before 0.2.0: whether it lives now isn't known."""
        return not self.alive and self.worked_at is not None

    @property
    def is_missing(self) -> bool:
        """Whether there was one, and none lives now."""
        return self.silent_for is not None and not self.alive and not self.is_unknown


def is_alive(seen: SeenProcess) -> bool:
    """Say whether a process gave its last sign of life a moment ago."""
    return seen.silent_for <= DEAD_AFTER


def groups_of(
    seen: Iterable[SeenProcess], now: datetime, *, webhook_at: datetime | None = None
) -> tuple[ProcessGroup, ...]:
    """Return how the processes of each name stand, those of the Procfile first and in its order.

    `webhook_at` is when a webhook brought an event last: `web` alone takes them.
    """
    worked = {WEB: webhook_at} if webhook_at is not None else {}
    found = list(seen)
    others = sorted({each.identity.process for each in found}.difference(PROCESSES))
    of_name = {name: [it for it in found if it.identity.process == name] for name in (*PROCESSES, *others)}
    return tuple(_group(name, those, worked, now) for name, those in of_name.items())


def _group(name: str, seen: list[SeenProcess], worked: Mapping[str, datetime], now: datetime) -> ProcessGroup:
    silent_for = min((it.silent_for for it in seen), default=None)
    worked_at = worked.get(name)
    # What was done up to a moment after the last sign, the process that gave it did.
    if worked_at is not None and silent_for is not None and worked_at <= now - silent_for + DEAD_AFTER:
        worked_at = None
    return ProcessGroup(
        process=name,
        alive=tuple(filter(is_alive, seen)),
        silent_for=silent_for,
        restarts=_restarts(seen, now),
        worked_at=worked_at,
    )


def _restarts(seen: list[SeenProcess], now: datetime) -> int:
    """Count the starts of the last hour before which another process ended, one end for each start."""
    ended = sorted((it for it in seen if not is_alive(it) and it.silent_for <= _LATELY), key=lambda it: -it.silent_for)
    started = sorted(
        (it for it in seen if now - it.identity.started_at <= _LATELY), key=lambda it: it.identity.started_at
    )
    restarts = 0
    for start in started:
        before = start.identity.started_at + _CLOCKS_DIFFER_BY
        end = next((it for it in ended if it is not start and now - it.silent_for <= before), None)
        if end is not None:
            ended.remove(end)
            restarts += 1
    return restarts
