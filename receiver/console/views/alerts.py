"""Alerts: the open ones, who handles them, and silences; handle one or its whole group."""

from collections import Counter
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Annotated, Final, Literal
from uuid import uuid4

from pydantic import Field

from receiver.console.commands import give
from receiver.console.open_orders import not_yet
from receiver.console.operations import Call, NotFound, Operation, Unusable
from receiver.console.views.booking_actions import By, OrderOutcome, Outcome, who
from shared.console_tokens import Role
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.silences import Silence, silent_until
from shared.domain.booking.advice import earlier_pin_text, next_step_now, window_text
from shared.domain.times.durations import parse_duration
from shared.ops_commands import HANDLE, OpsCommand

_MOST_RESOLVED: Final = 200
# A page of 100 KB has room for them.
_A_PAGE: Final = 30
_MOST_OF_A_GROUP: Final = 200
_LONGEST_SILENCE: Final = timedelta(days=30)
_Text = Annotated[str, Field(max_length=300)]


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertsQuery:
    """Which alerts, all of it together. `open` are those that nobody handles and no silence holds back.

    `page` is for the HTML page; the API answers all.
    """

    state: Literal["open", "handled", "silenced", "resolved", "all"] = "open"
    severity: Severity | Literal[""] = ""
    mine: bool = False
    page: Annotated[int, Field(ge=1)] = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertRow:
    """One problem. `hit` counts the bookings that a cause of many hits; `group_size` the open alerts told with it.

    `code_window` and `earlier_pin_works` say when the code, and a PIN of an earlier revision, open the door.
    """

    key: str
    state: str
    severity: str
    problem: str
    subject: str
    happened: str
    next_step: str
    actor: str
    check_in: datetime | None
    code_window: str
    earlier_pin_works: str
    booking_id: str
    device_id: str
    opened_at: datetime
    news_at: datetime
    count: int
    hit: int
    handled_by: str
    silent_until: datetime | None
    group: str
    group_size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceRow:
    """What people don't want to hear of for a while."""

    silence_id: str
    until: datetime
    key: str
    problem: str
    device_id: str
    booking_id: str
    by: str
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Silenced:
    """Every silence that lasts, the one that ends first at the top."""

    as_of: datetime
    silences: tuple[SilenceRow, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Alerts:
    """Alerts, the most urgent first. `counts` are of all open ones by state; of resolved ones the latest are known.

    `severities` are the counts of those of this state, whatever severity is asked for.
    The HTML page has those of `page` alone, of `pages`. `matching` is how many there are.
    """

    as_of: datetime
    state: str
    counts: dict[str, int]
    severities: dict[str, int]
    matching: int
    alerts: tuple[AlertRow, ...]
    silences: tuple[SilenceRow, ...]
    page: int = 1
    pages: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class HandleBody:
    """Whether all open alerts of the same group are meant."""

    group: bool = False
    by: By = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SilenceBody:
    """What is held back (all conditions together; `key` may hold `*`), how long (`2h`, `1d`), and why."""

    length: _Text
    why: Annotated[str, Field(min_length=3, max_length=300)]
    key: _Text = ""
    problem: _Text = ""
    device_id: _Text = ""
    booking_id: _Text = ""
    by: By = ""


def read_alerts(call: Call) -> Alerts:
    """Return the alerts that are asked for."""
    query: AlertsQuery = call.query
    ports, now = call.ports, call.now
    silences = ports.silences.all()
    found = ports.alerts.open()
    sizes = Counter(alert.group for alert in found)
    standing = [(alert, *_stand(alert, silences, now)) for alert in found]
    counts = Counter(state for _, state, _ in standing)
    if query.state in ("resolved", "all"):
        standing += [(alert, "resolved", None) for alert in ports.alerts.latest(_MOST_RESOLVED) if not alert.is_open]
    wanted = [
        each
        for each in standing
        if query.state in ("all", each[1]) and (not query.mine or call.token.name in _handled_by(each[0]))
    ]
    severities = Counter(str(alert.severity) for alert, _, _ in wanted)
    wanted = [each for each in wanted if query.severity in ("", str(each[0].severity))]
    wanted.sort(key=lambda each: _order(each[0]))
    pages = max(1, -(-len(wanted) // _A_PAGE))
    page = min(query.page, pages)
    listed = wanted[(page - 1) * _A_PAGE : page * _A_PAGE] if call.for_page else wanted
    return Alerts(
        as_of=now,
        state=query.state,
        counts={state: counts[state] for state in ("open", "handled", "silenced")},
        severities={str(each): severities[str(each)] for each in reversed(Severity)},
        matching=len(wanted),
        alerts=tuple(
            _row(alert, state, until, group_size=sizes[alert.group], now=now) for alert, state, until in listed
        ),
        silences=tuple(map(_silence_row, silences)),
        page=page,
        pages=pages,
    )


def _stand(alert: Alert, silences: list[Silence], now: datetime) -> tuple[str, datetime | None]:
    """Return the state of an open alert, and until when it is silent."""
    until = silent_until(alert.notice, silences, now)
    return ("silenced" if until else "handled" if alert.handled_by else "open"), until


def _order(alert: Alert) -> tuple[int, float, float]:
    rank = {"page": 0, "warning": 1, "info": 2}.get(str(alert.severity), 3)
    check_in = alert.notice.check_in if alert.is_open else None
    return (
        rank if alert.is_open else 4,
        check_in.timestamp() if check_in else float("inf"),
        -alert.news_at.timestamp(),
    )


def _handled_by(alert: Alert) -> str:
    return alert.handled_by if alert.is_open else ""


def _row(alert: Alert, state: str, until: datetime | None, *, group_size: int, now: datetime) -> AlertRow:
    notice = alert.notice
    return AlertRow(
        key=alert.key,
        state=state,
        severity=str(alert.severity),
        problem=notice.problem,
        subject=notice.subject,
        happened=notice.happened if alert.is_open else notice.solved or notice.happened,
        next_step=next_step_now(notice, now) if alert.is_open else "",
        actor=notice.actor,
        check_in=notice.check_in,
        code_window=window_text(notice.code, notice.time_zone),
        earlier_pin_works=earlier_pin_text(notice, now),
        booking_id=notice.booking_id,
        device_id=notice.device_id,
        opened_at=alert.opened_at,
        news_at=alert.news_at,
        count=alert.count,
        hit=alert.hit,
        handled_by=_handled_by(alert),
        silent_until=until,
        group=alert.group,
        group_size=group_size,
    )


def _silence_row(silence: Silence) -> SilenceRow:
    return SilenceRow(
        silence_id=silence.silence_id,
        until=silence.until,
        key=silence.key,
        problem=silence.problem,
        device_id=silence.device_id,
        booking_id=silence.booking_id,
        by=silence.by,
        why=silence.why,
    )


def handle(call: Call) -> Outcome:
    """Say that somebody takes care of it. Raises NotFound where no such alert is open."""
    alert = call.ports.alerts.get(call.path["key"])
    if alert is None or not alert.is_open:
        raise NotFound("There is no open alert of this key.")
    keys = [alert.key]
    if call.body.group:
        keys += [it.key for it in call.ports.alerts.open() if it.group == alert.group and it.key != alert.key]
    by = who(call)
    orders = [give(call.ports, OpsCommand(action=HANDLE, target=key, by=by)) for key in keys[:_MOST_OF_A_GROUP]]
    done = [it.is_done for it in orders]
    what = f"{sum(done)} of {len(keys)} alerts are" if len(keys) > 1 else "It is"
    text = f"{what} handled by {by}: no more reminders until there is news."
    return Outcome(
        done=all(done),
        outcome=OrderOutcome.DONE if all(done) else OrderOutcome.WAITING,
        text=text if any(done) else not_yet(call.ports, orders[0].entry_id).text,
    )


def read_silences(call: Call) -> Silenced:
    """Return the silences."""
    return Silenced(as_of=call.now, silences=tuple(map(_silence_row, call.ports.silences.all())))


def silence(call: Call) -> Outcome:
    """Hold back open problems that fit all conditions, until the time is over. Raises Unusable."""
    body: SilenceBody = call.body
    try:
        length = parse_duration(body.length)
    except ValueError as error:
        raise Unusable({"length": str(error)}) from None
    if length > _LONGEST_SILENCE:
        raise Unusable({"length": f"is more than {_LONGEST_SILENCE.days} days"})
    made = Silence(
        silence_id=uuid4().hex[:8],
        until=call.now + length,
        key=body.key,
        problem=body.problem,
        device_id=body.device_id.lower(),
        booking_id=body.booking_id,
        by=who(call),
        why=body.why,
    )
    if not made.has_condition:
        raise Unusable({"key": "say what is silenced: a key, a problem, a device or a booking"})
    call.ports.silences.add(made)
    return Outcome(done=True, text=f"Silent until {made.until:%Y-%m-%d %H:%M} UTC.")


def end_silence(call: Call) -> Outcome:
    """End a silence now: alerts that it held back and that are still open are told. Raises NotFound."""
    silence_id = call.path["silence_id"]
    ended = next((each for each in call.ports.silences.all() if each.silence_id == silence_id), None)
    if ended is None or not call.ports.silences.remove(silence_id):
        raise NotFound("There is no such silence.")
    groups = {alert.group for alert in call.ports.alerts.open() if ended.matches(alert.notice)}
    call.ports.alerts.wake(groups, call.now)
    return Outcome(done=True, text="The silence is over.")


OPERATIONS: Final = (
    Operation(
        name="alerts",
        method="GET",
        path="/alerts",
        role=Role.VIEWER,
        summary="Alerts, the most urgent first, with who handles them and what is silenced.",
        handle=read_alerts,
        query=AlertsQuery,
        answer=Alerts,
        page="/alerts",
        template="alerts.html",
        errors=(400,),
    ),
    Operation(
        name="handle_alert",
        method="POST",
        path="/alerts/{key}/handle",
        role=Role.OPERATOR,
        summary="Say that somebody takes care of an alert, or of all open ones of its group.",
        handle=handle,
        answer=Outcome,
        body=HandleBody,
        page="/alerts/{key}/handle",
        leads_to="/alerts",
        errors=(400, 404),
    ),
    Operation(
        name="silences",
        method="GET",
        path="/silences",
        role=Role.VIEWER,
        summary="Silences, the one that ends first at the top.",
        handle=read_silences,
        answer=Silenced,
    ),
    Operation(
        name="silence",
        method="POST",
        path="/silences",
        role=Role.OPERATOR,
        summary="Hold back open problems for a while.",
        handle=silence,
        answer=Outcome,
        body=SilenceBody,
        page="/silences",
        leads_to="/alerts",
        errors=(400,),
    ),
    Operation(
        name="end_silence",
        method="DELETE",
        path="/silences/{silence_id}",
        role=Role.OPERATOR,
        summary="End a silence now.",
        handle=end_silence,
        answer=Outcome,
        page="/silences/{silence_id}/end",
        leads_to="/alerts",
        errors=(404,),
    ),
)
