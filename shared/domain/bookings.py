"""A booking as it is asked for: messages, times as people write them, and the stay they add up to.

Pure: no clock, no I/O. `shared.domain.booking_messages` turns untrusted JSON into these values;
from here on nothing is optional that the contract requires. Three kinds of time exist because
bookings come with three kinds, and turning one into another needs the lock's zone or the unit's
rules, which only the matching and `stay_of` know.
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime, time, timedelta
from enum import StrEnum

from shared.domain.quoting import quoted
from shared.domain.versions import NOT_IN_JSON, Beyond


class MessageType(StrEnum):
    """What a booking message says happened; the values are its CloudEvents types."""

    CREATED = "booking.created"
    UPDATED = "booking.updated"
    CANCELLED = "booking.cancelled"


class Granularity(StrEnum):
    """Which kind of code is wanted: bound to hours (any slot) or to days (24-hour slots)."""

    HOURLY = "hourly"
    DAILY = "daily"


@dataclass(frozen=True, slots=True)
class Instant:
    """A point in time: `at` is aware."""

    at: datetime


@dataclass(frozen=True, slots=True)
class WallTime:
    """What a clock on a wall shows: `at` is naive; `time_zone` names it, None is the lock's own."""

    at: datetime
    time_zone: str | None = None


@dataclass(frozen=True, slots=True)
class DateOnly:
    """A date whose time of day comes from the unit's rules."""

    on: date


BookingTime = Instant | WallTime | DateOnly
StayTime = Instant | WallTime


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing wrong with an input: where, what, and what would be right."""

    field: str
    wrong: str
    right: str

    def __str__(self) -> str:
        return f"{self.field}: {self.wrong}; {self.right}" if self.right else f"{self.field}: {self.wrong}"


class InvalidMessage(ValueError):
    """A booking message can't be used as it is: `problems` names every fault found."""

    def __init__(self, problems: tuple[Problem, ...]) -> None:
        super().__init__(problems)
        self.problems = problems

    def __str__(self) -> str:
        return "; ".join(map(str, self.problems))


def unknown_unit(unit: str) -> Problem:
    """Return what to say of a unit that the doors file doesn't have: never a default door."""
    return Problem("unit", f"{unit!r} is not in the doors file", "add it to DOORS_FILE, or name device_ids")


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingMessage:
    """One valid message. `source` + `message_id` identify it; `(booking_id, revision)` orders it.

    `check_in` and `check_out` are both present unless `type` is CANCELLED. Exactly one of
    `device_ids` (not empty) and `unit` is given unless it is a cancellation. `granularity` is None
    where the message leaves it to the unit.
    """

    source: str
    message_id: str
    type: MessageType
    booking_id: str
    revision: int
    device_ids: tuple[str, ...] = ()
    unit: str | None = None
    check_in: BookingTime | None = None
    check_out: BookingTime | None = None
    granularity: Granularity | None = None
    slot: str | None = None
    label: str | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class UnitRules:
    """What the doors file says of a unit: its doors and the defaults of its bookings.

    `buffer_before` moves the wanted start earlier, `buffer_after` the wanted end later (cleaning,
    early arrivals). `building` and `tags` say which alerts belong together, and who hears of them.
    """

    unit: str
    device_ids: tuple[str, ...]
    check_in: time | None = None
    check_out: time | None = None
    buffer_before: timedelta = timedelta()
    buffer_after: timedelta = timedelta()
    granularity: Granularity | None = None
    lead_time: timedelta | None = None
    building: str = ""
    tags: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stay:
    """What a door is asked for: two times, the granularity, and a slot where one was prescribed."""

    check_in: StayTime
    check_out: StayTime
    granularity: Granularity = Granularity.HOURLY
    slot: str | None = None
    beyond: Beyond = field(default=(), compare=False, repr=False, metadata=NOT_IN_JSON)


def stay_of(message: BookingMessage, rules: UnitRules | None) -> Stay:
    """Return what the message asks of a door, the unit's defaults filled in; raise InvalidMessage.

    A date alone gets the unit's default time, on the lock's own clock. Buffers move the wanted
    start earlier and the wanted end later. What the message says goes before what the unit says,
    and that before `hourly`.
    """
    rules = rules or UnitRules(unit="", device_ids=())
    problems: list[Problem] = []
    check_in = _filled_in("check_in", message.check_in, rules.check_in, rules, problems)
    check_out = _filled_in("check_out", message.check_out, rules.check_out, rules, problems)
    if check_in is None or check_out is None:
        raise InvalidMessage(tuple(problems))
    if not in_order(check_in, check_out):
        raise InvalidMessage((CHECK_OUT_NOT_AFTER_CHECK_IN,))
    try:
        check_in = _moved(check_in, -rules.buffer_before)
        check_out = _moved(check_out, rules.buffer_after)
    except OverflowError:
        wrong = "a buffer moves the stay out of the calendar"
        raise InvalidMessage((Problem("check_in", wrong, "shorten the unit's buffers"),)) from None
    granularity = message.granularity or rules.granularity or Granularity.HOURLY
    return Stay(check_in=check_in, check_out=check_out, granularity=granularity, slot=message.slot)


CHECK_OUT_NOT_AFTER_CHECK_IN = Problem(
    "check_out", "is not after check_in", "give a check_out that is later than check_in"
)


def in_order(check_in: BookingTime, check_out: BookingTime) -> bool:
    """Whether check-out is after check-in, as far as that can be told without the lock's clock."""
    match check_in, check_out:
        case Instant(start), Instant(end):
            return start < end
        case WallTime(start, zone), WallTime(end, same) if zone == same:
            return start < end
        case DateOnly(first), DateOnly(last):
            return first < last
        case _:
            return True


def _filled_in(
    field: str,
    asked: BookingTime | None,
    default: time | None,
    rules: UnitRules,
    problems: list[Problem],
) -> StayTime | None:
    match asked:
        case Instant() | WallTime():
            return asked
        case DateOnly(on) if default is not None:
            return WallTime(datetime.combine(on, default))
        case DateOnly(on):
            whose = f"unit {quoted(rules.unit)}" if rules.unit else "a booking without a unit"
            wrong = f"{on.isoformat()} is a date alone, and {whose} has no default time for it"
            right = f"give a time of day, or set {field} for the unit in the doors file"
            problems.append(Problem(field, wrong, right))
        case None:
            problems.append(Problem(field, "is missing", "give the time at which the stay begins and ends"))
    return None


def _moved(time: StayTime, by: timedelta) -> StayTime:
    return replace(time, at=time.at + by) if by else time
