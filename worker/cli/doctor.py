"""`oracode doctor`: what must be fixed before guests rely on this, and how. Each check is one line with its remedy."""

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing, suppress
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

import click
from kombu import Connection
from redis.exceptions import NoPermissionError, ResponseError

from shared.clock import system_clock
from shared.contracts import BOOKING_QUEUE, OPS_STREAM, REJECTED_QUEUE
from shared.domain.stay.stay import UnitRules
from shared.doors_file import InvalidDoorsFile
from shared.ledger.clocks import ClockReadings
from shared.refused_messages import RefusedMessages
from shared.settings import Settings
from shared.unapplied_messages import UnappliedMessage
from worker.alerts.setup import InvalidAlerting
from worker.broker import broker_connection
from worker.cli.context import settings_for
from worker.cli.doctor_processes import failed_tries, processes, stream
from worker.cli.doctor_seam import seam
from worker.cli.doctor_sentinels import sentinels
from worker.cli.doctor_server import free_beside, judge, judge_clock, judge_clocks, judge_disk, unusable
from worker.cli.doctor_upkeep import upkeep
from worker.cli.findings import Finding
from worker.cli.printable import printable
from worker.cli.unapplied import check_in_text, message_line, unapplied_messages
from worker.handlers.check_clocks import is_current
from worker.ports import Ports, alerting_of, open_ports, seam_client, units_of

# Nothing but its length keeps a token from being guessed.
_SHORTEST_TOKEN: Final = 20
_SIGNS: Final = {"ok": "ok  ", "warn": "warn", "bad": "BAD "}
_CONNECT_WITHIN: Final = 3
_MOST_NAMED: Final = 10
# A sweep runs every second. If something has been due for this long, none runs.
_MOST_OVERDUE: Final = timedelta(minutes=1)


