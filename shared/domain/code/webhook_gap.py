"""Whether Seam's webhooks arrive: Seam's own list of events is compared with the webhooks that came. Pure.

One missing event is fetched from the list, and that is all. Several in a row mean that the webhook is wrong, disabled
or blocked, so all news will be late. That is told once, until webhooks come again.
"""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

# A restart may lose one or two; more aren't chance.
TELL_AFTER: Final = 3
# A gap ends after so many events in a row that came by webhook, or after one if the last missed event is an hour ago.
WEBHOOKS_THAT_END_A_GAP: Final = 10
QUIET_FOR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """`missed` events came by no webhook since `since`. Since `last_missed`, `heard` events did. Empty: no gap."""

    since: datetime | None = None
    last_missed: datetime | None = None
    missed: int = 0
    heard: int = 0

    @property
    def is_open(self) -> bool:
        """Whether people are to be told."""
        return self.missed >= TELL_AFTER


def after_pass(before: Gap, *, missed: list[datetime], heard: int, now: datetime) -> Gap:
    """Return the gap after one comparison: `missed` are the times of the missed events, `heard` came by webhook."""
    if missed:
        return Gap(since=before.since or min(missed), last_missed=now, missed=before.missed + len(missed))
    if before.last_missed is None:
        return before
    after = replace(before, heard=before.heard + heard)
    is_over = after.heard >= WEBHOOKS_THAT_END_A_GAP or (after.heard > 0 and now - before.last_missed >= QUIET_FOR)
    # If the gap was never told, it just expires.
    was_chance = not before.is_open and now - before.last_missed >= QUIET_FOR
    return Gap() if is_over or was_chance else after


def last_webhook_at(webhook_at: datetime | None, gap: Gap) -> datetime | None:
    """Return when the last webhook came; None if a gap is open since then, so that webhooks don't count as working."""
    if webhook_at is not None and gap.is_open and gap.since is not None and gap.since > webhook_at:
        return None
    return webhook_at
