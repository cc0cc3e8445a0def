"""One problem over its life: counted while it is open, told again only with news, resolved once.

`sequence` numbers what is to be told: a channel is behind while its own is lower. A channel that missed some hears the
newest alone, as it then stands.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.domain import versions
from shared.domain.alerting.severity import Severity, severity
from shared.domain.booking.record import AlertNotice
from shared.domain.versions import NOT_IN_JSON, UnknownFields

# Older entries are in the booking's story.
_MOST_REMARKS: Final = 5
# As `shared.seam.errors` writes it: of use to Seam's support, and no news.
_REQUEST: Final = re.compile(r" ?\(request [\w.:-]{1,100}\)", re.ASCII)


class News(StrEnum):
    """Why it is told (again)."""

    OPENED = "opened"
    CHANGED = "changed"
    ROSE = "rose"
    REMINDER = "reminder"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something to be said once where a button was pressed; `look` is the alert's that it came with."""

    remark_id: str
    text: str
    look: int
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """How far one channel has been told: up to `sequence`, in the conversation `thread`.

    `look` is how the problem is shown there, since `looked_at`.

    `lost` says that it was given up: the channel never took it, and `error` says why. `tried` is what the channel may
    have got in a try without an answer.
    """

    sequence: int = 0
    tried: int = 0
    thread: str = ""
    lost: bool = False
    error: str = ""
    look: int = 0
    looked_at: datetime | None = None
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Alert:
    """One problem. `severity` is the level that was told last; `reminders` counts those since it was reached.

    `group` names those that it is told with. `handled_by` is who said that it needs no more reminders. `hit` and
    `subjects` are, for a cause of many problems, how many and which. `look` counts what changes how it looks without
    being news; that of `prompt_look` somebody waits for. `remarks` are the latest.

    Of a cause whose members come one by one, `known_until` is the stream entry of the newest that this record knows.
    `newcomers` counts those that people were not told of yet, and `joined` names some of them, until the news after
    the one that tells them. `joins` is how often newcomers were told.

    `unsolved_sequence` is that of an end at which the problem wasn't gone: `notice.solved` says what tells of it then.
    """

    notice: AlertNotice
    opened_at: datetime
    news_at: datetime
    group: str = ""
    severity: Severity = Severity.WARNING
    is_open: bool = True
    count: int = 1
    sequence: int = 1
    opened_sequence: int = 1
    news: News = News.OPENED
    reminders: int = 0
    handled_by: str = ""
    handled_at: datetime | None = None
    look: int = 0
    prompt_look: int = 0
    remarks: tuple[Remark, ...] = ()
    hit: int = 0
    subjects: tuple[str, ...] = ()
    known_until: str = ""
    newcomers: int = 0
    joined: tuple[str, ...] = ()
    joins: int = 0
    unsolved_sequence: int = 0
    told: Mapping[str, Told] = field(default_factory=dict)
    schema: str = versions.ALERT
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)

    @property
    def key(self) -> str:
        """The problem's key."""
        return self.notice.key

    @property
    def goes_on(self) -> bool:
        """Whether it isn't open any more, though its problem isn't gone."""
        return not self.is_open and self.unsolved_sequence == self.sequence

    def told_to(self, channel: str) -> Told:
        """Return how far `channel` has been told."""
        return self.told.get(channel, Told())

    def is_behind(self, channel: str) -> bool:
        """Say whether there is something that `channel` hasn't been told."""
        return self.told_to(channel).sequence < self.sequence

    def knows(self, channel: str) -> bool:
        """Say whether `channel` was told of this problem since it last opened, or may have been."""
        told = self.told_to(channel)
        is_told = told.sequence >= self.opened_sequence and not told.lost
        return is_told or told.tried >= self.opened_sequence


def heard(before: Alert | None, notice: AlertNotice, *, group: str = "", level: Severity | None = None) -> Alert | None:
    """Return the alert after `notice`; None where a problem is resolved that nobody was told of.

    `group` and `level` count where the problem is new.
    """
    if before is None or (notice.raised and not before.is_open):
        return _opened(before, notice, group, level) if notice.raised else None
    if notice.raised:
        is_news = what_is_said(notice.happened) != what_is_said(before.notice.happened)
        after = replace(before, notice=notice, count=before.count + 1)
        return _with_news(after, News.CHANGED, notice.at) if is_news else after
    if not before.is_open:
        return before
    over = replace(before, notice=replace(before.notice, solved=notice.solved))
    return replace(_with_news(over, News.RESOLVED, notice.at), is_open=False)


def what_is_said(happened: str) -> str:
    """Return the text without what differs between two tries that failed alike: Seam's ids of the requests."""
    return _REQUEST.sub("", happened)


