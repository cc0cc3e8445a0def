"""One problem over its life: counted while it is open, notified again only with news, resolved once.

`sequence` numbers the news of the problem. A channel is behind while the sequence in its receipt is lower. A channel
that missed some news only gets the newest.
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

# Older ones are in the booking's story.
_MOST_REMARKS: Final = 5
# The request id as `shared.seam.errors` writes it. Seam's support needs it; another id is no news.
_REQUEST: Final = re.compile(r" ?\(request [\w.:-]{1,100}\)", re.ASCII)


class News(StrEnum):
    """Why people are told of the problem (again)."""

    OPENED = "opened"
    CHANGED = "changed"
    ROSE = "rose"
    REMINDER = "reminder"
    RESOLVED = "resolved"


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """A reply that is shown once, where a button was pressed; `look` is the alert's look that has it."""

    remark_id: str
    text: str
    look: int
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one channel received: the news up to `sequence`, in the conversation `thread`.

    `look` is the look that the channel shows, since `looked_at`. `lost`: the notification was given up, because the
    channel never took it; `error` says why. `tried` is the sequence of a try without an answer: it may have arrived.
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
    """One problem.

    `severity` is the level that was told last; `reminders` counts the reminders at this level. `group` names the group
    that it is told with. `handled_by` is the person who takes care of it: no more reminders are sent. If it is a cause
    of many problems, `hit` is their number and `subjects` names some. `look` counts the changes of how the alert is
    shown that aren't news. Somebody waits for the look `prompt_look`. `remarks` are the latest replies.

    Some causes get their members one by one. For these, `known_until` is the stream entry of the newest member in this
    record. `newcomers` counts the members that people were not told of yet. `joined` names some of them; it is kept
    until the news after the one that tells of them. `joins` counts how often newcomers were told.

    `told` are the receipts, by the name of the channel; the field is stored under this name.

    `unsolved_sequence` is set if the alert ended although its problem goes on: it is the sequence of that end, and
    `notice.solved` says which alert tells of the problem now.
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
    told: Mapping[str, Receipt] = field(default_factory=dict)
    schema: str = versions.ALERT
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)

    @property
    def key(self) -> str:
        """The problem's key."""
        return self.notice.key

    @property
    def is_unsolved(self) -> bool:
        """Whether the alert has ended although its problem isn't gone."""
        return not self.is_open and self.unsolved_sequence == self.sequence

    def receipt_of(self, channel: str) -> Receipt:
        """Return what `channel` received; an empty receipt if nothing was delivered."""
        return self.told.get(channel, Receipt())

    def is_behind(self, channel: str) -> bool:
        """Say whether there is news that `channel` hasn't received."""
        return self.receipt_of(channel).sequence < self.sequence

    def was_notified(self, channel: str) -> bool:
        """Say whether `channel` was notified of this problem since it last opened, or may have been."""
        told = self.receipt_of(channel)
        is_told = told.sequence >= self.opened_sequence and not told.lost
        return is_told or told.tried >= self.opened_sequence


def record_notice(
    before: Alert | None, notice: AlertNotice, *, group: str = "", level: Severity | None = None
) -> Alert | None:
    """Return the alert after `notice`; None if a problem ended that was never raised.

    `group` and `level` are only used if the problem is new.
    """
    if before is None or (notice.raised and not before.is_open):
        return _opened(before, notice, group, level) if notice.raised else None
    if notice.raised:
        is_news = without_request_ids(notice.happened) != without_request_ids(before.notice.happened)
        after = replace(before, notice=notice, count=before.count + 1)
        return _with_news(after, News.CHANGED, notice.at) if is_news else after
    if not before.is_open:
        return before
    over = replace(before, notice=replace(before.notice, solved=notice.solved))
    return replace(_with_news(over, News.RESOLVED, notice.at), is_open=False)


def without_request_ids(happened: str) -> str:
    """Return the text without Seam's request ids: they differ between two tries that failed for the same reason."""
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
    """Return the alert with news that nobody handles yet: the person who handled the alert didn't know of it."""
    return replace(_with_next_sequence(alert, news, now), handled_by="", handled_at=None)


