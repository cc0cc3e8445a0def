"""Updates of messages that were sent, in channels that can change them: who handles it, how many are affected. Pure.

An update isn't news, and nobody is notified. A channel that can't change messages shows the same in its next one.
"""

from datetime import datetime, timedelta
from typing import Final

from shared.domain.alerting.alert import Alert
from shared.domain.alerting.message_versions import needs_update
from shared.domain.alerting.notifications import Group, Notification, View, delivery_id, slot_of

# The number of affected bookings may change every second; nobody reads it that often.
PAUSE: Final = timedelta(minutes=1)
# About an hour of tries; after that the next message shows it.
MOST_TRIES: Final = 12


def _due_at(alert: Alert, channel: str, now: datetime) -> datetime:
    """Return when the channel shows the new look: at once if somebody pressed a button, otherwise after the pause."""
    told = alert.receipt_of(channel)
    if told.look < alert.prompt_look or told.looked_at is None:
        return now
    return told.looked_at + PAUSE


def update_due(
    view: View, state: Group, channel: str, *, lease: timedelta
) -> tuple[Notification | None, datetime | None]:
    """Return the update that is sent now, leased; otherwise when to check again (None: not until a change).

    It waits for notifications under way to the channel: an older look must not overwrite a newer one.
    """
    wanted = {key: alert for key, alert in view.alerts.items() if needs_update(alert, channel)}
    if not wanted:
        return None, None
    leases = [each.at for each in state.parcels.values() if each.channel == channel and each.is_leased]
    kept = state.parcels.get(slot_of(channel, "look"))
    waits_until = max([*leases, *([kept.at] if kept is not None else [])], default=view.now)
    if waits_until > view.now:
        return None, waits_until
    moments = {key: _due_at(alert, channel, view.now) for key, alert in wanted.items()}
    nearest = min(moments, key=lambda key: (moments[key], key))
    if moments[nearest] > view.now:
        return None, moments[nearest]
    thread = wanted[nearest].receipt_of(channel).thread
    members = {key: alert.look for key, alert in wanted.items() if alert.receipt_of(channel).thread == thread}
    notification = Notification(
        channel=channel,
        status="look",
        members=members,
        delivery_id=f"{delivery_id(view.group, members)}/look",
        is_page=False,
        at=view.now + lease,
        attempts=kept.attempts if kept is not None else 0,
        thread=thread,
    )
    return notification, None
