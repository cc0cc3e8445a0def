"""Checks of what runs by itself: webhooks, periodic jobs, and arrivals that are ready in time."""

from collections.abc import Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from typing import Any, Final, cast

from shared import redis_keys
from shared.clock import system_clock
from shared.domain.alerting.arrivals import Arrival, Readiness
from shared.domain.times.wording import show_length
from shared.ledger.arrivals import LOOK_BACK, arrivals_between
from shared.ledger.reconciliation import Progress, ReconciliationLedger
from shared.ledger.work_for_newer_version import Stuck
from shared.settings import Settings
from shared.unapplied_messages import Unapplied, undated_text
from worker.cli.findings import Finding
from worker.cli.unapplied import unapplied_messages
from worker.handlers.check_arrivals import HORIZON
from worker.ports import Ports

_RECONCILE: Final = "reconcile"
_SHOWN: Final = (_RECONCILE, "check_arrivals")
# One comparison that failed, or came late, is made up for by the next.
_MISSED_TURNS: Final = 3
_SHORTEST_PATIENCE: Final = timedelta(minutes=15)
_GO_THROUGH: Final = "go through them with `oracode arrivals`"
_NONE: Final = Unapplied(())


def upkeep(settings: Settings, ports: Ports) -> Iterator[Finding]:
    """Yield what the ledgers know of it. Raises redis.RedisError."""
    now = system_clock()
    yield webhooks(ReconciliationLedger(ports.redis).load())
    runs: Mapping[str, str] = cast(Any, ports.redis.hgetall(redis_keys.PERIODIC_JOBS))
    yield from periodic_jobs(runs, now, reconcile_every=settings.reconcile_every)
    yield versions(ports.work_for_newer_version.stuck(), now)
    coming = arrivals_between(
        now - LOOK_BACK, now + HORIZON, now=now, ledger=ports.ledger, alerts=ports.alerts, issues=ports.issues
    )
    messages = unapplied_messages(ports).between(now - LOOK_BACK, now + HORIZON, now=now)
    yield arrivals(coming, messages)


def webhooks(progress: Progress) -> Finding:
    """Judge by Seam's own list of events what webhooks brought."""
    gap = progress.gap
    counted = f"{progress.compared} event(s) compared with Seam's list, {progress.missed} of them missed"
    if not gap.is_open or gap.since is None:
        return Finding("webhooks", "ok", counted if progress.cursor else "nothing was compared yet")
    return Finding(
        "webhooks",
        "bad",
        f"{gap.missed} event(s) came by none since {gap.since:%Y-%m-%d %H:%M} UTC; {counted}",
        "look at its address and secret in Seam's console, and for `webhook.rejected` in `web`'s log",
    )


def periodic_jobs(runs: Mapping[str, str], now: datetime, *, reconcile_every: timedelta) -> Iterator[Finding]:
    """Yield when each was done last (`runs`: ISO 8601, by name), and whether the comparison with Seam is overdue."""
    if not runs:
        yield Finding("periodic jobs", "ok", "none was done yet: no worker has run on this data server")
        return
    patience = max(_SHORTEST_PATIENCE, _MISSED_TURNS * reconcile_every)
    for name in _SHOWN:
        done_at = datetime.fromisoformat(runs[name]) if name in runs else None
        text = "was never done" if done_at is None else f"done {_ago(now - done_at)} ago"
        is_overdue = name == _RECONCILE and (done_at is None or now - done_at > patience)
        remedy = "look at the worker's log for `periodic_job.failed` and `periodic_job.crashed`" if is_overdue else ""
        yield Finding(f"periodic job {name}", "warn" if is_overdue else "ok", text, remedy)


def versions(stuck: Stuck, now: datetime) -> Finding:
    """Judge whether what older processes left to newer ones is taken."""
    if stuck.since is None:
        return Finding("versions", "ok", "nothing waits for a worker of a newer version")
    text = f"{stuck.count} piece(s) of work have waited {_ago(now - stuck.since)} for a worker of a newer version"
    return Finding(
        "versions", "bad", text, "start one, or finish the roll-out; `work.left_to_newer` in the worker's log"
    )


def arrivals(coming: Sequence[Arrival], unapplied: Unapplied = _NONE) -> Finding:
    """Judge the arrivals of the next two days, the nearest first, and messages that were parked or refused."""
    hours = HORIZON // timedelta(hours=1)
    risky = [
        (each.check_in, f"{each.booking_id} on {each.door_name} ({each.reason or each.state})")
        for each in coming
        if each.readiness is Readiness.AT_RISK
    ]
    risky += [
        (each.check_in.at, f"{each.booking_id or 'a message that names no booking'} ({each.reason})")
        for each in unapplied.messages
        if each.check_in is not None
    ]
    undated = f". {undated_text(unapplied.undated)}" if unapplied.undated else ""
    if not risky:
        text = f"{len(coming)} in the next {hours} hours, none at risk{undated}"
        return Finding("arrivals", "warn" if undated else "ok", text, _GO_THROUGH if undated else "")
    _, nearest = min(risky)
    of = len(coming) + len(unapplied.messages)
    text = f"{len(risky)} of {of} in the next {hours} hours at risk, the nearest {nearest}{undated}"
    return Finding("arrivals", "warn", text, _GO_THROUGH)


def _ago(age: timedelta) -> str:
    """Return an age in words; the clocks of two machines may differ by a little."""
    return show_length(max(age, timedelta()) // timedelta(seconds=1) * timedelta(seconds=1))
