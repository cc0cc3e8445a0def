"""What is driven through a running system before its data is recorded: a booking in every state, and what goes with it.

All doors are where no clock is ever changed, so that the recorded days can be moved without moving a time of day.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

ZONE: Final = ZoneInfo("America/Phoenix")
HOTEL: Final = {"name": "Guest", "check_in": "16:00", "check_out": "10:00"}
DAY_USE: Final = {"name": "Day use", "check_in": "07:00", "check_out": "19:00"}
NOON: Final = {"name": "Noon", "check_in": "12:00", "check_out": "12:00", "is_24_hour": True}
DRIFTED: Final = {"name": "Guest", "check_in": "18:00", "check_out": "11:00"}
# How long before their check-in the codes of the unit "soon" are made: a little after the recording.
SOON: Final = timedelta(minutes=10)


def door_id(number: int) -> str:
    """Return the id of one door."""
    return f"d0000000-0000-4000-8000-{number:012}"


def level_id(number: int, place: int) -> str:
    """Return the id of a user level: that of the slot at this place on a door."""
    return f"d0000000-0000-4000-9000-{number:09}{place:03}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """One booking: its doors, what befalls calls for them, and the (state, reason) that it is driven to first."""

    booking_id: str
    first: tuple[str, str]
    doors: tuple[Mapping[str, Any], ...]
    booking: Mapping[str, Any]
    faults: tuple[Mapping[str, Any], ...] = ()


class Script:
    """The scenes, on doors numbered from 101, for a recording that begins at `now`."""

    def __init__(self, now: datetime) -> None:
        self._today = now.astimezone(ZONE).date()
        self._now = now
        self._number = 100
        self.units: dict[str, list[str]] = {}
        self.full = self.door(HOTEL, max_active_codes=1)

    def day(self, days: int) -> str:
        """Return a day, counted from today at the doors."""
        return (self._today + timedelta(days=days)).isoformat()

    def stay(self, first: int = 5, last: int = 8) -> dict[str, Any]:
        """Return a stay that fits the slot HOTEL."""
        return {"check_in": f"{self.day(first)}T15:45", "check_out": f"{self.day(last)}T10:15"}

    def door(self, *slots: Mapping[str, Any], **more: Any) -> dict[str, Any]:
        """Return a new door."""
        self._number += 1
        spec = {"device_id": door_id(self._number), "name": f"Room {self._number}", "time_zone": ZONE.key}
        listed = [{**slot, "user_level_id": level_id(self._number, n)} for n, slot in enumerate(slots, 1)]
        return {**spec, "slots": listed, **more}

    def scene(
        self,
        booking_id: str,
        first: tuple[str, str],
        *doors: Mapping[str, Any],
        faults: tuple[Mapping[str, Any], ...] = (),
        **booking: Any,
    ) -> Scene:
        """Return a scene; without other times, the stay is `stay()` and the door has the slot HOTEL."""
        doors = doors or (self.door(HOTEL),)
        named = {} if "unit" in booking else {"device_ids": [each["device_id"] for each in doors]}
        content = {"booking_id": booking_id, **self.stay(), **named, **booking}
        if "unit" in booking:
            self.units[booking["unit"]] = [each["device_id"] for each in doors]
        return Scene(
            booking_id=booking_id,
            first=first,
            doors=doors,
            booking=content,
            faults=faults,
        )

    def first_part(self) -> tuple[Scene, ...]:
        """Return what needs long stays to be refused, or comes to its end while the rest is recorded."""
        begun = self._now.astimezone(ZONE).replace(microsecond=0, tzinfo=None) - timedelta(minutes=5)
        brief = {"name": "Ends soon", "check_in": f"{begun:%H:%M:%S}"}
        ended, forgotten = begun + timedelta(minutes=5, seconds=40), begun + timedelta(minutes=5, seconds=41)
        return (
            self.scene("FAILED-LONG", ("failed", "too_long"), check_out=f"{self.day(50)}T10:00"),
            *(
                self.scene(
                    booking_id,
                    ("ready", ""),
                    self.door({**brief, "check_out": f"{ends:%H:%M:%S}"}),
                    check_in=begun.isoformat(),
                    check_out=ends.isoformat(),
                    label="A guest's label",
                )
                for booking_id, ends in (("ENDED", ended), ("FORGOTTEN", forgotten))
            ),
        )

    def second_part(self) -> tuple[Scene, ...]:
        """Return all whose state is theirs for as long as nobody does anything."""
        refuse = {"operation": "access_codes.create", "kind": "refuse", "times": 1}
        limit = {"operation": "access_codes.create", "kind": "rate_limit", "times": None, "retry_after": 900}
        tokyo: dict[str, Any] = {
            "check_in": f"{self.day(6)}T07:45",
            "check_out": f"{self.day(9)}T02:15",
            "time_zone": "Asia/Tokyo",
        }
        instants: dict[str, Any] = {
            "check_in": f"{self.day(5)}T22:45:00Z",
            "check_out": f"{self.day(8)}T10:15:00-07:00",
        }
        return (
            self.scene("READY-PLAIN", ("ready", ""), label="Room 101, late arrival"),
            self.scene("READY-FAMILY", ("ready", ""), self.door(HOTEL), self.door(HOTEL)),
            # Days alone, at the unit's times.
            self.scene(
                "READY-DAILY",
                ("ready", ""),
                self.door(NOON),
                unit="101",
                granularity="daily",
                check_in=self.day(5),
                check_out=self.day(8),
            ),
            self.scene("READY-CHOSEN", ("waiting", "no_slot"), self.door(DAY_USE)),
            self.scene("READY-SPLIT", ("ready", ""), check_out=f"{self.day(50)}T10:00"),
            self.scene("READY-DRIFTED", ("ready", "")),
            self.scene("READY-PIN", ("ready", ""), **tokyo),
            self.scene("READY-REVEALED", ("ready", ""), **instants),
            self.scene("READY-MOVED", ("ready", "")),
            self.scene("ISSUED", ("issued", ""), self.door(HOTEL, program_lead_seconds=3600)),
            self.scene("WAITING-OFFERS", ("waiting", "no_slot"), self.door(DAY_USE, {**DRIFTED, "name": "Late"})),
            self.scene("WAITING-BARE", ("waiting", "no_slots_configured"), self.door()),
            self.scene(
                "WAITING-ONLINE", ("waiting", "offline_codes_unsupported"), self.door(HOTEL, offline_codes=False)
            ),
            self.scene("WAITING-NO-ZONE", ("waiting", "no_time_zone"), self.door(HOTEL, tod_style="bare")),
            self.scene("FULL-FIRST", ("ready", ""), self.full),
            self.scene("SCHEDULED-FAR", ("scheduled", "lead_time"), **self.stay(60, 63), label="Far"),
            self.scene("SCHEDULED-SOON", ("scheduled", "lead_time"), unit="soon", **self.stay(20, 23)),
            self.scene("SCHEDULED-RATE", ("scheduled", "rate_limited"), faults=(limit,)),
            self.scene("FAILED-REFUSED", ("failed", "refused_by_seam"), faults=(refuse,)),
            self.scene("FAILED-NO-DOOR", ("failed", "device_not_found"), {"device_id": door_id(999)}),
            self.scene("FAILED-GONE", ("ready", "")),
            self.scene("FAILED-UNMANAGED", ("ready", "")),
            self.scene("FAILED-NO-SPACE", ("ready", "")),
            self.scene("CHANGED", ("ready", ""), revision=1),
            self.scene("CANCELLED-RESIDUAL", ("ready", ""), revision=1),
            self.scene("CANCELLED-CLEAN", ("scheduled", "lead_time"), **self.stay(60, 63)),
            self.scene(
                "ENDED-OVER",
                ("ended", "already_over"),
                check_in=f"{self.day(-6)}T15:45",
                check_out=f"{self.day(-3)}T10:15",
            ),
        )

    def third_part(self) -> tuple[Scene, ...]:
        """Return what comes too late for its door."""
        return (self.scene("WAITING-FULL", ("waiting", "door_full"), self.full, **self.stay(10, 12)),)

    def doubtful_part(self) -> tuple[Scene, ...]:
        """Return the creates of which nobody knows what became: the first was made, the second wasn't."""
        return tuple(
            self.scene(
                booking_id,
                ("creating", "in_doubt"),
                faults=({"operation": "access_codes.create", "kind": kind, "times": 1},),
                label="In doubt",
            )
            for booking_id, kind in (("CREATING-MADE", "error_after"), ("CREATING-LOST", "error_before"))
        )

    def last_part(self) -> tuple[Scene, ...]:
        """Return what is under way when everything is killed: a door being read, a code being made."""
        reading = {"operation": "devices.get", "kind": "timeout_before", "times": None, "seconds": 60}
        making = {"operation": "access_codes.create", "kind": "timeout_before", "times": 1, "seconds": 60}
        return (
            self.scene("RECEIVED", ("received", ""), faults=(reading,)),
            self.scene("CREATING-OPEN", ("creating", ""), faults=(making,)),
        )

    def late_part(self) -> tuple[Scene, ...]:
        """Return what comes when nobody tells any more, and what comes when nobody reads any more."""
        outbox = self.scene("OUTBOX", ("waiting", "no_slots_configured"), self.door())
        return (outbox, *(self.scene(booking_id, ("", "")) for booking_id in ("PENDING", "UNREAD")))
