"""What the doctor says of the processes: which live, which are missing, what waits for them, what `web` refuses."""

from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta
from typing import Final

from shared.clock import system_clock
from shared.domain.alerting.missed_heartbeats import WEBHOOK
from shared.domain.code.webhook_gap import last_webhook_at
from shared.domain.times.wording import show_length
from shared.ledger.auth_failures import AuthFailureLedger, FailedTries
from shared.ledger.processes import ProcessSigns, SeenProcess
from shared.ledger.reconciliation import ReconciliationLedger
from shared.liveness.fleet import CONSOLE, PROCESSES, ProcessGroup, groups_of
from shared.settings import Settings
from shared.stream_backlog import StreamBacklog, backlog_of
from worker.cli.findings import Finding, Verdict
from worker.ports import Ports

# One restart is a deployment, and a second may correct it. More mean that the process dies again and again.
_MANY_RESTARTS: Final = 3
_MOST_NAMED: Final = 5
_SECOND: Final = timedelta(seconds=1)
_REMEDIES: Final = {
    "missing_headers": "somebody who isn't Seam posts to the webhook's address, or a proxy drops headers",
    "malformed_headers": "somebody who isn't Seam posts to the webhook's address, or a proxy changes headers",
    "too_old": "look at this machine's clock (`timedatectl`); the same delivery sent again later is refused, too",
    "too_new": "look at this machine's clock (`timedatectl`)",
    "wrong_signature": "compare SEAM_WEBHOOK_SECRET with the webhook's secret in Seam's console",
    "slack": "compare SLACK_SIGNING_SECRET with the app's in Slack, and look at this machine's clock",
    "invalid_token": "a booking system shows a token that isn't in BOOKING_TOKENS or REVEAL_TOKENS",
}


_NOT_OF_WEBHOOKS: Final = ("invalid_token",)


def processes(ports: Ports) -> Iterator[Finding]:
    """Yield a finding for each kind of process. Raises redis.RedisError."""
    now = system_clock()
    webhook_at = last_webhook_at(ports.beats.last().get(WEBHOOK), ReconciliationLedger(ports.redis).load().gap)
    yield from judge_processes(groups_of(ProcessSigns(ports.redis).seen(), now, webhook_at=webhook_at), now)


def judge_processes(groups: Sequence[ProcessGroup], now: datetime) -> Iterator[Finding]:
    """Yield a finding for each kind of process; one alone where none was ever started."""
    if all(group.silent_for is None and not group.is_unknown for group in groups):
        remedy = f"start {', '.join(PROCESSES)} (the Procfile lists their commands)"
        yield Finding("processes", "warn", "none has run on this data server in the last week", remedy)
        return
    for group in groups:
        if group.process in PROCESSES or group.alive:
            yield _process(group, now)


def _process(group: ProcessGroup, now: datetime) -> Finding:
    subject = f"process {group.process}"
    restarts = f"{group.restarts} restart(s) in the last hour"
    if group.is_unknown and group.worked_at is not None:
        ago = show_length(max(now - group.worked_at, timedelta()) // _SECOND * _SECOND)
        text = f"gives no sign of life, and took a webhook {ago} ago: one of a version before 0.2.0 gives none"
        return Finding(subject, "warn", text, f"update `{group.process}`; if it is of this version, look at its log")
    if not group.alive:
        silent = "has given no sign of life in the last week"
        if group.silent_for is not None:
            silent = f"is not alive: its last sign of life was {show_length(group.silent_for)} ago; {restarts}"
        # Without the console every code is still made.
        verdict: Verdict = "warn" if group.process == CONSOLE else "bad"
        return Finding(subject, verdict, silent, f"start `{group.process}`, or look at its log")
    named = "; ".join(_named(each, now) for each in group.alive[:_MOST_NAMED])
    more = f"; and {len(group.alive) - _MOST_NAMED} more" if len(group.alive) > _MOST_NAMED else ""
    text = f"{len(group.alive)} alive ({named}{more}), {restarts}"
    if group.restarts >= _MANY_RESTARTS:
        return Finding(subject, "warn", text, f"look at the log of `{group.process}` for why it ends")
    return Finding(subject, "ok", text)


def _named(seen: SeenProcess, now: datetime) -> str:
    it = seen.identity
    age = max(now - it.started_at, timedelta()) // _SECOND * _SECOND
    return f"{it.version}, pid {it.pid} on {it.host}, for {show_length(age)}"


def stream(settings: Settings, ports: Ports, name: str) -> Finding:
    """Judge a stream by its oldest entry: what is handled is taken out, so an old one is stuck."""
    return judge_stream(name, backlog_of(ports.redis, name), system_clock(), reclaim_after=settings.reclaim_after)


def judge_stream(name: str, backlog: StreamBacklog, now: datetime, *, reclaim_after: timedelta) -> Finding:
    """Judge how much waits in a stream, and since when."""
    subject = f"stream {name}"
    parts = [f"{backlog.length} waiting or under way"]
    if backlog.oldest_at is None:
        return Finding(subject, "ok", parts[0])
    age = now - backlog.oldest_at
    parts.append(f"the oldest for {age.total_seconds():.0f} s")
    if backlog.oldest_unread_at is not None:
        unread_for = (now - backlog.oldest_unread_at).total_seconds()
        parts.append(f"{backlog.unread} of them read by no worker, the oldest of those for {unread_for:.0f} s")
    is_stuck = age > 2 * reclaim_after
    remedy = "is a `worker` running? Look at its log for this stream" if is_stuck else ""
    return Finding(subject, "bad" if is_stuck else "ok", ", ".join(parts), remedy)


def failed_tries(ports: Ports) -> Iterator[Finding]:
    """Yield what `web` refused in the last hour, by reason. Raises redis.RedisError."""
    now = system_clock()
    yield from judge_tries(AuthFailureLedger(ports.redis).last_hour(now), now)


def judge_tries(tries: Sequence[FailedTries], now: datetime) -> Iterator[Finding]:
    """Yield a warning for each reason for which requests were refused."""
    if not tries:
        yield Finding("failed signatures", "ok", "none in the last hour")
    for each in tries:
        ago = show_length(max(now - each.last_at, timedelta()) // _SECOND * _SECOND)
        text = f"{each.count} in the last hour: {each.reason}, the last {ago} ago"
        event = "auth.failed" if each.reason in _NOT_OF_WEBHOOKS else "webhook.rejected"
        remedy = f"{_REMEDIES.get(each.reason, '')}; `{event}` in `web`'s log names the client".lstrip("; ")
        yield Finding("failed signatures", "warn", text, remedy)
