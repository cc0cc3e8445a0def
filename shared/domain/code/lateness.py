"""When a code that isn't confirmed yet is late: it should be set on the lock by now."""

from datetime import datetime, timedelta
from typing import Final

from shared.domain.booking.record import AccessCode

# Seam programs a code about 60 minutes before its start (Seam docs, "Access codes": just-in-time programming).
PROGRAMMED_BEFORE: Final = timedelta(minutes=60)


def late_at(code: AccessCode, late_set_after: timedelta) -> datetime:
    """Return the moment from which a code that isn't confirmed is late."""
    return max(code.window.starts_at - PROGRAMMED_BEFORE, code.known_since) + late_set_after
