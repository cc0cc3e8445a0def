"""The expected results: a simple reading of the contract, without any of the worker's code."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from typing import Final
from zoneinfo import ZoneInfo

from tests.worker.stateful_things import SLOTS, FakeDoor

LEAD_TIME: Final = timedelta(days=2)
FIRST_DAY: Final = date(2036, 11, 22)
# Check-in and check-out as written; the first four fit some slot of `SLOTS`, the last fits none.
HOURS: Final = (("15:45", "10:15"), ("14:50", "11:10"), ("16:50", "09:10"), ("21:10", "08:05"), ("03:00", "12:00"))
_TOLERANCE: Final = 60
_DAY: Final = 24 * 60

Span = tuple[datetime, datetime]


@dataclass(frozen=True)
class Stay:
    """A stay on the lock's own clock."""

    first: int
    nights: int
    hours: tuple[str, str]

    def written(self) -> tuple[str, str]:
        """Return check-in and check-out in the form of a message."""
        start = FIRST_DAY + timedelta(days=self.first)
        return f"{start}T{self.hours[0]}", f"{start + timedelta(days=self.nights)}T{self.hours[1]}"

    def instants(self, zone: str) -> Span:
        """Return both times as instants."""
        return self._on(self.hours, zone)

    def window(self, door: FakeDoor) -> Span | None:
        """Return the window that a code must have on the door as it is now; None if no slot fits."""
        gaps = {name: (_gap(self.hours[0], SLOTS[name][0]), _gap(self.hours[1], SLOTS[name][1])) for name in door.slots}
        fitting = [name for name, gap in gaps.items() if max(gap) <= _TOLERANCE]
        if not door.offline or not fitting or self.nights > 31:
            return None
        return self._on(SLOTS[min(fitting, key=lambda name: sum(gaps[name]))], door.zone)

    def _on(self, hours: tuple[str, str], zone: str) -> Span:
        start = FIRST_DAY + timedelta(days=self.first)
        check_in = datetime.combine(start, time.fromisoformat(hours[0]), ZoneInfo(zone))
        check_out = datetime.combine(start + timedelta(days=self.nights), time.fromisoformat(hours[1]), ZoneInfo(zone))
        return check_in, check_out


@dataclass
class Wanted:
    """A booking by its newest message; `windows` are those that have fitted since then, for each door."""

    revision: int
    cancelled: bool
    stay: Stay | None
    windows: dict[str, set[Span]] = field(default_factory=dict)


@dataclass(frozen=True)
class Message:
    """A booking message."""

    number: int
    booking_id: str
    revision: int
    kind: str
    stay: Stay
    devices: tuple[str, ...]
    label: str | None


class Model:
    """Which bookings are wanted, by the messages that were applied."""

    def __init__(self, doors: Mapping[str, FakeDoor]) -> None:
        self._doors = doors
        self._earlier: dict[str, list[FakeDoor]] = {}
        self.bookings: dict[str, Wanted] = {}

    def applies(self, message: Message) -> bool:
        """Apply a message; say whether it is news. The highest revision wins; of equal ones a cancellation."""
        before, cancels = self.bookings.get(message.booking_id), message.kind == "cancelled"
        if before is not None and message.revision < before.revision:
            return False
        if before is not None and message.revision == before.revision and (before.cancelled or not cancels):
            return False
        if cancels:
            windows = before.windows if before else {}
            stay = before.stay if before else None
            self.bookings[message.booking_id] = Wanted(message.revision, cancelled=True, stay=stay, windows=windows)
            return True
        fitting: dict[str, set[Span]] = {}
        for device_id in message.devices:
            seen = [self._doors[device_id], *self._earlier.get(device_id, [])]
            fitting[device_id] = _fitting(message.stay, seen)
        self.bookings[message.booking_id] = Wanted(
            message.revision, cancelled=False, stay=message.stay, windows=fitting
        )
        return True

    def remembers(self, before: FakeDoor) -> None:
        """Note how a door was before a change: workers may have it in their cache. Call this after the change."""
        self._earlier.setdefault(before.device_id, []).append(before)
        for wanted in self.bookings.values():
            if wanted.stay is not None and before.device_id in wanted.windows:
                wanted.windows[before.device_id] |= _fitting(wanted.stay, [self._doors[before.device_id]])

    def forgets_doors(self) -> None:
        """Note that no worker has a door in its cache."""
        self._earlier.clear()

    def wants(self, booking_id: str, device_id: str) -> bool:
        """Say whether the booking must have a code on the door."""
        wanted = self.bookings.get(booking_id)
        return wanted is not None and not wanted.cancelled and device_id in wanted.windows


def _fitting(stay: Stay, doors: Iterable[FakeDoor]) -> set[Span]:
    return {window for door in doors if (window := stay.window(door)) is not None}


def _gap(one: str, other: str) -> int:
    minutes = [time.fromisoformat(each).hour * 60 + time.fromisoformat(each).minute for each in (one, other)]
    apart = abs(minutes[0] - minutes[1])
    return min(apart, _DAY - apart)
