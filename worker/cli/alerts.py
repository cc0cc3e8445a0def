"""`oracode alerts`: lists alerts and who was told; handles and silences problems; tests channels."""

import json
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from difflib import get_close_matches
from functools import partial
from typing import Any, Final
from uuid import uuid4

import click

from shared.clock import system_clock
from shared.domain.alerting.alert import Alert, mark_handled, record_notice
from shared.domain.alerting.inhibition import parent_of
from shared.domain.alerting.notifications import Notification, Status
from shared.domain.alerting.receipts import record_delivery
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.silences import Silence, silent_until
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.booking.advice import earlier_pin_text, next_step_now, window_text
from shared.domain.booking.record import AlertNotice
from shared.domain.door.device_id import RIGHT_DEVICE_ID, NotADeviceId, device_id_of
from shared.domain.times.durations import parse_duration
from worker.alerts.channel import Channel, NotDelivered
from worker.alerts.composing import check_in_text, message_of
from worker.alerts.inhibition_by_doors import Inhibition
from worker.alerts.message import RUNBOOK_SECTIONS, AlertMessage
from worker.alerts.pagerduty import PagerDuty
from worker.cli.context import alerting_for, open_ledger, settings_for, user_name

_LONGEST_SILENCE: Final = timedelta(days=30)


