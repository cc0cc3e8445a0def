"""A valid booking message, the problems of an invalid one, and the stay that a message asks of a door.

`shared.domain.messages.parse` turns untrusted JSON into these values. From here on nothing is optional that the
contract requires.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, time, timedelta
from enum import StrEnum
from hashlib import sha256

from shared.domain.near_names import near
from shared.domain.quoting import quoted
from shared.domain.stay.stay import (
    BookingTime,
    DateOnly,
    Granularity,
    Instant,
    Stay,
    StayTime,
    UnitRules,
    WallTime,
    in_order,
)


class MessageType(StrEnum):
    """What a booking message says happened; the values are its CloudEvents types."""

    CREATED = "booking.created"
    UPDATED = "booking.updated"
    CANCELLED = "booking.cancelled"


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


def unknown_unit(unit: str, known: Iterable[str] = ()) -> Problem:
    """Return the problem of a unit that isn't in the doors file. It names the `known` units with similar names.

    A name must be exactly that in the file, capitals and blanks included.
    """
    meant = " or ".join(map(quoted, near(unit, known)))
    right = f"add it to DOORS_FILE, or name device_ids{f'; did you mean {meant}?' if meant else ''}"
    return Problem("unit", f"{unit!r} is not in the doors file", right)


CHECK_OUT_NOT_AFTER_CHECK_IN = Problem(
    "check_out", "is not after check_in", "give a check_out that is later than check_in"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class BookingMessage:
    """One valid message. `source` + `message_id` identify it; `(booking_id, revision)` orders it.

    `source` is "" for a bare message, which has none. `revision` is None where the message has none: then the order of
    arrival counts.

    `check_in` and `check_out` are both present unless `type` is CANCELLED. Exactly one of
    `device_ids` (not empty) and `unit` is given unless it is a cancellation. `granularity` is None
    where the message leaves it to the unit.
    """

    source: str
    message_id: str
    type: MessageType
    booking_id: str
    revision: int | None
    device_ids: tuple[str, ...] = ()
    unit: str | None = None
    check_in: BookingTime | None = None
    check_out: BookingTime | None = None
    granularity: Granularity | None = None
    slot: str | None = None
    label: str | None = None


def asked_of(message: BookingMessage) -> str:
    """Return what a message asks for, as the JSON of its fields without the label, which may be about the guest.

    It is the same for a creation and an update, and for all spellings of a time.
    """
    fields = {
        "device_ids": sorted(message.device_ids) or None,
        "unit": message.unit,
        "check_in": written(message.check_in) if message.check_in is not None else None,
        "check_out": written(message.check_out) if message.check_out is not None else None,
        "granularity": message.granularity,
        "slot": message.slot,
    }
    return json.dumps({name: value for name, value in fields.items() if value is not None})


def content_hash(message: BookingMessage) -> str:
    """Return a short hash of what a message says, without its label: so two messages with one id are told apart."""
    said = (message.booking_id, str(message.type), str(message.revision), asked_of(message))
    return sha256("\n".join(said).encode()).hexdigest()[:16]


def written(moment: BookingTime) -> str:
    """Return a booking time as a message writes it. An instant is written in UTC."""
    match moment:
        case Instant(at):
            return at.astimezone(UTC).isoformat()
        case WallTime(at, zone):
            return f"{at.isoformat()}[{zone}]" if zone else at.isoformat()
        case DateOnly(on):
            return on.isoformat()


def stay_of(message: BookingMessage, rules: UnitRules | None) -> Stay:
    """Return what the message asks of a door, the unit's defaults filled in; raise InvalidMessage.

    A date alone gets the unit's default time, on the lock's own clock. Buffers move the start of the stay earlier and
    its end later. The granularity is the message's, else the unit's, else hourly.
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
    return Stay(
        check_in=check_in,
        check_out=check_out,
        granularity=granularity,
        slot=message.slot,
        buffer_before=rules.buffer_before,
        buffer_after=rules.buffer_after,
    )


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