def _with_next_sequence(alert: Alert, news: News, now: datetime) -> Alert:
    """Return the alert with something to deliver; the newcomers so far are announced with it."""
    joined = alert.joined if alert.newcomers else ()
    return replace(alert, sequence=alert.sequence + 1, news=news, news_at=now, newcomers=0, joined=joined)


def raise_severity(alert: Alert, level: Severity, now: datetime) -> Alert:
    """Return the alert at a higher severity. That is news even if somebody handles it: check-in is nearer now."""
    return replace(_with_next_sequence(alert, News.ROSE, now), severity=level, reminders=0)


def add_reminder(alert: Alert, now: datetime) -> Alert:
    """Return the alert with a reminder to deliver."""
    return replace(_with_next_sequence(alert, News.REMINDER, now), reminders=alert.reminders + 1)


def announce_new_members(alert: Alert, now: datetime) -> Alert:
    """Return the alert with its newcomers to announce; the person who handles the cause still does."""
    return replace(_with_next_sequence(alert, News.CHANGED, now), joins=alert.joins + 1)


def mark_handled(alert: Alert, by: str, at: datetime | None = None) -> Alert:
    """Record that somebody takes care of it: no more reminders until there is news. Idempotent."""
    if not alert.is_open or alert.handled_by == by:
        return alert
    return refresh_message(replace(alert, handled_by=by, handled_at=at), is_prompt=True)


def add_remark(alert: Alert, remark_id: str, text: str) -> Alert:
    """Record a reply that is shown once in the problem's conversation. Returns the same object the second time."""
    if any(remark.remark_id == remark_id for remark in alert.remarks):
        return alert
    after = refresh_message(alert, is_prompt=True)
    remark = Remark(remark_id=remark_id, text=text, look=after.look)
    return replace(after, remarks=(*alert.remarks, remark)[-_MOST_REMARKS:])


def refresh_message(alert: Alert, *, is_prompt: bool) -> Alert:
    """Return the alert with a new look, so that shown messages are updated; it isn't news.

    `is_prompt`: somebody waits to see it.
    """
    look = alert.look + 1
    return replace(alert, look=look, prompt_look=look if is_prompt else alert.prompt_look)


def record_refresh(alert: Alert, channel: str, look: int, at: datetime) -> Alert:
    """Record that `channel` shows the alert with this `look`."""
    known = alert.receipt_of(channel)
    told = replace(known, look=max(look, known.look), looked_at=at)
    return replace(alert, told={**alert.told, channel: told})


def record_delivery(alert: Alert, channel: str, sequence: int, *, thread: str = "") -> Alert:
    """Record that `channel` received the news up to `sequence`; a late, lower one changes nothing."""
    known = alert.receipt_of(channel)
    goes_on = known.thread if alert.was_notified(channel) else ""
    taken, thread = max(sequence, known.sequence), goes_on or thread or alert.key
    told = replace(known, sequence=taken, thread=thread, tried=0, lost=False, error="")
    return replace(alert, told={**alert.told, channel: told})


def record_possible_delivery(alert: Alert, channel: str, sequence: int, *, thread: str) -> Alert:
    """Record that `channel` may have received the news up to `sequence`; the same object if that is known already."""
    known = alert.receipt_of(channel)
    if max(known.tried, known.sequence) >= sequence:
        return alert
    told = replace(known, tried=sequence, thread=known.thread if alert.was_notified(channel) else thread)
    return replace(alert, told={**alert.told, channel: told})


def record_failed_delivery(alert: Alert, channel: str, sequence: int, *, error: str) -> Alert:
    """Record that `channel` didn't take the notification up to `sequence`, and that it isn't tried any more."""
    known = alert.receipt_of(channel)
    if known.sequence >= sequence:
        return alert
    told = replace(known, sequence=sequence, lost=True, error=error)
    return replace(alert, told={**alert.told, channel: told})


def unshown_remarks(alert: Alert, channel: str) -> tuple[Remark, ...]:
    """Return the replies that the channel hasn't shown yet."""
    seen = alert.receipt_of(channel).look
    return tuple(remark for remark in alert.remarks if remark.look > seen)


def look_with_news(alert: Alert, channel: str) -> int:
    """Return the look that news shows to the channel: the newest one before the replies that aren't shown yet."""
    remarks = unshown_remarks(alert, channel)
    return remarks[0].look - 1 if remarks else alert.look
