"""One problem over its life: counted while it is open, notified again only with news, resolved once.

`sequence` numbers the news of the problem. A channel is behind while the sequence in its receipt is lower. A channel
that missed some news only gets the newest. What a channel received is recorded by `receipts`, and what it shows by
`message_versions`.
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
    """A reply that is shown once, where a button was pressed; `look` is the first version of the message with it."""

    remark_id: str
    text: str
    look: int
    unknown_fields: UnknownFields = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What one channel received: the news up to `sequence`, in the conversation `thread`.

    - `tried`: the sequence of a try without an answer. It may have arrived.
    - `lost`: the notification was given up, because the channel never took it; `error` says why.
    - `look`: the version of the message that the channel shows, since `looked_at`.
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
    """One problem. The names of the fields are stored.

    - `group`: the group that it is told with. `severity`: the level that was told last.
    - `sequence`: the number of the newest news, which is `news`, of the time `news_at`. `opened_sequence`: that of its
      latest opening.
    - `reminders`: how many were sent at this severity. `handled_by`: who takes care of it, so that no more are sent.
    - `look`: the version of its message, which grows with changes that aren't news. `prompt_look`: the version that
      somebody waits for, after pressing a button. `remarks`: the latest replies.
    - `hit`, `subjects`: of a cause with several bookings, how many they are, and some of them.
    - `told`: the receipts, by the name of the channel.
    - `unsolved_sequence`: the sequence of its end, if it ended although the problem goes on. `notice.solved` says then
      which alert tells of the problem now.

    Some causes get their members one by one:

    - `known_until`: the stream entry of the newest member in this record.
    - `newcomers`: how many members people were not told of yet. `joined`: some of them, kept until the news after the
      one that tells of them. `joins`: how often newcomers were told.
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
    return next_version(replace(alert, handled_by=by, handled_at=at), is_prompt=True)


def next_version(alert: Alert, *, is_prompt: bool) -> Alert:
    """Return the alert with a new version of its message, so that messages in channels are updated. It isn't news.

    `is_prompt`: somebody waits to see it.
    """
    look = alert.look + 1
    return replace(alert, look=look, prompt_look=look if is_prompt else alert.prompt_look)