def _opened(before: Alert | None, notice: AlertNotice, group: str, level: Severity | None) -> Alert:
    sequence = before.sequence + 1 if before else 1
    return Alert(
        notice=notice,
        opened_at=notice.at,
        news_at=notice.at,
        group=group or notice.key,
        severity=level or severity(notice.check_in, notice.at, check_out=notice.check_out),
        sequence=sequence,
        opened_sequence=sequence,
        told=before.told if before else {},
        look=before.look if before else 0,
        schema=before.schema if before else versions.ALERT,
        unknown_fields=before.unknown_fields if before else (),
    )


def _with_news(alert: Alert, news: News, now: datetime) -> Alert:
    """Return the alert with something new to be told; who handled what was known hasn't handled this."""
    return replace(_next_word(alert, news, now), handled_by="", handled_at=None)


def _next_word(alert: Alert, news: News, now: datetime) -> Alert:
    """Return the alert with something to be told; those who joined so far are told with it."""
    joined = alert.joined if alert.newcomers else ()
    return replace(alert, sequence=alert.sequence + 1, news=news, news_at=now, newcomers=0, joined=joined)


def risen(alert: Alert, level: Severity, now: datetime) -> Alert:
    """Return the alert at a higher level, which is news: also of what somebody handles, for check-in is nearer now."""
    return replace(_next_word(alert, News.ROSE, now), severity=level, reminders=0)


def reminded(alert: Alert, now: datetime) -> Alert:
    """Return the alert with a reminder to be told."""
    return replace(_next_word(alert, News.REMINDER, now), reminders=alert.reminders + 1)


def newcomers_told(alert: Alert, now: datetime) -> Alert:
    """Return the alert with its newcomers to be told; the person who handles the cause still does."""
    return replace(_next_word(alert, News.CHANGED, now), joins=alert.joins + 1)


def handled(alert: Alert, by: str, at: datetime | None = None) -> Alert:
    """Record that somebody takes care of it: no more reminders, until there is news; a repeat changes nothing."""
    if not alert.is_open or alert.handled_by == by:
        return alert
    return looking_otherwise(replace(alert, handled_by=by, handled_at=at), is_prompt=True)


def remarked(alert: Alert, remark_id: str, text: str) -> Alert:
    """Record what is to be said once in the problem's conversation. The same object the second time."""
    if any(remark.remark_id == remark_id for remark in alert.remarks):
        return alert
    after = looking_otherwise(alert, is_prompt=True)
    remark = Remark(remark_id=remark_id, text=text, look=after.look)
    return replace(after, remarks=(*alert.remarks, remark)[-_MOST_REMARKS:])


def looking_otherwise(alert: Alert, *, is_prompt: bool) -> Alert:
    """Return the alert as one that looks another way now, without news; `is_prompt` where somebody waits to see it."""
    look = alert.look + 1
    return replace(alert, look=look, prompt_look=look if is_prompt else alert.prompt_look)


def looked(alert: Alert, channel: str, look: int, at: datetime) -> Alert:
    """Record that `channel` shows it as it looked then."""
    known = alert.told_to(channel)
    told = replace(known, look=max(look, known.look), looked_at=at)
    return replace(alert, told={**alert.told, channel: told})


def delivered(alert: Alert, channel: str, sequence: int, *, thread: str = "") -> Alert:
    """Record that `channel` has taken what `sequence` stood for; a late word takes nothing back."""
    known = alert.told_to(channel)
    goes_on = known.thread if alert.knows(channel) else ""
    taken, thread = max(sequence, known.sequence), goes_on or thread or alert.key
    told = replace(known, sequence=taken, thread=thread, tried=0, lost=False, error="")
    return replace(alert, told={**alert.told, channel: told})


def maybe_told(alert: Alert, channel: str, sequence: int, *, thread: str) -> Alert:
    """Record that `channel` may have got what `sequence` stood for; the same object where that is known."""
    known = alert.told_to(channel)
    if max(known.tried, known.sequence) >= sequence:
        return alert
    told = replace(known, tried=sequence, thread=known.thread if alert.knows(channel) else thread)
    return replace(alert, told={**alert.told, channel: told})


def given_up(alert: Alert, channel: str, sequence: int, *, error: str) -> Alert:
    """Record that `channel` wouldn't take what `sequence` stood for, and isn't tried with it any more."""
    known = alert.told_to(channel)
    if known.sequence >= sequence:
        return alert
    told = replace(known, sequence=sequence, lost=True, error=error)
    return replace(alert, told={**alert.told, channel: told})


def untold(alert: Alert, channel: str) -> tuple[Remark, ...]:
    """Return what was remarked on the problem since the channel last showed it."""
    seen = alert.told_to(channel).look
    return tuple(remark for remark in alert.remarks if remark.look > seen)


def look_with_news(alert: Alert, channel: str) -> int:
    """Return which look news shows to the channel: all but what is to be said where a button was pressed."""
    remarks = untold(alert, channel)
    return remarks[0].look - 1 if remarks else alert.look
