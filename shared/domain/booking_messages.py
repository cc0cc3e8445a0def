"""Untrusted booking messages turned into `BookingMessage`, or refused with every fault named.

A message is a CloudEvents 1.0 envelope in structured mode, or its `data` object alone. Unknown
fields are ignored, so that booking systems may say more than is needed here.
"""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Never
from zoneinfo import ZoneInfo

from shared.domain.booking_times import RIGHT_TIME, UnreadableBookingTime, parse_booking_time
from shared.domain.bookings import (
    CHECK_OUT_NOT_AFTER_CHECK_IN,
    BookingMessage,
    BookingTime,
    Granularity,
    InvalidMessage,
    MessageType,
    Problem,
    in_order,
)
from shared.domain.quoting import LONGEST_QUOTE, is_showable, quoted, shown
from shared.domain.wall_clock import find_zone

LONGEST_BOOKING_ID = 64
LONGEST_TEXT = 128
LONGEST_LABEL = 256
LONGEST_SOURCE = 512
MOST_DEVICES = 100
HIGHEST_REVISION = 2**53 - 1
"""The largest integer that every JSON implementation, and Redis, keeps exactly."""


def parse_booking_message(raw: str | bytes | Mapping[str, Any]) -> BookingMessage:
    """Read one message; raise InvalidMessage with every problem found, never anything else.

    A bare `data` object gets the source "" and, as its id, a hash of its canonical content: the
    same object again is the same message, whatever the order of its keys.
    """
    faults = _Faults()
    content = _load(raw)
    if _is_envelope(content):
        source = faults.text(content, "source", required=True, longest=LONGEST_SOURCE)
        message_id = faults.text(content, "id", required=True, longest=LONGEST_SOURCE)
        kind = _message_type(content, faults)
        _check_specversion(content, faults)
        body = _data_of(content, faults)
    else:
        source, message_id, kind, body = "", _hash_of(content), MessageType.CREATED, content
        if content.get("type") in (MessageType.UPDATED, MessageType.CANCELLED):
            right = "wrap the booking as the data of a CloudEvents envelope, where type stands"
            faults.add("type", f"{quoted(content['type'])} stands beside the booking's fields", right)
    if body is None:  # without data there are no fields to name
        raise InvalidMessage(tuple(faults.problems))
    return _read(body, source or "", message_id or "", kind or MessageType.CREATED, faults)


def _read(
    body: Mapping[str, Any], source: str, message_id: str, kind: MessageType, faults: "_Faults"
) -> BookingMessage:
    needs_stay = kind is not MessageType.CANCELLED
    booking_id = faults.text(body, "booking_id", required=True, longest=LONGEST_BOOKING_ID, strict=True)
    revision = faults.revision(body)
    device_ids = faults.device_ids(body)
    unit = faults.text(body, "unit")
    if device_ids is not None and body.get("unit") is not None:
        faults.add("unit", "is given beside device_ids", "give device_ids or unit, not both")
    if needs_stay and body.get("device_ids") is None and body.get("unit") is None:
        faults.add("device_ids", "is missing, and so is unit", "give a list of Seam device ids, or a unit")
    zone = faults.zone(body)
    check_in = faults.time(body, "check_in", zone, required=needs_stay)
    check_out = faults.time(body, "check_out", zone, required=needs_stay)
    if check_in is not None and check_out is not None and not in_order(check_in, check_out):
        faults.problems.append(CHECK_OUT_NOT_AFTER_CHECK_IN)
    granularity = faults.granularity(body)
    slot = faults.text(body, "slot")
    label = faults.label(body)
    faults.raise_if_any()
    return BookingMessage(
        source=source,
        message_id=message_id,
        type=kind,
        booking_id=booking_id or "",
        revision=revision,
        device_ids=device_ids or (),
        unit=unit,
        check_in=check_in,
        check_out=check_out,
        granularity=granularity,
        slot=slot,
        label=label or None,
    )


