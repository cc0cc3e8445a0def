"""A traffic file: the bookings of a span of time, the decisions for them, and their doors. It has no data of people.

JSON Lines: a head, then doors, then bookings. `oracode events export` writes it, `oracode replay` reads it.
"""

import json
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final
from zoneinfo import ZoneInfo

from shared.domain.booking.problem_catalogue import Reason, codes, seam
from shared.domain.booking.record import BookedDoor, Booking, State
from shared.domain.messages.message import written
from shared.domain.messages.time_fields import parse_booking_time
from shared.domain.stay.stay import DateOnly, Instant, StayTime, WallTime

SCHEMA: Final = "1.0"
_WEEK: Final = timedelta(days=7)
# When a stay is replayed, it must be in the future.
_AHEAD: Final = timedelta(days=1)
_UNDER_WAY: Final = frozenset({State.RECEIVED, State.CREATING})
_LEAD_TIME: Final = "lead_time"
# Of a door without a code: Seam decided, not the program. A sandbox would not decide the same.
_SAID_BY_SEAM: Final = frozenset({*codes.ROWS, *seam.ROWS, Reason.DEVICE_NOT_FOUND})
_DEVICE_FIELDS: Final = ("device_type", "can_program_offline_access_codes", "max_active_codes_supported")
_METADATA_FIELDS: Final = frozenset({"iana_timezone", "predefined_time_slots", "user_levels"})
_ZONES: Final = ("time_zone", "timezone")


