"""Whether Seam's webhooks arrive: what its own list of events had, against what they brought. Pure.

A single event that goes missing is fetched and forgotten. Several in a row mean that the webhook is wrong, disabled or
blocked, and that every piece of news is late from now on: that is told, once, until webhooks come again.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

# One or two may be lost by a restart; more are not chance.
TELL_AFTER: Final = 3
# So many in a row that came by webhook end the gap; or any one, an hour after the last that didn't.
HEARD_AGAIN: Final = 10
QUIET_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Events that came by no webhook since `since`; `heard` did since the `last_missed`. Empty: all is well."""

    since: datetime | None = None
    last_missed: datetime | None = None
    missed: int = 0
    heard: int = 0

    @property
    def is_open(self) -> bool:
        """Whether people should know."""
        return self.missed >= TELL_AFTER


def after_pass(before: Gap, *, missed: list[datetime], heard: int, now: datetime) -> Gap:
    """Return the gap after one comparison: when the `missed` events happened, and how many were `heard` by webhook."""
    if missed:
        return Gap(since=before.since or min(missed), last_missed=now, missed=before.missed + len(missed))
    if before.last_missed is None:
        return before
    after = replace(before, heard=before.heard + heard)
    is_over = after.heard >= HEARD_AGAIN or (after.heard > 0 and now - before.last_missed >= QUIET_FOR)
    # A gap that was never told needs no proof that it is over.
    was_chance = not before.is_open and now - before.last_missed >= QUIET_FOR
    return Gap() if is_over or was_chance else after


def heard_at(webhook_at: datetime | None, gap: Gap) -> datetime | None:
    """Return when a webhook came last; None where several events came by none since: nobody takes them any more."""
    if webhook_at is not None and gap.is_open and gap.since is not None and gap.since > webhook_at:
        return None
    return webhook_at
