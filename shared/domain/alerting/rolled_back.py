"""The alert of a ledger that may lack its last writes: the time of those writes, and what was found at Seam. Pure."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import AlertNotice
from shared.domain.quoting import shown

KEY: Final = f"data-server/{Reason.LEDGER_ROLLED_BACK}"
# Nobody can see whether the booking system has sent its messages again. After this time the alert ends.
TOLD_FOR: Final = timedelta(hours=24)
_MOST_NAMED: Final = 10


@dataclass(frozen=True, slots=True)
class StrayCode:
    """A code that was made in that time and belongs to no booking in the ledger."""

    access_code_id: str
    device_id: str


@dataclass(frozen=True, slots=True)
class FoundAtSeam:
    """What a look at the doors found: the number of codes of known bookings, and the stray codes, the latest first."""

    taken_over: int
    strays: Sequence[StrayCode]


def rolled_back_notice(
    since: datetime,
    until: datetime,
    *,
    is_certain: bool,
    found: FoundAtSeam | None,
    now: datetime,
    is_restore: bool = False,
) -> AlertNotice:
    """Return the notice; `found` is None until Seam was read. `is_restore`: a person restored a backup."""
    what = "are missing" if is_certain else "may be missing"
    span = f"from {since:%Y-%m-%d %H:%M:%S} to {until:%Y-%m-%d %H:%M:%S} UTC"
    return alert_notice(
        Reason.LEDGER_ROLLED_BACK,
        key=KEY,
        subject="The data server was restored from a backup" if is_restore else "The data server failed over",
        at=now,
        detail=f"Bookings and changes of bookings that were accepted {span} {what}. {_looked(found)}",
        look_closer="oracode reconcile",
    )


def _looked(found: FoundAtSeam | None) -> str:
    if found is None:
        return "No code is made until a call of that time must have ended; then Seam is looked at."
    adopted = f"At Seam {found.taken_over} codes of known bookings were found and are taken over."
    if not found.strays:
        return f"{adopted} No code of that time is without a booking."
    named = ", ".join(f"{shown(each.access_code_id)} on {shown(each.device_id)}" for each in found.strays[:_MOST_NAMED])
    more = f" and {len(found.strays) - _MOST_NAMED} more" if len(found.strays) > _MOST_NAMED else ""
    return f"{adopted} Codes of that time without a booking: {named}{more}. Bookings that come again get them."
