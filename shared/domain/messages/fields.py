"""Reads the fields of a booking message, and notes what is wrong with them."""

from collections.abc import Mapping
from typing import Any
from zoneinfo import ZoneInfo

from shared.domain.door.device_id import RIGHT_DEVICE_ID, NotADeviceId, device_id_of
from shared.domain.messages.booking_id import booking_id_of
from shared.domain.messages.message import InvalidMessage, Problem
from shared.domain.messages.time_fields import IS_A_NUMBER, RIGHT_TIME, UnreadableBookingTime, parse_booking_time
from shared.domain.quoting import is_showable, quoted
from shared.domain.stay.stay import BookingTime, Granularity
from shared.domain.times.wall_clock import find_zone

LONGEST_BOOKING_ID = 64
LONGEST_TEXT = 128
LONGEST_LABEL = 256
LONGEST_SOURCE = 512
MOST_DEVICES = 100
_NUMBER_TOO_LONG = 10**LONGEST_BOOKING_ID
HIGHEST_REVISION = 2**53 - 1
"""The largest integer that every JSON implementation, and Redis, keeps exactly."""


class FieldReader:
    """Reads the fields of one message. Each method returns a good value, or notes a problem in `problems`."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def note(self, field: str, wrong: str, right: str) -> None:
        """Note a problem: the field, what is wrong with it, and what would be right."""
        self.problems.append(Problem(field, wrong, right))

    def raise_if_any(self) -> None:
        """Raise InvalidMessage with every problem that was noted."""
        if self.problems:
            raise InvalidMessage(tuple(self.problems))

    def text(
        self,
        body: Mapping[str, Any],
        field: str,
        *,
        required: bool = False,
        longest: int = LONGEST_TEXT,
        strict: bool = False,
        may_be_empty: bool = False,
    ) -> str | None:
        """Read a string. When `strict`, only printable characters count; else whatever can be shown to people."""
        right = f"give 1 to {longest} printable characters"
        value = body.get(field)
        if value is None:
            if required:
                self.note(field, "is missing", right)
            return None
        wrong = _wrong_with_text(value, longest, strict=strict, may_be_empty=may_be_empty)
        if wrong:
            self.note(field, wrong, right)
            return None
        return str(value)

    def booking_id(self, body: Mapping[str, Any]) -> str | None:
        """Read the booking's id as `booking_id_of` keeps it; a whole number counts as its digits."""
        value = body.get("booking_id")
        if type(value) is int and 0 <= value < _NUMBER_TOO_LONG:
            return str(value)
        kept = booking_id_of(value) if isinstance(value, str) else value
        return self.text({"booking_id": kept}, "booking_id", required=True, longest=LONGEST_BOOKING_ID, strict=True)

    def label(self, body: Mapping[str, Any]) -> str | None:
        """Read the label. One that is too long is cut: that is no reason to leave a guest without a code."""
        value = body.get("label")
        cut = value[: LONGEST_LABEL - 1] + "…" if isinstance(value, str) and len(value) > LONGEST_LABEL else value
        return self.text({"label": cut}, "label", longest=LONGEST_LABEL, may_be_empty=True)

    def revision(self, body: Mapping[str, Any]) -> int | None:
        """Read the revision; None where there is none."""
        value = body.get("revision")
        if value is None:
            return None
        if type(value) is int and 0 <= value <= HIGHEST_REVISION:
            return value
        right = f"give a whole number from 0 to {HIGHEST_REVISION}"
        self.note("revision", f"{quoted(value)} is no such number", right)
        return None

    def device_ids(self, body: Mapping[str, Any]) -> tuple[str, ...] | None:
        """Read the list of doors; None where there is none, empty where it is wrong."""
        value = body.get("device_ids")
        if value is None:
            return None
        right = f"give a list of 1 to {MOST_DEVICES} different Seam device ids"
        if not isinstance(value, list):
            self.note("device_ids", f"{quoted(value)} is not a list", right)
        elif not 1 <= len(value) <= MOST_DEVICES:
            self.note("device_ids", f"has {len(value)} entries", right)
        else:
            ids = [self._device_id(f"device_ids[{place}]", device_id) for place, device_id in enumerate(value)]
            if None in ids:
                return ()
            known = tuple(each for each in ids if each is not None)
            twice = next((one for place, one in enumerate(known) if one in known[:place]), None)
            if twice is not None:
                self.note("device_ids", f"{quoted(twice)} is listed twice", right)
            return known
        return ()

    def _device_id(self, field: str, value: object) -> str | None:
        """Read one device id; None where it is wrong."""
        wrong = _wrong_with_text(value, LONGEST_TEXT, strict=True)
        if not wrong:
            try:
                return device_id_of(str(value))
            except NotADeviceId as error:
                wrong = str(error)
        self.note(field, wrong, RIGHT_DEVICE_ID)
        return None

    def zone(self, body: Mapping[str, Any]) -> str | None:
        """Read the time zone by its IANA name."""
        value = body.get("time_zone")
        if value is None:
            return None
        if isinstance(value, str) and isinstance(find_zone(value), ZoneInfo):
            return value
        right = "give an IANA name such as America/Los_Angeles, exactly as it is spelled"
        self.note("time_zone", f"{quoted(value)} is no such zone", right)
        return None

    def time(self, body: Mapping[str, Any], field: str, zone: str | None, *, required: bool) -> BookingTime | None:
        """Read a date, a wall time or an instant; `zone` is the zone of a wall time."""
        value = body.get(field)
        if value is None:
            if required:
                self.note(field, "is missing", RIGHT_TIME)
            return None
        if not isinstance(value, str):
            is_number = isinstance(value, int | float) and not isinstance(value, bool)
            what = IS_A_NUMBER if is_number else "is not text"
            self.note(field, f"{quoted(value)} {what}", RIGHT_TIME)
            return None
        try:
            return parse_booking_time(value, zone)
        except UnreadableBookingTime as unreadable:
            self.note(field, str(unreadable), RIGHT_TIME)
            return None

    def granularity(self, body: Mapping[str, Any]) -> Granularity | None:
        """Read whether the stay is hourly or daily."""
        value = body.get("granularity")
        if value is None:
            return None
        if isinstance(value, str) and value in tuple(Granularity):
            return Granularity(value)
        self.note("granularity", f"{quoted(value)} is not known", "give hourly or daily")
        return None


def _wrong_with_text(value: object, longest: int, *, strict: bool, may_be_empty: bool = False) -> str:
    if not isinstance(value, str):
        return f"{quoted(value)} is not text"
    if not value and not may_be_empty:
        return "is empty"
    if len(value) > longest:
        return f"{quoted(value)} is too long"
    if not (value.isprintable() if strict else is_showable(value)):
        return f"{quoted(value)} has characters that can't be printed"
    return ""
