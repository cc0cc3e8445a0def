"""What `GET /api/health` answers and the health page shows: values alone."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from receiver.console.views.health_history import ReadinessChart, SeamHealth


@dataclass(frozen=True, slots=True, kw_only=True)
class HealthFinding:
    """One thing to look at. `page` is the address that shows it; an address of `#` is a part of the health page.

    `is_urgent` says that codes or doors suffer now; the rest can wait until morning.
    """

    text: str
    page: str
    is_urgent: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class StreamRow:
    """A stream: how many entries no worker has read (`waiting`), how many are in hand, and since when.

    `oldest_at` is when the oldest of all was appended, `oldest_waiting_at` that of those that wait.
    """

    stream: str
    waiting: int
    in_hand: int
    oldest_at: datetime | None
    oldest_waiting_at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AliveProcess:
    """One process that gave a sign of life a moment ago."""

    host: str
    pid: int
    version: str
    started_at: datetime
    silent_seconds: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessRow:
    """The processes of one name: which live, when the last sign of any was, how often they started again in an hour.

    `last_sign_at` is None where none gave one within a week: then they are `not seen`. They are `unknown` where one of
    an older version, which gives no signs, did its work at `worked_at`.
    """

    process: str
    state: Literal["alive", "unknown", "not alive", "not seen"]
    worked_at: datetime | None
    alive: tuple[AliveProcess, ...]
    last_sign_at: datetime | None
    restarts_last_hour: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailedTriesRow:
    """Requests that `web` refused in the last hour for one reason, and when the last was."""

    reason: str
    count: int
    last_at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class BeatRow:
    """When something that happens again and again happened last."""

    name: str
    at: datetime
    seconds_ago: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Health:
    """How the system does. `overdue` are members of the due-set that nobody has taken for ten seconds.

    `ready_share` is the part of the arrivals of the next 24 hours that is ready; None where nobody comes. A message
    that was parked or refused, of a guest who comes then, counts as an arrival at risk. `findings` are what a person
    should look at, the urgent first; none where all is well. `webhook_at` is when a webhook brought an event last.
    """

    as_of: datetime
    findings: tuple[HealthFinding, ...] = ()
    webhook_at: datetime | None
    processes: tuple[ProcessRow, ...]
    streams: tuple[StreamRow, ...]
    beats: tuple[BeatRow, ...]
    auth_failures: tuple[FailedTriesRow, ...]
    due: int
    overdue: int
    parked: int
    alerts_open: int
    compared_until: datetime | None
    compared: int
    missed: int
    webhook_gap_since: datetime | None
    arrivals_24h: int
    ready_24h: int
    at_risk_24h: int
    ready_share: float | None
    states: dict[str, int]
    seam: SeamHealth
    readiness: ReadinessChart