@click.group("alerts", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """List alerts, test channels; handle and silence problems."""


@command.command()
@click.argument("channel", required=False)
def test(channel: str | None) -> None:
    """Send one alert to CHANNEL (or every channel) now, and show the answer. Exit code 1 if it isn't taken."""
    alerting = alerting_for(settings_for("REDIS_URL"))
    channels = alerting.channels
    chosen = [each for each in channels if channel in (None, each.name)]
    if not chosen:
        known = ", ".join(each.name for each in channels) or "none: set ALERT_URLS or ALERTS_FILE"
        click.echo(f"There is no such channel. There are: {known}.", err=True)
        raise SystemExit(2)
    results = [_send_test(each, alerting.policy) for each in chosen]
    raise SystemExit(0 if all(results) else 1)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option("--all", "with_resolved", is_flag=True, help="Those that are over, too.")
@click.option("--problem", help="Only problems of this kind.")
def list_alerts(*, as_json: bool, with_resolved: bool, problem: str | None) -> None:
    """List open alerts, the most urgent first."""
    from worker.cli.bookings_view import clean  # noqa: PLC0415

    _, ports = open_ledger()
    now = system_clock()
    silences = ports.silences.all()
    alerts = [
        alert
        for alert in ports.alerts.all()
        if (alert.is_open or with_resolved) and problem in (None, alert.notice.problem)
    ]
    inhibited = Inhibition(alerts=ports.alerts, issues=ports.issues, clock=system_clock).inhibitors(alerts)
    alerts.sort(key=lambda alert: (-ports.alerts.policy.severity(alert.notice, now).rank, alert.opened_at))
    for alert in alerts:
        level = ports.alerts.policy.severity(alert.notice, now)
        until = silent_until(alert.notice, silences, now)
        if as_json:
            more = {"silent_until": until and until.isoformat(), "inhibited_by": inhibited.get(alert.key, "")}
            click.echo(json.dumps(as_object(alert, level) | more))
        else:
            lines = _lines(alert, level, told_by=inhibited.get(alert.key, ""))
            click.echo("\n".join(clean(line).plain for line in lines))
            if until:
                click.echo(f"        silent until {until:%Y-%m-%d %H:%M} UTC")
    if not alerts and not as_json:
        click.echo("Nothing is open." if problem is None else "Nothing of this kind is open.")


@command.command()
@click.argument("key")
@click.option("--by", default=None, help="Who takes care of it; your user name where it isn't given.")
def handle(key: str, by: str | None) -> None:
    """Say that somebody takes care of the problem KEY: no more reminders. It is still told when it gets more urgent."""
    _, ports = open_ledger()
    alert = ports.alerts.update(key, partial(mark_handled, by=by or user_name(), at=system_clock()))
    if alert is None or not alert.is_open:
        click.echo(f"There is no open alert {key!r}; `oracode alerts list` names them.", err=True)
        raise SystemExit(1)
    click.echo(f"{key} is handled by {alert.handled_by}.")


@command.command()
@click.option("--for", "length", required=True, help="How long, such as 30m, 2h or 1d.")
@click.option("--key", default="", help="Problems with this key; * stands for anything.")
@click.option("--problem", default="", help="Problems of this kind.")
@click.option("--device", default="", help="Problems of this door.")
@click.option("--booking", default="", help="Problems of this booking.")
@click.option("--why", default="", help="A note for others.")
def silence(*, length: str, key: str, problem: str, device: str, booking: str, why: str) -> None:
    """Hold back open problems that meet all conditions, for a while. Problems that last longer are told after it."""
    try:
        until = parse_duration(length)
    except ValueError as error:
        raise click.BadParameter(str(error)) from None
    if until > _LONGEST_SILENCE:
        raise click.BadParameter(f"at most {_LONGEST_SILENCE.days} days")
    made = Silence(
        silence_id=uuid4().hex[:8],
        until=system_clock() + until,
        key=key,
        problem=problem,
        device_id=_device_id(device),
        booking_id=booking,
        by=user_name(),
        why=why,
    )
    if not made.has_condition:
        raise click.UsageError("Say what: --key, --problem, --device or --booking.")
    if problem and problem not in RUNBOOK_SECTIONS:
        raise click.UsageError(_no_kind(problem))
    _, ports = open_ledger()
    ports.silences.add(made)
    click.echo(
        f"{made.silence_id}: silent until {made.until:%Y-%m-%d %H:%M} UTC. "
        f"End it: oracode alerts unsilence {made.silence_id}"
    )


@command.command()
@click.argument("silence_id")
def unsilence(silence_id: str) -> None:
    """End a silence now."""
    _, ports = open_ledger()
    ended = next((each for each in ports.silences.all() if each.silence_id == silence_id), None)
    if ended is None or not ports.silences.remove(silence_id):
        click.echo(f"There is no silence {silence_id!r}; `oracode alerts silences` lists them.", err=True)
        raise SystemExit(1)
    now = system_clock()
    ports.alerts.wake(
        {alert.group for alert in ports.alerts.all() if alert.is_open and ended.matches(alert.notice)}, now
    )
    click.echo(f"{silence_id} is over.")


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
def silences(*, as_json: bool) -> None:
    """List silences, the one that ends first on top."""
    _, ports = open_ledger()
    found = ports.silences.all()
    for each in found:
        conditions = {"key": each.key, "problem": each.problem, "device": each.device_id, "booking": each.booking_id}
        given = {name: text for name, text in conditions.items() if text}
        if as_json:
            more = {"silence_id": each.silence_id, "until": each.until.isoformat(), "by": each.by, "why": each.why}
            click.echo(json.dumps(more | given))
        else:
            what = ", ".join(f"{name} {text}" for name, text in given.items())
            click.echo(
                f"{each.silence_id}  until {each.until:%Y-%m-%d %H:%M} UTC  {what}  {each.by} {each.why}".rstrip()
            )
    if not found and not as_json:
        click.echo("Nothing is silenced.")


def as_object(alert: Alert, level: Severity) -> dict[str, Any]:
    """Return an alert as `--json` prints it."""
    notice = alert.notice
    return {
        "key": alert.key,
        "problem": notice.problem,
        "status": "open" if alert.is_open else "resolved",
        "severity": str(level),
        "subject": notice.subject,
        "happened": notice.happened,
        "next_step": next_step_now(notice, system_clock()),
        "actor": notice.actor,
        "check_in": notice.check_in and notice.check_in.isoformat(),
        "code_window": window_text(notice.code, notice.time_zone),
        "earlier_pin_works": earlier_pin_text(notice, system_clock()),
        "booking_id": notice.booking_id,
        "device_id": notice.device_id,
        "opened_at": alert.opened_at.isoformat(),
        "count": alert.count,
        "hit": alert.hit,
        "subjects": list(alert.subjects),
        "reminders": alert.reminders,
        "handled_by": alert.handled_by,
        "group": alert.group,
        "told": {name: {"up_to_date": not alert.is_behind(name), "lost": it.lost} for name, it in alert.told.items()},
    }


def _device_id(text: str) -> str:
    try:
        return device_id_of(text) if text else ""
    except NotADeviceId as error:
        raise click.BadParameter(f"{error}: {RIGHT_DEVICE_ID}", param_hint="--device") from None


def _lines(alert: Alert, level: Severity, *, told_by: str) -> Iterator[str]:
    """Yield an alert in lines; `told_by` is the key of the door's or account's alert that inhibits it, or ""."""
    notice = alert.notice
    state = level.upper() if alert.is_open else "OK"
    check_in = f"  check-in {check_in_text(notice)}" if notice.check_in else ""
    yield f"{state:<8}{notice.subject}{check_in}"
    yield f"        {notice.happened}"
    if alert.is_open:
        yield f"        next: {next_step_now(notice, system_clock())} ({notice.actor})"
        if works := window_text(notice.code, notice.time_zone):
            yield f"        the code's times: {works}"
        if works := earlier_pin_text(notice, system_clock()):
            yield f"        the guest's earlier PIN works {works}"
        yield from (f"        hit: {subject}" for subject in alert.subjects)
        if alert.hit > len(alert.subjects):
            yield f"        hit: {alert.hit} booking{'s' * (alert.hit != 1)} in all"
    parent = parent_of(notice)
    told_by = parent.key if parent else told_by
    told = ", ".join(name for name in alert.told if alert.was_notified(name)) or "nobody yet"
    raised = "once" if alert.count == 1 else f"{alert.count} times"
    facts = [f"told: by the alert {told_by}" if told_by else f"told: {told}", f"raised {raised}"]
    facts += [f"handled by {alert.handled_by}"] if alert.handled_by else []
    yield f"        {alert.key}   {'; '.join(facts)}"


def _send_test(channel: Channel, policy: AlertPolicy) -> bool:
    now = system_clock()
    notice = AlertNotice(
        at=now,
        raised=True,
        key=f"test/{uuid4().hex[:8]}",
        problem="test",
        subject="A test of this channel",
        happened="Somebody ran `oracode alerts test`. Nothing is wrong.",
        next_step="Nothing: you can read this, so alerts arrive.",
        actor="nobody",
        look_closer="oracode alerts list",
    )
    alert = record_notice(None, notice, level=Severity.INFO)
    if alert is None:
        return False
    try:
        answer = channel.send(_test_message(channel, alert, "open", policy))
    except NotDelivered as reason:
        click.echo(f"{channel.name}: not delivered: {reason}")
        return False
    click.echo(f"{channel.name}: delivered: {answer}")
    return not isinstance(channel, PagerDuty) or _end_test(channel, alert, policy)


def _end_test(channel: Channel, opened: Alert, policy: AlertPolicy) -> bool:
    """Resolve the incident that the test has opened: nothing else would."""
    told = record_delivery(opened, channel.name, opened.sequence)
    over = record_notice(told, replace(opened.notice, at=system_clock(), raised=False))
    if over is None:
        return False
    try:
        channel.send(_test_message(channel, over, "resolved", policy))
    except NotDelivered as reason:
        click.echo(f"{channel.name}: its incident is not resolved, do it by hand: {reason}")
        return False
    return True


def _test_message(channel: Channel, alert: Alert, status: Status, policy: AlertPolicy) -> AlertMessage:
    now = system_clock()
    notification = Notification(
        channel=channel.name,
        status=status,
        members={alert.key: alert.sequence},
        delivery_id=f"{alert.key}#{alert.sequence}",
        is_page=False,
        at=now,
    )
    return message_of(notification, {alert.key: alert}, group=alert.key, policy=policy, now=now)


def _no_kind(problem: str) -> str:
    """Return the error for a kind of problem that doesn't exist: a silence of it would hold back nothing."""
    near = get_close_matches(problem, RUNBOOK_SECTIONS, cutoff=0.5)
    known = f"Did you mean {', '.join(near)}?" if near else f"There are: {', '.join(sorted(RUNBOOK_SECTIONS))}."
    return f"{problem[:40]!r} is no kind of problem. {known}"
