"""How full a lock is: `max_active_codes_supported` against the codes still alive on it, and a warning in time."""

from datetime import datetime
from typing import Final

from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AlertNotice
from shared.domain.door.door import Door
from shared.ledger.alerts import AlertLedger

# Codes can't be deleted, so a lock that is this full stays so for weeks. People should know before it is full.
NEARLY_FULL: Final = 0.8


def room_of(door: Door, *, alive: int) -> int | None:
    """Return how many more codes the lock takes; None where it doesn't say how many it can hold."""
    most = door.max_active_codes_supported
    return None if most is None else max(0, most - alive)


class CodeLimitWatch:
    """Tells when a lock gets full and when it isn't any more."""

    def __init__(self, alerts: AlertLedger) -> None:
        self._alerts = alerts

    def note(self, door: Door, *, alive: int, now: datetime) -> None:
        """Take in how many codes are in use; nothing where the lock doesn't say how many it can hold."""
        most = door.max_active_codes_supported
        if most is None:
            return
        key = f"door/{door.device_id}/nearly_full"
        is_nearly_full = alive >= NEARLY_FULL * most
        self._alerts.record_change(_notice(door, key, alive=alive, most=most, raised=is_nearly_full, now=now))


def _notice(door: Door, key: str, *, alive: int, most: int, raised: bool, now: datetime) -> AlertNotice:
    return alert_notice(
        Reason.NEARLY_FULL,
        key=key,
        subject=f"Door {door.name or door.device_id}",
        at=now,
        raised=raised,
        detail=f"{alive} of {most} are in use.",
        look_closer="oracode bookings list",
        device_id=door.device_id,
    )