@click.command("doctor", context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--json", "as_json", is_flag=True, help="One JSON object per finding.")
def command(*, as_json: bool) -> None:
    """Check settings, data server, Seam's key and webhook, and every door; exit 1 if something must be fixed."""
    settings = settings_for("REDIS_URL", "SEAM_API_KEY")
    is_bad = False
    for finding in findings(settings):
        is_bad = is_bad or finding.verdict == "bad"
        if as_json:
            click.echo(json.dumps(finding.as_json()))
        else:
            click.echo(f"{_SIGNS[finding.verdict]}  {printable(finding.subject)}: {printable(finding.text)}")
            if finding.remedy:
                click.echo(f"      -> {printable(finding.remedy)}")
    raise SystemExit(1 if is_bad else 0)


def findings(settings: Settings) -> Iterator[Finding]:
    """Yield every finding; a part that can't be reached is a finding too."""
    units: Mapping[str, UnitRules] = {}
    broken = ""
    try:
        units = units_of(settings)
    except ValueError as invalid:
        broken = str(invalid)
    yield from _settings(settings, units, broken)
    ports = open_ports(settings)
    checks: dict[str, Callable[[], Iterator[Finding]]] = {
        "data server": lambda: _data_server(settings, ports),
        "processes": lambda: processes(ports),
        "work": lambda: _work(settings, ports),
        "upkeep": lambda: upkeep(settings, ports),
        "failed signatures": lambda: failed_tries(ports),
    }
    # Without the server, each check below would wait as long as this one does.
    without_server = unusable(settings.redis_address)
    if without_server is not None:
        yield without_server
        checks = {}
    checks["Sentinels"] = lambda: sentinels(settings.redis_address)
    checks["brokers"] = lambda: _brokers(settings)
    checks["Seam"] = lambda: _seam(settings, units)
    for subject, check in checks.items():
        try:
            yield from check()
        except Exception as error:  # noqa: BLE001 - a check that fails is a finding
            yield Finding(subject, "bad", f"can't be used: {type(error).__name__}: {error}")


def _seam(settings: Settings, units: Mapping[str, UnitRules]) -> Iterator[Finding]:
    with closing(seam_client(settings)) as client:
        yield from seam(client, units)


def _settings(settings: Settings, units: Mapping[str, UnitRules], broken: str) -> Iterator[Finding]:
    """Judge the settings; `broken` says what is wrong with DOORS_FILE."""
    if settings.seam_webhook_secret:
        yield Finding("SEAM_WEBHOOK_SECRET", "ok", f"{len(settings.seam_webhook_secret)} secret(s)")
    else:
        yield Finding("SEAM_WEBHOOK_SECRET", "bad", "is not set: `web` won't start", "copy it from Seam's console")
    if short := sum(len(token.get_secret_value()) < _SHORTEST_TOKEN for token in settings.booking_tokens):
        remedy = "make each with: python -c 'import secrets; print(secrets.token_urlsafe(24))'"
        yield Finding("BOOKING_TOKENS", "bad", f"{short} of them can be guessed: too short", remedy)
    try:
        names = [channel.name for channel in alerting_of(settings).channels]
    except InvalidAlerting as invalid:
        for name, problem in invalid.problems.items():
            yield Finding(name, "bad", problem)
    except InvalidDoorsFile:
        yield Finding("alert channels", "bad", "can't be judged while DOORS_FILE can't be read")
    else:
        if names:
            yield Finding("alert channels", "ok", ", ".join(names))
        else:
            yield Finding("ALERT_URLS", "bad", "nobody is told of failures", "set it to a Slack or a signed webhook")
    yield _heartbeat_url(settings)
    if broken:
        yield Finding("DOORS_FILE", "bad", broken)
    else:
        yield Finding("DOORS_FILE", "ok", f"{len(units)} unit(s)")


def _heartbeat_url(settings: Settings) -> Finding:
    if settings.heartbeat_url is not None:
        return Finding("HEARTBEAT_URL", "ok", "is called every minute while work is done")
    remedy = "set it to an address of healthchecks.io or the like, which alerts somebody when the calls stop"
    return Finding("HEARTBEAT_URL", "warn", "is not set: nobody is told when this whole machine is gone", remedy)


def _data_server(settings: Settings, ports: Ports) -> Iterator[Finding]:
    config: dict[str, str] = {}
    info: Mapping[str, Any] = {}
    # Managed servers forbid CONFIG, some users may not ask INFO; the rest can be judged all the same.
    with suppress(ResponseError):
        config = cast(Any, ports.redis.config_get("appendfsync"))
        config |= cast(Any, ports.redis.config_get("dir"))
    with suppress(NoPermissionError):
        info = cast(Any, ports.redis.info())
    yield from judge(info, config, allow_unsafe=settings.allow_unsafe_store, sync_replicas=settings.sync_replicas)
    with suppress(ResponseError):
        seconds, microseconds = cast(Any, ports.redis.time())
        told_at = datetime.fromtimestamp(int(seconds) + int(microseconds) / 1_000_000, UTC)
        yield judge_clock(system_clock() - told_at)
    yield from judge_clocks(filter(is_current, ClockReadings(ports.redis).latest()))
    free = free_beside(ports.redis.connection_pool.connection_kwargs, config.get("dir", ""))
    if free is not None and int(info.get("aof_enabled", 0)):
        yield judge_disk(free, int(info.get("aof_current_size", 0)))


def _brokers(settings: Settings) -> Iterator[Finding]:
    if settings.celery_broker_url is not None:
        url = settings.celery_broker_url.get_secret_value()
        with broker_connection(url, connect_timeout=_CONNECT_WITHIN) as connection:
            connection.connect()
        yield Finding("task queue", "ok", f"{connection.transport.driver_type} answers")
    if settings.booking_queue_url is not None:
        with Connection(settings.booking_queue_url.get_secret_value(), connect_timeout=_CONNECT_WITHIN) as connection:
            connection.connect()
            rejected = _ready_in(connection, REJECTED_QUEUE)
        remedy = f"take them from the queue {REJECTED_QUEUE}: have their sender fix them" if rejected else ""
        text = f"{BOOKING_QUEUE} answers; {rejected} message(s) rejected"
        yield Finding("booking queue", "warn" if rejected else "ok", text, remedy)


def _ready_in(connection: Connection, queue: str) -> int:
    """Return how many messages of a queue are ready; 0 where there is no such queue yet."""
    channel: Any = connection.channel()
    try:
        return int(channel.queue_declare(queue, passive=True).message_count)
    except connection.channel_errors:
        return 0


def _work(settings: Settings, ports: Ports) -> Iterator[Finding]:
    for name in (settings.booking_stream, settings.event_stream, OPS_STREAM):
        yield stream(settings, ports, name)
    due, in_all = ports.due.count(system_clock())
    overdue, _ = ports.due.count(system_clock() - _MOST_OVERDUE)
    remedy = "is `beat` running, and a `worker`? Look at their logs" if overdue else ""
    text = f"{due} due now, {overdue} for over a minute, {in_all} in all"
    yield Finding("due-set", "bad" if overdue else "ok", text, remedy)
    unapplied = unapplied_messages(ports).all(now=system_clock())
    yield from _parked(ports, [each for each in unapplied if not each.is_refused])
    yield from _refused(ports, [each for each in unapplied if each.is_refused])
    yield from _alerts(ports)


def _parked(ports: Ports, unapplied: Sequence[UnappliedMessage]) -> Iterator[Finding]:
    """Find what is parked: how much, and of which bookings, the most urgent first."""
    parked = ports.parked.count()
    remedy = "look at them with `oracode parked list`" if parked else ""
    yield Finding("parked messages", "warn" if parked else "ok", str(parked), remedy)
    yield from _named("parked booking", [each for each in unapplied if each.booking_id or each.check_in])


def _refused(ports: Ports, unapplied: Sequence[UnappliedMessage]) -> Iterator[Finding]:
    """Find what `POST /bookings` refused in the last days: its sender knows, and people here may not."""
    count = len(RefusedMessages(ports.redis).lately(system_clock()))
    settled = count - len(unapplied)
    text = f"{count} in the last 7 days" + (f", {settled} of them settled since" if settled else "")
    remedy = "their sender was told why; have it send them as they should be" if unapplied else ""
    yield Finding("refused bookings", "warn" if unapplied else "ok", text, remedy)
    yield from _named("refused booking", unapplied)


def _named(subject: str, messages: Sequence[UnappliedMessage]) -> Iterator[Finding]:
    now = system_clock()
    for each in messages[:_MOST_NAMED]:
        check_in = f"check-in {check_in_text(each)}: " if each.check_in is not None else ""
        yield Finding(subject, "warn", f"{check_in}{message_line(each, now)}")
    if len(messages) > _MOST_NAMED:
        yield Finding(subject, "warn", f"and {len(messages) - _MOST_NAMED} more")


def _alerts(ports: Ports) -> Iterator[Finding]:
    """Find alerts that no channel took: nobody may know of them, not even of pages."""
    alerts = list(ports.alerts.all())
    for group, state in ports.alerts.groups.load_many({alert.group for alert in alerts}).items():
        for notification in state.parcels.values():
            if notification.attempts:
                kind = "a page" if notification.is_page else "a message"
                channel, attempts = notification.channel, notification.attempts
                text = f"{channel} has not taken {kind} about {group} after {attempts} tries: {notification.error}"
                yield Finding("alert", "bad", text, f"try `oracode alerts test {channel}`")
    for alert in alerts:
        for channel, told in alert.told.items():
            if alert.is_open and told.lost:
                text = f"{channel} never took {alert.key}: {told.error}"
                yield Finding("alert", "bad", text, "check the channel's address, then look at the alert yourself")