class _Faults:
    """The problems found so far: each reader returns a good value, or notes a problem."""

    def __init__(self) -> None:
        self.problems: list[Problem] = []

    def add(self, field: str, wrong: str, right: str) -> None:
        self.problems.append(Problem(field, wrong, right))

    def raise_if_any(self) -> None:
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
        """Read a string: printable when `strict`, else of whatever can be shown to people."""
        right = f"give 1 to {longest} printable characters"
        value = body.get(field)
        if value is None:
            if required:
                self.add(field, "is missing", right)
            return None
        wrong = _wrong_with_text(value, longest, strict=strict, may_be_empty=may_be_empty)
        if wrong:
            self.add(field, wrong, right)
            return None
        return str(value)

    def label(self, body: Mapping[str, Any]) -> str | None:
        """Read the label, cut where it is too long: people read it, and no guest goes without a code for its length."""
        value = body.get("label")
        cut = value[: LONGEST_LABEL - 1] + "…" if isinstance(value, str) and len(value) > LONGEST_LABEL else value
        return self.text({"label": cut}, "label", longest=LONGEST_LABEL, may_be_empty=True)

    def revision(self, body: Mapping[str, Any]) -> int:
        value = body.get("revision")
        if value is None:
            return 0
        if type(value) is int and 0 <= value <= HIGHEST_REVISION:
            return value
        right = f"give a whole number from 0 to {HIGHEST_REVISION}"
        self.add("revision", f"{quoted(value)} is no such number", right)
        return 0

    def device_ids(self, body: Mapping[str, Any]) -> tuple[str, ...] | None:
        value = body.get("device_ids")
        if value is None:
            return None
        right = f"give a list of 1 to {MOST_DEVICES} different Seam device ids"
        if not isinstance(value, list):
            self.add("device_ids", f"{quoted(value)} is not a list", right)
        elif not 1 <= len(value) <= MOST_DEVICES:
            self.add("device_ids", f"has {len(value)} entries", right)
        else:
            wrong = {
                f"device_ids[{place}]": _wrong_with_text(device_id, LONGEST_TEXT, strict=True)
                for place, device_id in enumerate(value)
            }
            for field, fault in wrong.items():
                if fault:
                    self.add(field, fault, f"give 1 to {LONGEST_TEXT} printable characters")
            if not any(wrong.values()) and len(set(value)) < len(value):
                twice = next(one for place, one in enumerate(value) if one in value[:place])
                self.add("device_ids", f"{quoted(twice)} is listed twice", right)
            return tuple(map(str, value)) if not any(wrong.values()) else ()
        return ()

    def zone(self, body: Mapping[str, Any]) -> str | None:
        value = body.get("time_zone")
        if value is None:
            return None
        if isinstance(value, str) and isinstance(find_zone(value), ZoneInfo):
            return value
        right = "give an IANA name such as America/Los_Angeles, exactly as it is spelled"
        self.add("time_zone", f"{quoted(value)} is no such zone", right)
        return None

    def time(self, body: Mapping[str, Any], field: str, zone: str | None, *, required: bool) -> BookingTime | None:
        value = body.get(field)
        if value is None:
            if required:
                self.add(field, "is missing", RIGHT_TIME)
            return None
        if not isinstance(value, str):
            self.add(field, f"{quoted(value)} is not text", RIGHT_TIME)
            return None
        try:
            return parse_booking_time(value, zone)
        except UnreadableBookingTime as unreadable:
            self.add(field, str(unreadable), RIGHT_TIME)
            return None

    def granularity(self, body: Mapping[str, Any]) -> Granularity | None:
        value = body.get("granularity")
        if value is None:
            return None
        if isinstance(value, str) and value in tuple(Granularity):
            return Granularity(value)
        self.add("granularity", f"{quoted(value)} is not known", "give hourly or daily")
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


def _is_envelope(content: Mapping[str, Any]) -> bool:
    return any(name in content for name in ("data", "specversion", "data_base64"))


def _message_type(content: Mapping[str, Any], faults: _Faults) -> MessageType | None:
    kind = content.get("type")
    if isinstance(kind, str) and kind in tuple(MessageType):
        return MessageType(kind)
    wrong = "is missing" if kind is None else f"{quoted(kind)} is not known"
    faults.add("type", wrong, f"give {', '.join(MessageType)}")
    return None


def _check_specversion(content: Mapping[str, Any], faults: _Faults) -> None:
    """Take any 1.x, and none at all: nothing here depends on it, and senders forget it."""
    version = content.get("specversion")
    if version is None or (type(version) is float and version == 1):
        return
    if not (isinstance(version, str) and (version == "1" or version.startswith("1."))):
        faults.add("specversion", f"{quoted(version)} is not a version read here", "give 1.0")


def _data_of(content: Mapping[str, Any], faults: _Faults) -> Mapping[str, Any] | None:
    body = content.get("data")
    if isinstance(body, dict):
        return body
    right = "give the booking as a JSON object"
    if body is None:
        binary = content.get("data_base64") is not None
        faults.add("data", "is in data_base64" if binary else "is missing", right)
    else:
        faults.add("data", f"{quoted(body)} is not an object", right)
    return None


def _load(raw: str | bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the JSON object in `raw`; a mapping goes the way of text, under the same rules."""
    twice: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        loaded = dict(pairs)
        if len(loaded) < len(pairs):
            seen: set[str] = set()
            twice.extend(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        return loaded

    try:
        if isinstance(raw, bytes):
            raw = raw.decode("utf-8-sig")
        elif not isinstance(raw, str):
            raw = json.dumps(raw, default=_as_dict, allow_nan=False)
        content = json.loads(raw, object_pairs_hook=unique, parse_constant=_refuse_constant)
    except (ValueError, TypeError, RecursionError) as unreadable:
        raise _unusable(_why_not_json(unreadable), "send one JSON object") from None
    if not isinstance(content, dict):
        raise _unusable(f"{quoted(content)} is not a JSON object", "send one JSON object")
    if twice:
        raise InvalidMessage(
            tuple(
                Problem(shown(name[:LONGEST_QUOTE]), "is given more than once", "give it once")
                for name in dict.fromkeys(twice)
            )
        )
    return content


def _as_dict(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{quoted(value)} has no place in JSON")


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not a number in JSON")


def _why_not_json(error: Exception) -> str:
    match error:
        case RecursionError():
            return "is nested too deeply"
        case UnicodeDecodeError():
            return f"is not UTF-8 at byte {error.start}"
        case json.JSONDecodeError():
            return f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        case ValueError() if "integer string conversion" in str(error):
            return "holds a number too long to read"
    return f"is not JSON: {error}"


def _unusable(wrong: str, right: str) -> InvalidMessage:
    return InvalidMessage((Problem("message", wrong, right),))


def _hash_of(content: Mapping[str, Any]) -> str:
    try:
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    except (RecursionError, ValueError):  # nested just deeply enough to be read, not to be written
        raise _unusable("is nested too deeply", "send one JSON object") from None
    return hashlib.sha256(canonical.encode()).hexdigest()