class NotTraffic(ValueError):
    """A file wasn't written by `oracode events export`; the text says why."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """The decision for one door: `code`, `later` (a slot fits, but the code isn't due yet), or a state with its reason.

    For a code also the slot's user level and the window on the lock's clock, if they are known.
    """

    device_id: str
    part: int = 0
    decided: str
    reason: str = ""
    user_level_id: str | None = None
    starts_at: str = ""
    ends_at: str = ""

    def in_words(self) -> str:
        """Return the decision as text for people."""
        window = f" {self.starts_at} to {self.ends_at}" if self.starts_at else ""
        return f"{self.decided}{f' ({self.reason})' if self.reason else ''}{window}"

    def agrees_with(self, other: "Verdict") -> bool:
        """Say whether both mean the same for the guest. A code that isn't due yet agrees with any code."""
        if {self.decided, other.decided} == {"code", "later"}:
            return True
        mine, others = asdict(self), asdict(other)
        known = [name for name in mine if name not in {"device_id", "user_level_id", "starts_at", "ends_at"}]
        known += [name for name in ("user_level_id", "starts_at", "ends_at") if mine[name] and others[name]]
        return all(mine[name] == others[name] for name in known)


@dataclass(frozen=True, slots=True, kw_only=True)
class TrafficBooking:
    """One booking of a traffic file: what it asks for, and the decision for each of its doors."""

    name: str
    check_in: str
    check_out: str
    granularity: str
    slot: str | None
    device_ids: tuple[str, ...]
    cancelled: bool
    verdicts: tuple[Verdict, ...]

    @property
    def is_comparable(self) -> bool:
        """Whether the program had decided something about it that must be decided again."""
        return bool(self.verdicts) and not self.cancelled

    def message(self, booking_id: str, doors: Mapping[str, str], shift: timedelta) -> dict[str, Any]:
        """Return a booking message that asks for the same on other doors, `shift` later."""
        fields = {
            "booking_id": booking_id,
            "device_ids": [doors[each] for each in self.device_ids],
            "check_in": _moved(self.check_in, shift),
            "check_out": _moved(self.check_out, shift),
            "granularity": self.granularity,
            "slot": self.slot,
        }
        return {name: value for name, value in fields.items() if value is not None}


@dataclass(frozen=True, slots=True)
class Traffic:
    """The content of a file: device objects by the id that bookings name, and the bookings."""

    doors: Mapping[str, Mapping[str, Any]]
    bookings: tuple[TrafficBooking, ...]


def verdicts_of(booking: Booking, *, shift: timedelta = timedelta()) -> tuple[Verdict, ...]:
    """Return the decision for each wanted door, on the lock's clock, `shift` earlier.

    Empty while something is under way, or if a person chose a slot: that wasn't decided by the program.
    """
    wanted = [door for door in booking.doors if door.wanted]
    if booking.cancelled or any(_is_under_way(door) or door.choice for door in wanted):
        return ()
    return tuple(sorted((_verdict(door, shift) for door in wanted), key=lambda each: (each.device_id, each.part)))


def _is_under_way(door: BookedDoor) -> bool:
    """Say whether the decision comes soon by itself: a code is being made, or waits for the create quota or a retry."""
    return door.state in _UNDER_WAY or (door.state is State.SCHEDULED and door.reason != _LEAD_TIME)


def _verdict(door: BookedDoor, shift: timedelta) -> Verdict:
    if door.state is State.SCHEDULED:
        return Verdict(device_id=door.device_id, part=door.part, decided="later")
    if door.code is None and not (door.state is State.ENDED and door.asked):
        return Verdict(device_id=door.device_id, part=door.part, decided=str(door.state), reason=door.reason)
    window = door.asked
    zone = ZoneInfo(door.time_zone) if door.time_zone else UTC
    ends = [_on_wall(at, zone, shift) for at in (window.starts_at, window.ends_at)] if window else ["", ""]
    return Verdict(
        device_id=door.device_id,
        part=door.part,
        decided="code",
        user_level_id=door.asked_user_level_id,
        starts_at=ends[0],
        ends_at=ends[1],
    )


def _on_wall(at: datetime, zone: Any, shift: timedelta) -> str:
    return (at.astimezone(zone).replace(tzinfo=None) - shift).isoformat(timespec="minutes")


def lines_of(bookings: Iterable[Booking], devices: Mapping[str, Mapping[str, Any]]) -> Iterator[str]:
    """Yield the lines of a traffic file. Ids of bookings, labels, sources and names of doors are left out."""
    yield json.dumps({"kind": "traffic", "schema": SCHEMA})
    kept = [each for each in bookings if each.stay is not None and any(door.wanted for door in each.doors)]
    named = dict.fromkeys(door.device_id for each in kept for door in each.doors if door.wanted)
    for number, device_id in enumerate(named, start=1):
        if device_id in devices:
            yield json.dumps({"kind": "door", "device": _without_personal_data(devices[device_id], f"Door {number}")})
    for number, booking in enumerate(kept, start=1):
        device_ids = tuple(dict.fromkeys(door.device_id for door in booking.doors if door.wanted))
        if booking.stay is None or not all(each in devices for each in device_ids):
            continue
        zone = next((door.time_zone for door in booking.doors if door.time_zone), None)
        traveller = TrafficBooking(
            name=f"booking {number}",
            check_in=_as_wall_time(booking.stay.check_in, zone),
            check_out=_as_wall_time(booking.stay.check_out, zone),
            granularity=str(booking.stay.granularity),
            slot=booking.stay.slot,
            device_ids=device_ids,
            cancelled=booking.cancelled,
            verdicts=() if _failed_at_seam(booking) else verdicts_of(booking),
        )
        yield json.dumps({"kind": "booking", **asdict(traveller)})


def _failed_at_seam(booking: Booking) -> bool:
    return any(door.wanted and door.code is None and door.reason in _SAID_BY_SEAM for door in booking.doors)


def _as_wall_time(moment: StayTime, zone: str | None) -> str:
    """Return a time for a message. An instant is on the lock's clock, so that it is the same hour weeks later."""
    if isinstance(moment, Instant) and zone is not None:
        return written(WallTime(moment.at.astimezone(ZoneInfo(zone)).replace(tzinfo=None), zone))
    return written(moment)


def _without_personal_data(device: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return the parts of a device that matching reads, under another name: no site, account or location."""
    properties = device.get("properties") or {}
    metadata = {key: value for key, value in properties.items() if key.startswith("dormakaba_oracode")}
    keep = {
        key: {inner: value for inner, value in each.items() if inner in _METADATA_FIELDS}
        for key, each in metadata.items()
        if isinstance(each, Mapping)
    }
    location = device.get("location") or {}
    return {
        "device_id": device["device_id"],
        **{field: device[field] for field in _DEVICE_FIELDS if field in device},
        "display_name": name,
        "location": {field: location[field] for field in _ZONES if field in location},
        "properties": {
            "name": name,
            **({"max_active_codes_supported": most} if (most := properties.get("max_active_codes_supported")) else {}),
            **keep,
        },
    }


def read_traffic(text: str) -> Traffic:
    """Read a traffic file. Raises NotTraffic."""
    doors: dict[str, Mapping[str, Any]] = {}
    bookings: list[TrafficBooking] = []
    try:
        lines = [json.loads(line) for line in text.splitlines() if line.strip()]
        if not lines or lines[0].get("kind") != "traffic":
            raise NotTraffic("it doesn't begin as `oracode events export` writes it")
        if str(lines[0].get("schema")).split(".")[0] != SCHEMA.split(".")[0]:
            raise NotTraffic(f"it was written by another version ({lines[0].get('schema')}); this one reads {SCHEMA}")
        for line in lines[1:]:
            kind = line.pop("kind")
            if kind == "door":
                doors[str(line["device"]["device_id"])] = line["device"]
            elif kind == "booking":
                bookings.append(_traveller(line))
    except (ValueError, TypeError, KeyError, AttributeError) as error:
        raise error if isinstance(error, NotTraffic) else NotTraffic(f"a line can't be read: {error}") from None
    missing = {each for booking in bookings for each in booking.device_ids} - set(doors)
    if missing:
        raise NotTraffic(f"it lacks the door {min(missing)}")
    return Traffic(doors, tuple(bookings))


def _traveller(line: dict[str, Any]) -> TrafficBooking:
    verdicts = tuple(Verdict(**each) for each in line.pop("verdicts"))
    device_ids = tuple(str(each) for each in line.pop("device_ids"))
    return TrafficBooking(**line, device_ids=device_ids, verdicts=verdicts)


def shift_for(traffic: Traffic, now: datetime) -> timedelta:
    """Return the whole weeks by which all stays are moved so that the first is in the future, on the same weekdays."""
    first = min((_earliest(each.check_in) for each in traffic.bookings), default=now)
    shift = timedelta()
    while first + shift < now + _AHEAD:
        shift += _WEEK
    return shift


def _earliest(text: str) -> datetime:
    match parse_booking_time(text):
        case Instant(at):
            return at
        case WallTime(at, _):
            return at.replace(tzinfo=UTC)
        case DateOnly(on):
            return datetime(on.year, on.month, on.day, tzinfo=UTC)


def _moved(text: str, shift: timedelta) -> str:
    match parse_booking_time(text):
        case Instant(at):
            return written(Instant(at + shift))
        case WallTime(at, zone):
            return written(WallTime(at + shift, zone))
        case DateOnly(on):
            return written(DateOnly(on + shift))


def difference(before: TrafficBooking, after: tuple[Verdict, ...]) -> str:
    """Return as text which decisions differ now; empty if none does.

    `after` has the same doors as `before`, and its windows are those before the shift.
    """
    was = {(each.device_id, each.part): each for each in before.verdicts}
    now = {(each.device_id, each.part): each for each in after}
    found = [
        f"{key[0]}{f' part {key[1]}' if key[1] else ''}: was {_words(was.get(key))}, is {_words(now.get(key))}"
        for key in sorted(was.keys() | now.keys())
        if key not in was or key not in now or not was[key].agrees_with(now[key])
    ]
    return "; ".join(found)


def _words(verdict: Verdict | None) -> str:
    return verdict.in_words() if verdict else "nothing"
