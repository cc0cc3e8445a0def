"""Records what became of notifications, in the receipts of an alert: taken, perhaps taken, given up. Pure."""

from dataclasses import replace

from shared.domain.alerting.alert import Alert


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
