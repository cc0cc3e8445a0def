"""Booking messages: what is read, and what is refused with every problem named."""

import json
from dataclasses import fields, replace
from types import MappingProxyType
from typing import Any

import pytest

from shared.domain.booking.record import Booking, Change
from shared.domain.booking.transitions import apply_message
from shared.domain.messages.fields import HIGHEST_REVISION
from shared.domain.messages.hints import hints_of
from shared.domain.messages.message import BookingMessage, MessageType, asked_of, stay_of
from shared.domain.messages.near_misses import FIELDS
from shared.domain.messages.parse import parse_booking_message
from shared.domain.stay.stay import DateOnly, Granularity, Instant, UnitRules, WallTime
from tests.domain.booking_messages import BOOKING, LONG, booking, envelope, fields_of, problems_of
from tests.domain.building import on, wall


def test_contract_example() -> None:
    """The envelope that the contract shows, field by field."""
    more = {"revision": 1, "granularity": "hourly", "label": "Room 101"}
    message = parse_booking_message(json.dumps(envelope(data=booking(**more))))
    assert (message.source, message.message_id) == ("/pms/acme", "7f9c")
    assert message.type is MessageType.CREATED
    assert (message.booking_id, message.revision) == ("BK-1001", 1)
    assert message.device_ids == ("11111111-1111-1111-1111-444444444444",)
    assert message.check_in == Instant(wall("2026-12-01T15:45:00-08:00"))
    assert message.check_out == Instant(wall("2026-12-05T10:15:00-08:00"))
    assert message.granularity is Granularity.HOURLY
    assert message.label == "Room 101"


# Another value for each field, and whether that changes the booking: the label is for people only.
OTHERS: dict[str, tuple[dict[str, Any], bool]] = {
    "booking_id": ({"booking_id": "BK-1002"}, False),
    "revision": ({"revision": 8}, False),
    "device_ids": ({"device_ids": ["22222222-2222-2222-2222-444444444444"]}, True),
    "unit": ({"device_ids": ..., "unit": "101"}, True),
    "check_in": ({"check_in": "2026-12-01T16:00:00-08:00"}, True),
    "check_out": ({"check_out": "2026-12-05T11:00:00-08:00"}, True),
    "time_zone": ({"check_in": "2026-12-01T15:45", "time_zone": "Europe/Vienna"}, True),
    "granularity": ({"granularity": "daily"}, True),
    "slot": ({"slot": "Guest 4pm-10am"}, True),
    "label": ({"label": "Room 102"}, False),
}


def test_every_field_that_is_read_is_in_the_tables() -> None:
    """Each field is in the table above, with the effect of another value, and in the table that the parser uses."""
    assert set(OTHERS) == set(FIELDS)
    own = {each.name for each in fields(BookingMessage)} - {"source", "message_id", "type"}
    assert own | {"time_zone"} == set(FIELDS)  # a time carries its zone


@pytest.mark.parametrize("name", [name for name in FIELDS if name not in ("booking_id", "revision")])
def test_another_value_of_a_field_changes_the_booking(name: str) -> None:
    """Also without a revision, where only the content tells a change from a repeat (`stands_as_asked`)."""
    applied = _applied(None, BOOKING)
    assert not _applied(applied.booking, BOOKING).is_news
    assert _applied(applied.booking, booking(**OTHERS[name][0])).is_news


def _applied(before: Booking | None, data: dict[str, Any]) -> Change:
    """Apply a bare message after a booking."""
    message = parse_booking_message(data)
    rules = UnitRules(unit=message.unit, device_ids=("another",)) if message.unit else None
    return apply_message(
        before,
        message,
        stay=stay_of(message, rules),
        device_ids=rules.device_ids if rules else message.device_ids,
        lead_time=None,
        now=wall("2026-11-21T10:00:00Z"),
        arrival="1-0" if before is None else "2-0",
    )


