"""Residual access: which codes still open which doors though their booking is cancelled or changed, until when."""

from dataclasses import dataclass
from datetime import datetime
from typing import Final
from zoneinfo import ZoneInfo

from receiver.console.operations import Call, Operation
from shared.console_tokens import Role

_MOST: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualRow:
    """One code that still opens a door. `opens_until` is on the lock's clock where its zone is known."""

    booking_id: str
    label: str
    state: str
    device_id: str
    door_name: str
    unit: str
    building: str
    access_code_id: str
    opens_from: datetime
    opens_until: datetime
    time_zone: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ResidualAccess:
    """What ends first comes first. `most` bookings at most are listed."""

    as_of: datetime
    most: int
    codes: tuple[ResidualRow, ...]


def read_residual(call: Call) -> ResidualAccess:
    """Return every code that still opens a door it shouldn't."""
    rows = []
    for booking in call.ports.search.with_residual_access(call.now, most=_MOST):
        for door in booking.doors:
            place = call.ports.places.of(door.device_id)
            zone = ZoneInfo(door.time_zone) if door.time_zone else None
            rows += [
                ResidualRow(
                    booking_id=booking.booking_id,
                    label=booking.label or "",
                    state=str(booking.state),
                    device_id=door.device_id,
                    door_name=door.name or door.device_id,
                    unit=place.unit,
                    building=place.building,
                    access_code_id=code.access_code_id,
                    opens_from=code.window.starts_at.astimezone(zone) if zone else code.window.starts_at,
                    opens_until=code.window.ends_at.astimezone(zone) if zone else code.window.ends_at,
                    time_zone=door.time_zone,
                )
                for code in door.residual
                if code.window.ends_at > call.now
            ]
    rows.sort(key=lambda row: (row.opens_until, row.booking_id))
    return ResidualAccess(as_of=call.now, most=_MOST, codes=tuple(rows))


OPERATIONS: Final = (
    Operation(
        name="residual_access",
        method="GET",
        path="/residual-access",
        role=Role.VIEWER,
        summary="Codes that still open a door though their booking is cancelled or changed, and until when.",
        handle=read_residual,
        answer=ResidualAccess,
        page="/residual-access",
        template="residual.html",
    ),
)
