"""One message as people read it: of one problem, or of all that are told together. Channels only lay it out.

Times are in the lock's zone, with the zone named. Nothing here is markup: each channel escapes for itself.
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from shared.domain.alerting.absence import ABSENCES
from shared.domain.alerting.alert import Alert, News, untold
from shared.domain.alerting.parcels import Parcel
from shared.domain.alerting.policy import AlertPolicy
from shared.domain.alerting.severity import Severity
from shared.domain.chosen_slots import SlotOffer
from shared.domain.quoting import shown
from shared.domain.records import AlertNotice
from shared.domain.troubles import TROUBLES

MOST_LISTED: Final = 10
CHOOSE: Final = "Choose"
NO_ZONE_YET: Final = "time zone of the lock not known yet"
_LONGEST_SUBJECT: Final = 200
_LONGEST_TEXT: Final = 2_000
# Every kind of problem has a section of its own, named like it.
RUNBOOK_SECTIONS: Final = frozenset({*TROUBLES, *ABSENCES})
_GONE: Final = "Nothing: the problem is gone."
_OPENINGS: Final[Mapping[str, str]] = {
    News.ROSE: "Now urgent: ",
    News.REMINDER: "Still open: ",
    News.CHANGED: "Changed: ",
    News.RESOLVED: "Resolved: ",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotChoice:
    """A slot of the door that a person may choose for the booking: the times of its code, and what they mean."""

    door: str
    slot: str
    name: str
    starts_at: str
    ends_at: str
    window: str
    meaning: str


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertItem:
    """One problem of a message, as it stands; `thread` is the conversation that it belongs to on this channel."""

    key: str
    thread: str
    booking_id: str
    problem: str
    status: str
    severity: Severity
    news: str
    subject: str
    happened: str
    affects: str
    check_in: str
    next_step: str
    actor: str
    look_closer: str
    runbook: str
    count: int
    choices: tuple[SlotChoice, ...] = ()
    choose: str = ""
    handled: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AlertMessage:
    """What one channel gets at once. `delivery_id` is the same for every try: a receiver may drop a repeat by it.

    `threads` are the conversations that `items` belong to, each with all of its problems, told now or before. `remarks`
    are for the one conversation that is shown anew, and for no other.
    """

    delivery_id: str
    group: str
    status: str
    severity: Severity
    building: str
    items: tuple[AlertItem, ...]
    at: datetime
    threads: Mapping[str, tuple[AlertItem, ...]] = field(default_factory=dict)
    remarks: tuple[str, ...] = ()

    @property
    def first(self) -> AlertItem:
        """The problem that hurries most; the message is about it where there is only one."""
        return self.items[0]

    @property
    def is_open(self) -> bool:
        """Whether it tells of problems, not of their end."""
        return self.status == "open"

    @property
    def key(self) -> str:
        """The problem's key, or the group's name where there are several."""
        return self.first.key if len(self.items) == 1 else self.group

    @property
    def joins(self) -> bool:
        """Whether it only adds problems to a conversation in which others are open."""
        told = {item.key for item in self.items}
        others = (item for items in self.threads.values() for item in items if item.key not in told)
        return all(item.news == News.OPENED for item in self.items) and any(item.status == "open" for item in others)

    @property
    def title(self) -> str:
        """One line that says it all."""
        same_news = {item.news for item in self.items}
        opening = _OPENINGS.get(self.first.news, "") if len(same_news) == 1 else ""
        if len(self.items) == 1:
            return f"{'1 more: ' if self.joins else opening}{self.first.subject}"
        where = f" in {self.building}" if self.building else ""
        whom = "bookings" if all(item.booking_id for item in self.items) else "problems"
        more = "more " if self.joins else ""
        return f"{opening}{len(self.items)} {more}{whom}: {self.first.problem.replace('_', ' ')}{where}"

    @property
    def happened(self) -> str:
        """What happened; of several with different words, what they have in common."""
        words = {item.happened for item in self.items}
        if len(words) == 1:
            return self.first.happened
        known = TROUBLES.get(self.first.problem)
        return known.happened if known else self.first.happened

    @property
    def listed(self) -> tuple[str, ...]:
        """The subjects with their check-ins, of several: the first ten, and how many more."""
        if len(self.items) == 1:
            return ()
        lines = [_line_of(item) for item in self.items[:MOST_LISTED]]
        more = len(self.items) - MOST_LISTED
        return (*lines, f"and {more} more") if more > 0 else tuple(lines)

    @property
    def next_step(self) -> str:
        """What is to be done, and by whom."""
        if self.is_open:
            steps = {item.next_step for item in self.items}
            known = TROUBLES.get(self.first.problem)
            # Of several, each may have a command of its own: those are listed.
            step = known.next_step if len(steps) > 1 and known else self.first.next_step
            return f"{step} ({self.first.actor})"
        return self.first.next_step if len(self.items) == 1 else _GONE

    @property
    def commands(self) -> tuple[str, ...]:
        """The commands that choose a slot, one for each of several bookings that have a choice: the first ten."""
        commands = [item.choose for item in self.items if item.choose]
        return tuple(commands[:MOST_LISTED]) if len(self.items) > 1 else ()

    @property
    def look_closer(self) -> str:
        """The command that tells more."""
        return self.first.look_closer if len(self.items) == 1 else f"oracode alerts list --problem {self.first.problem}"

    @property
    def facts(self) -> tuple[tuple[str, str], ...]:
        """Name and text of each line, in the order in which people need them."""
        count = f"{self.first.count} times" if len(self.items) == 1 and self.first.count > 1 else ""
        affects = self.first.affects if len(self.items) == 1 else ""
        check_in = self.first.check_in if len(self.items) == 1 else ""
        facts = (
            ("What happened" if self.is_open else "What it was", self.happened),
            ("Affects", affects or "\n".join(self.listed)),
            ("Check-in", check_in),
            ("Next", self.next_step),
            (CHOOSE, "\n".join(f"`{command}`" for command in self.commands)),
            ("Look closer", self.look_closer if self.is_open else ""),
            ("Runbook", self.first.runbook if self.is_open and self.first.problem in RUNBOOK_SECTIONS else ""),
            ("Handled", self.first.handled if len(self.items) == 1 else ""),
            ("Seen", count),
        )
        return tuple((name, text) for name, text in facts if text)


def message_of(
    parcel: Parcel, alerts: Mapping[str, Alert], *, group: str, policy: AlertPolicy, now: datetime
) -> AlertMessage:
    """Return what the parcel tells; `alerts` are those of the group, as they stand."""
    told = [alerts[key] for key in parcel.members if key in alerts]
    thread_of = {alert.key: thread_for(alert, parcel) for alert in told}
    items = [_item(alert, thread_of[alert.key], policy) for alert in _in_order(told)]
    threads: dict[str, list[AlertItem]] = {item.thread: [] for item in items}
    for alert in _in_order(alerts.values()):
        known = alert.told_to(parcel.channel).thread if alert.knows(parcel.channel) else ""
        thread = thread_of.get(alert.key) or known
        if thread in threads:
            threads[thread].append(_item(alert, thread, policy))
    level = max((item.severity for item in items), key=lambda each: each.rank)
    # A look is of what is open, unless all of it is over.
    status = ("resolved", "open")[any(alert.is_open for alert in told)] if parcel.status == "look" else parcel.status
    places = {policy.routing.place_of(alert.notice).building for alert in told}
    return AlertMessage(
        delivery_id=parcel.delivery_id,
        group=group,
        status=status,
        severity=level if status == "open" else Severity.INFO,
        building=places.pop() if len(places) == 1 else "",
        items=tuple(items),
        at=now,
        threads={thread: tuple(each) for thread, each in threads.items()},
        remarks=_remarks(told, parcel) if parcel.status == "look" else (),
    )


def thread_for(alert: Alert, parcel: Parcel) -> str:
    """Return the conversation that the alert belongs to once the parcel was taken."""
    if alert.knows(parcel.channel):
        return alert.told_to(parcel.channel).thread
    return parcel.thread or (alert.key if len(parcel.members) == 1 else parcel.delivery_id)


def _in_order(alerts: Iterable[Alert]) -> list[Alert]:
    def order(alert: Alert) -> tuple[int, float, str]:
        check_in = alert.notice.check_in
        return -alert.severity.rank, check_in.timestamp() if check_in else float("inf"), alert.key

    return sorted(alerts, key=order)


def _line_of(item: AlertItem) -> str:
    check_in = f", check-in {item.check_in}" if item.check_in else ""
    return f"{item.subject}{check_in}{f'; handled {item.handled}' if item.handled else ''}"


def _remarks(alerts: Iterable[Alert], parcel: Parcel) -> tuple[str, ...]:
    found = (remark for alert in alerts for remark in untold(alert, parcel.channel))
    return tuple(one_line(shown(remark.text), _LONGEST_TEXT) for remark in found)


def _handled(alert: Alert) -> str:
    if not alert.handled_by or not alert.is_open:
        return ""
    at = local_time(alert.handled_at, alert.notice.time_zone)
    return f"by {one_line(shown(alert.handled_by), _LONGEST_SUBJECT)}{f', {at}' if at else ''}"


def _item(alert: Alert, thread: str, policy: AlertPolicy) -> AlertItem:
    notice = alert.notice
    return AlertItem(
        key=notice.key,
        thread=thread,
        booking_id=notice.booking_id,
        problem=notice.problem,
        status="open" if alert.is_open else "resolved",
        severity=alert.severity if alert.is_open else Severity.INFO,
        news=alert.news,
        subject=one_line(shown(notice.subject), _LONGEST_SUBJECT),
        happened=one_line(shown(notice.happened), _LONGEST_TEXT),
        affects=_affects(alert),
        check_in=check_in_text(notice),
        next_step=notice.next_step if alert.is_open else f"{_GONE} {shown(notice.solved)}".rstrip(),
        actor=notice.actor,
        look_closer=notice.look_closer,
        runbook=runbook_of(notice.problem, policy.runbook_url),
        count=alert.count,
        choices=tuple(_choice(notice, offer) for offer in notice.choices) if alert.is_open else (),
        choose=notice.choose if alert.is_open else "",
        handled=_handled(alert),
    )


def _choice(notice: AlertNotice, offer: SlotOffer) -> SlotChoice:
    starts_at, ends_at = (local_time(each, notice.time_zone) for each in (offer.starts_at, offer.ends_at))
    return SlotChoice(
        door=notice.door_key,
        slot=offer.slot,
        name=one_line(shown(offer.name), _LONGEST_SUBJECT),
        starts_at=offer.starts_at.isoformat(),
        ends_at=offer.ends_at.isoformat(),
        window=f"{starts_at.removesuffix(f' {notice.time_zone}')} to {ends_at}",
        meaning=offer.meaning,
    )


def _affects(alert: Alert) -> str:
    if not alert.hit:
        return ""
    more = alert.hit - len(alert.subjects)
    subjects = (one_line(shown(subject), _LONGEST_SUBJECT) for subject in alert.subjects)
    whom = "\n".join((*subjects, *((f"and {more} more",) if more > 0 else ())))
    noun = "booking is" if alert.hit == 1 else "bookings are"
    return f"{alert.hit} {noun} hit; the check-in below is the nearest:\n{whom}"


def one_line(text: str, longest: int) -> str:
    """Return the text on one line, at most so long."""
    line = " ".join(text.split())
    return line if len(line) <= longest else f"{line[: longest - 1]}…"


def runbook_of(problem: str, base: str) -> str:
    """Return where the runbook speaks of this kind of problem: a link where RUNBOOK_URL is set."""
    return f"{base or 'deploy/RUNBOOK.md'}#{problem}"


def check_in_text(notice: AlertNotice) -> str:
    """Return the check-in on the lock's clock, empty where there is none; of a lock without a zone the wall time."""
    if notice.wall_check_in is not None:
        return f"{notice.wall_check_in:%a %Y-%m-%d %H:%M}, {NO_ZONE_YET}"
    return local_time(notice.check_in, notice.time_zone)


def local_time(moment: datetime | None, time_zone: str | None) -> str:
    """Return a moment on the lock's clock, with its zone; empty where there is none."""
    if moment is None:
        return ""
    if time_zone is None:
        return f"{moment:%Y-%m-%d %H:%M} UTC{moment:%z}"
    return f"{moment.astimezone(ZoneInfo(time_zone)):%a %Y-%m-%d %H:%M} {time_zone}"