@pytest.mark.parametrize("name", FIELDS)
def test_another_value_of_a_field_makes_another_message(name: str) -> None:
    """Every field is read; and if a change of it must change the booking, what is asked for differs."""
    change, is_asked = OTHERS[name]
    before, after = parse_booking_message(BOOKING), parse_booking_message(booking(**change))
    assert replace(after, message_id=before.message_id) != before
    assert (asked_of(after) != asked_of(before)) is is_asked


def test_defaults() -> None:
    """Optional fields may be missing or null."""
    absent = parse_booking_message(BOOKING)
    names = ("revision", "granularity", "slot", "label", "time_zone", "unit")
    nulls = parse_booking_message(booking(**dict.fromkeys(names)))
    for message in (absent, nulls):
        assert message.revision is None
        assert message.granularity is None
        assert message.slot is None
        assert message.label is None
        assert message.unit is None


@pytest.mark.parametrize(
    "raw",
    [
        pytest.param(json.dumps(BOOKING), id="text"),
        pytest.param(json.dumps(BOOKING).encode(), id="bytes"),
        pytest.param(b"\xef\xbb\xbf" + json.dumps(BOOKING).encode(), id="with a byte order mark"),
        pytest.param(json.dumps(dict(reversed(BOOKING.items())), indent=2), id="other order"),
        pytest.param(BOOKING, id="mapping"),
        pytest.param(MappingProxyType(BOOKING), id="read-only mapping"),
    ],
)
def test_a_bare_booking_is_identified_by_its_content(raw: Any) -> None:
    """The same object again is the same message."""
    message = parse_booking_message(raw)
    assert message.source == ""
    assert message.message_id == parse_booking_message(BOOKING).message_id
    assert len(message.message_id) == 64
    assert int(message.message_id, 16)
    assert message.type is MessageType.CREATED


def test_other_content_makes_another_message() -> None:
    """Also if only fields differ that aren't read."""
    one = parse_booking_message(BOOKING).message_id
    assert one != parse_booking_message(booking(guests=2)).message_id


@pytest.mark.parametrize(
    "written",
    [
        "", " ", "tomorrow", "2026-12-01T", "2026-12-01T15:45:", "2026-12-1",
        "2026-02-30", "2026-02-29T10:00", "2026-13-01T10:00", "2026-00-10",
        "2026-12-01T15:60", "2026-12-01T23:59:60Z", "2026-12-01T15:45+24:00",
        "2026-12-01T15:45+08:60", "2026-12-01T15:45  Z", "2026-12-01\x00",
        "1764633600", "\uff12026-12-01", "1999-12-31", "9991-01-01", "0000-01-01",
        "+2026-12-01", "2026-12-01T15:45:00.Z", "x" * 1_000_000,
        "2026-12-01T\u0000", "\ud800",
    ],
    ids=lambda text: ascii(text[:24]),
)  # fmt: skip
def test_unreadable_times(written: str) -> None:
    """They are neither guessed nor read in part."""
    (problem,) = problems_of(booking(check_in=written))
    assert problem.field == "check_in"
    assert "2026-12-01" in problem.right


@pytest.mark.parametrize(
    ("check_in", "check_out", "zone"),
    [
        pytest.param("2026-12-01T16:00:00Z", "2026-12-01T16:00:00Z", None, id="same instant"),
        pytest.param("2026-12-01T16:00:00-08:00", "2026-12-01T18:00:00Z", None, id="earlier in UTC"),
        pytest.param("2026-12-01T16:00", "2026-12-01T15:00", None, id="earlier on the wall"),
        pytest.param("2026-12-01T16:00", "2026-12-01T16:00", "UTC", id="same on one wall"),
        pytest.param("2026-12-02", "2026-12-01", None, id="earlier date"),
        pytest.param("2026-12-01", "2026-12-01", None, id="no night"),
    ],
)
def test_check_out_must_be_later(check_in: str, check_out: str, zone: str | None) -> None:
    """If that can be decided without the lock's clock."""
    raw = booking(check_in=check_in, check_out=check_out, time_zone=zone)
    assert problems_of(raw)[0].field == "check_out"


