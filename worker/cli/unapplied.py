"""The line by which commands tell of a message that was parked or refused."""

from datetime import UTC, datetime

from shared.refused_messages import RefusedMessages
from shared.unapplied_messages import UnappliedMessage, UnappliedMessages
from worker.alerts.composing import NO_ZONE_YET
from worker.cli.printable import printable
from worker.ports import Ports


def unapplied_messages(ports: Ports) -> UnappliedMessages:
    """Return the reader of both lists."""
    return UnappliedMessages(parked=ports.parked, refused=RefusedMessages(ports.redis), ledger=ports.ledger)


def check_in_text(message: UnappliedMessage) -> str:
    """Return the check-in on the lock's clock; in UTC, or as written, where nobody knows the lock's zone."""
    at = message.on_lock_clock
    if at is None or message.time_zone is not None:
        return f"{at:%Y-%m-%d %H:%M}" if at is not None else ""
    if at.tzinfo is None:
        return f"{at:%Y-%m-%d %H:%M}, {NO_ZONE_YET}"
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M} UTC"


def message_line(message: UnappliedMessage, now: datetime) -> str:
    """Return a line that says what is wrong, what to do first near check-in, and how to read more."""
    step = f"Look at it with `oracode parked show {message.parked_id}`."
    if message.is_refused:
        step = "Have its sender send it as it should be."
    return f"{printable(message.why)} {message.with_first_step(step, now)}"
