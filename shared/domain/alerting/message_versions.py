"""Versions of an alert's message: replies in it, which version a channel shows, and whether it needs an update. Pure.

The message gets a new version if it changes and that is no news to people (`next_version`). The number of the version
is the alert's field `look`, which is stored under that name.
"""

from dataclasses import replace
from datetime import datetime
from typing import Final

from shared.domain.alerting.alert import Alert, Remark, next_version
from shared.domain.alerting.inhibition import parent_of

# Older ones are in the booking's story.
_MOST_REMARKS: Final = 5


def add_remark(alert: Alert, remark_id: str, text: str) -> Alert:
    """Record a reply that is shown once in the problem's conversation. Returns the same object the second time."""
    if any(remark.remark_id == remark_id for remark in alert.remarks):
        return alert
    after = next_version(alert, is_prompt=True)
    remark = Remark(remark_id=remark_id, text=text, look=after.look)
    return replace(after, remarks=(*alert.remarks, remark)[-_MOST_REMARKS:])


def record_shown_version(alert: Alert, channel: str, look: int, at: datetime) -> Alert:
    """Record that `channel` shows this version of the message, the alert's `look`."""
    known = alert.receipt_of(channel)
    told = replace(known, look=max(look, known.look), looked_at=at)
    return replace(alert, told={**alert.told, channel: told})


def unshown_remarks(alert: Alert, channel: str) -> tuple[Remark, ...]:
    """Return the replies that the channel hasn't shown yet."""
    seen = alert.receipt_of(channel).look
    return tuple(remark for remark in alert.remarks if remark.look > seen)


def version_with_news(alert: Alert, channel: str) -> int:
    """Return the version that the channel shows after a notification: it has no replies, so the last before them."""
    remarks = unshown_remarks(alert, channel)
    return remarks[0].look - 1 if remarks else alert.look


def needs_update(alert: Alert, channel: str) -> bool:
    """Say whether the channel shows an old version of the message, and no notification follows that replaces it."""
    is_shown = alert.was_notified(channel) and not alert.is_behind(channel) and parent_of(alert.notice) is None
    is_old = alert.receipt_of(channel).look < alert.look
    return is_shown and is_old and (alert.is_open or bool(unshown_remarks(alert, channel)))