def test_the_order_is_left_open_if_only_the_lock_s_clock_can_tell() -> None:
    """An instant and a wall time are compared when the lock's time zone is known."""
    message = parse_booking_message(booking(check_out="2026-12-01T10:00"))
    assert message.check_out == WallTime(wall("2026-12-01T10:00"))


def test_a_time_zone_is_that_of_local_times() -> None:
    """Local times have it; instants don't need it."""
    message = parse_booking_message(
        booking(check_in="2026-12-01T16:00", time_zone="Europe/Berlin", check_out="2027-01-01")
    )
    assert message.check_in == WallTime(wall("2026-12-01T16:00"), "Europe/Berlin")
    assert message.check_out == DateOnly(on("2027-01-01"))


DOOR = "d0000000-0000-0000-0000-000000000001"
BAD_FIELDS: list[tuple[str, Any]] = [
    ("booking_id", ...), ("booking_id", None), ("booking_id", ""), ("booking_id", -7),
    ("booking_id", True), ("booking_id", ["BK"]), ("booking_id", "x" * 65), ("booking_id", LONG),
    ("booking_id", "a\x00b"), ("booking_id", "a\nb"), ("booking_id", "\ud800"),
    ("booking_id", "\u202e"), ("booking_id", "\x7f"),
    ("revision", -1), ("revision", 1.0), ("revision", 1.5), ("revision", True), ("revision", "1"),
    ("revision", HIGHEST_REVISION + 1), ("revision", 10**4000), ("revision", []),
    ("device_ids", ...), ("device_ids", "one"), ("device_ids", []), ("device_ids", {}),
    ("device_ids", [DOOR] * 2), ("device_ids", [DOOR, DOOR.upper()]), ("device_ids", 0),
    ("device_ids", [f"{DOOR[:-3]}{n:03}" for n in range(101)]),
    ("device_ids[0]", [""]), ("device_ids[0]", [None]), ("device_ids[0]", [True]),
    ("device_ids[0]", ["x" * 129]), ("device_ids[0]", ["\x1b[31m"]), ("device_ids[1]", [DOOR, {}]),
    ("device_ids[0]", ["front-door"]), ("device_ids[0]", ["101"]), ("device_ids[1]", [DOOR, f"{{{DOOR}}}"]),
    ("device_ids[0]", [f"urn:uuid:{DOOR}"]), ("device_ids[0]", [DOOR.replace("-", "")]),
    ("device_ids[0]", [DOOR + " "]),
    ("check_in", ...), ("check_in", None), ("check_in", 1764633600), ("check_in", {}),
    ("check_out", ...), ("check_out", False), ("check_out", ["2026-12-05"]),
    ("time_zone", "PST"), ("time_zone", "america/los_angeles"), ("time_zone", "GMT-07:00"),
    ("time_zone", ""), ("time_zone", "../../etc/passwd"), ("time_zone", "/etc/localtime"),
    ("time_zone", "America"), ("time_zone", "America/../UTC"), ("time_zone", "localtime"),
    ("time_zone", "Factory"), ("time_zone", "posix/UTC"), ("time_zone", "right/UTC"),
    ("time_zone", "UTC\x00"), ("time_zone", "UTC "), ("time_zone", 5), ("time_zone", LONG),
    ("time_zone", "Z"), ("time_zone", "\ud800"), ("time_zone", "tzdata.zi"), ("time_zone", []),
    ("granularity", "weekly"), ("granularity", "Hourly"), ("granularity", 1), ("granularity", []),
    ("slot", ""), ("slot", 7), ("slot", "a\x00"), ("slot", "x" * 129), ("slot", {}),
    ("label", 7), ("label", "a\nb"), ("label", "\u202eabc"), ("label", "\ud800"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("field", "value"),
    [pytest.param(*row, id=f"{place}-{row[0]}-{ascii(row[1])[:30]}") for place, row in enumerate(BAD_FIELDS)],
)
def test_bad_field_is_named(field: str, value: Any) -> None:
    """Each invalid value alone, in the mapping and in the text."""
    raw = booking(**{field.partition("[")[0]: value})
    assert fields_of(raw) == [field]
    assert fields_of(envelope(data=raw)) == [field]
    assert fields_of(json.dumps(raw)) == [field]


def test_a_door_that_is_no_uuid_is_explained() -> None:
    """Each problem names the position in the list, and says what was expected instead of a room number."""
    found = problems_of(booking(device_ids=["Room 101", DOOR, "\uff11" + DOOR[1:]]))
    assert [(each.field, each.wrong) for each in found] == [
        ("device_ids[0]", "'Room 101' is not a UUID"),
        ("device_ids[2]", f"'\uff11{DOOR[1:]}' is not a UUID"),
    ]
    assert "a UUID such as 11111111-1111-1111-1111-444444444444" in found[0].right


def test_a_door_in_upper_case_is_the_same_door() -> None:
    """It is stored as Seam writes it; otherwise one door would be two."""
    assert parse_booking_message(booking(device_ids=[DOOR.upper()])).device_ids == (DOOR,)


def test_every_problem_is_named() -> None:
    """All at once, so that the message can be corrected in one go."""
    raw = {"revision": -1, "unit": 5, "check_in": "soon", "time_zone": "PST", "granularity": "x"}
    assert fields_of(raw) == [
        "booking_id", "revision", "unit", "time_zone", "check_in", "check_out", "granularity",
    ]  # fmt: skip


def test_devices_and_unit_exclude_each_other() -> None:
    """It would be unclear which of the two counts."""
    assert fields_of(booking(unit="101")) == ["unit"]
    assert parse_booking_message(booking(unit="101", device_ids=...)).unit == "101"


@pytest.mark.parametrize("label", ["Räume 101+102", "a\u00a0b", "👩\u200d👩\u200d👧", "x" * 256], ids=ascii)
def test_labels_of_people(label: str) -> None:
    """Everything that can be shown may be in a label."""
    assert parse_booking_message(booking(label=label[:256])).label == label[:256]


def test_a_label_that_is_too_long_is_cut() -> None:
    """A guest must not go without a code because a label is long."""
    label = parse_booking_message(booking(label="x" * 1_000_000)).label
    assert label == "x" * 255 + "…"


def test_an_empty_label_counts_as_none() -> None:
    """Forms send empty texts for fields that weren't filled in."""
    assert parse_booking_message(booking(label="")).label is None


@pytest.mark.parametrize("kind", ["booking.created", "booking.updated", "booking.cancelled"])
def test_types(kind: str) -> None:
    """All three types."""
    assert parse_booking_message(envelope(type=kind)).type == kind


def test_cancellation_needs_only_the_booking() -> None:
    """Place and times are known already."""
    message = parse_booking_message(envelope(type="booking.cancelled", data={"booking_id": "BK-1001", "revision": 3}))
    assert message.device_ids == ()
    assert message.check_in is None
    assert message.check_out is None


@pytest.mark.parametrize(
    "written", ["Z\u00fcrich-\u1e9b\u0323", "Zu\u0308rich-\u017f\u0323\u0307", "  Zu\u0308rich-\u1e9b\u0323 "]
)
def test_an_id_is_the_same_however_its_accents_are_composed(written: str) -> None:
    """The difference can't be seen, and systems send either form: otherwise one guest would have two bookings."""
    for raw in (booking(booking_id=written), envelope(type="booking.cancelled", data={"booking_id": written})):
        assert parse_booking_message(raw).booking_id == "Z\u00fcrich-\u1e9b\u0323"
    assert hints_of(json.dumps(booking(booking_id=written))).booking_id == "Z\u00fcrich-\u1e9b\u0323"


def test_letters_that_look_different_are_different() -> None:
    """Full-width letters, upper case, and a superscript two."""
    ids = [
        parse_booking_message(booking(booking_id=written)).booking_id
        for written in ("BK2", "bk2", "\uff22\uff2b2", "BK\u00b2")
    ]
    assert len(set(ids)) == 4
