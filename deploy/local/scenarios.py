"""The demo's bookings: for each what is published, what the sandbox does, and how it must end.

Each door is made for the demo. If a stay has to begin or end while a person watches, its door has slots around now.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any, Final
from uuid import uuid4
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("America/Los_Angeles")
# A stay that ends while a person watches. Its code must be made, confirmed and seen as `ready` before.
STAY_ENDS_AFTER: Final = timedelta(seconds=28)

_HOTEL: Final = {"name": "Guest 4pm-10am", "check_in": "16:00", "check_out": "10:00"}
_DAY_USE: Final = {"name": "Day use 7am-7pm", "check_in": "07:00", "check_out": "19:00"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One booking of the demo. `ends_as` is (state, reason); `through` are states it must have been seen in."""

    title: str
    booking: Mapping[str, Any]
    doors: tuple[Mapping[str, Any], ...]
    ends_as: tuple[str, str]
    through: tuple[str, ...] = ()
    faults: tuple[Mapping[str, Any], ...] = ()
    later_slots: Mapping[str, Any] | None = None
    cancelled_when: str | None = None
    alerts: tuple[str, ...] = field(default=())

    @property
    def booking_id(self) -> str:
        """The booking's id."""
        return str(self.booking["booking_id"])


def scenarios(run: str, now: datetime) -> tuple[Scenario, ...]:
    """Return the demo's scenarios; `run` keeps the ids of two demos in one data directory apart."""
    today = now.astimezone(ZONE).replace(hour=0, minute=0, second=0, microsecond=0, tzinfo=None)
    soon = (today + timedelta(days=3)).date().isoformat()
    later = (today + timedelta(days=6)).date().isoformat()
    far = (today + timedelta(days=90)).date().isoformat()
    far_end = (today + timedelta(days=94)).date().isoformat()
    too_late = (today + timedelta(days=48)).date().isoformat()
    local_now = now.astimezone(ZONE).replace(microsecond=0, tzinfo=None)
    ends = local_now + STAY_ENDS_AFTER
    begun = local_now - timedelta(minutes=5)
    brief = {"name": "Ends soon", "check_in": f"{begun:%H:%M:%S}", "check_out": f"{ends:%H:%M:%S}"}

    def door(name: str, *slots: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        return {"device_id": str(uuid4()), "name": name, "time_zone": ZONE.key, "slots": list(slots), **more}

    def stay(name: str, doors: tuple[Mapping[str, Any], ...], check_in: str, check_out: str) -> dict[str, Any]:
        ids = [each["device_id"] for each in doors]
        return {"booking_id": f"{name}-{run}", "device_ids": ids, "check_in": check_in, "check_out": check_out}

    def nights(name: str, *doors: Mapping[str, Any]) -> dict[str, Any]:
        return stay(name, doors, f"{soon}T15:45", f"{later}T10:15")

    simple, double = (door("Room 201", _HOTEL),), (door("Room 202", _HOTEL), door("Garden gate", _HOTEL))
    late_set = (door("Room 203", _HOTEL, program_lead_seconds=3600),)
    day_only, bare = (door("Room 204", _DAY_USE),), (door("Room 205"),)
    long_stay, refusing = (door("Room 206", _HOTEL),), (door("Room 207", _HOTEL),)
    doubtful, dropped, short = (door("Room 208", _HOTEL),), (door("Room 209", _HOTEL),), (door("Room 210", brief),)
    return (
        Scenario(
            title="3:45 pm to 10:15 am fits the slot 4 pm to 10 am",
            booking=nights("READY", *simple),
            doors=simple,
            ends_as=("ready", ""),
            through=("received", "creating", "issued", "ready"),
        ),
        Scenario(
            title="one stay on two doors is one booking with one verdict",
            booking=nights("FAMILY", *double),
            doors=double,
            ends_as=("ready", ""),
        ),
        Scenario(
            title="a door that programs its codes an hour ahead: made, not confirmed yet",
            booking=nights("EARLY", *late_set),
            doors=late_set,
            ends_as=("issued", ""),
        ),
        Scenario(
            title="90 days ahead: no code that can't be taken back is made yet",
            booking=stay("FAR", simple, f"{far}T16:00", f"{far_end}T10:00"),
            doors=(),
            ends_as=("scheduled", "lead_time"),
        ),
        Scenario(
            title="no slot within an hour: a person is told, and it waits",
            booking=nights("MISFIT", *day_only),
            doors=day_only,
            ends_as=("waiting", "no_slot"),
            alerts=("no_slot",),
        ),
        Scenario(
            title="no slots at all, until the installer sets them up: goes on by itself",
            booking=nights("PATIENT", *bare),
            doors=bare,
            ends_as=("ready", ""),
            through=("waiting",),
            later_slots=_HOTEL,
            alerts=("no_slots_configured",),
        ),
        Scenario(
            title="45 nights: refused for good, a person is told what to do",
            booking=stay("LONG", long_stay, f"{soon}T16:00", f"{too_late}T10:00"),
            doors=long_stay,
            ends_as=("failed", "too_long"),
            alerts=("too_long",),
        ),
        Scenario(
            title="Seam refuses to make the code",
            booking=nights("REFUSED", *refusing),
            doors=refusing,
            ends_as=("failed", "refused_by_seam"),
            faults=({"operation": "access_codes.create", "kind": "refuse", "times": 1},),
            alerts=("refused_by_seam",),
        ),
        Scenario(
            title="Seam fails after the code was made: looked up, taken over, not made twice",
            booking=nights("DOUBT", *doubtful),
            doors=doubtful,
            ends_as=("ready", ""),
            through=("creating",),
            faults=({"operation": "access_codes.create", "kind": "error_after", "times": 1},),
        ),
        Scenario(
            title="cancelled after the code was made: it opens the door until it ends",
            booking=nights("CANCELLED", *dropped),
            doors=dropped,
            ends_as=("cancelled", ""),
            cancelled_when="ready",
        ),
        Scenario(
            title="a stay that ends while you watch",
            booking=stay("ENDED", short, f"{begun.isoformat()}", f"{ends.isoformat()}"),
            doors=short,
            ends_as=("ended", ""),
            through=("ready",),
        ),
    )
