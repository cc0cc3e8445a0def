"""Fields that aren't read, but were probably meant: misspelled names, and other ways to cancel a booking."""

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.messages.message import InvalidMessage
from shared.domain.messages.near_misses import FIELDS, field_meant
from shared.domain.messages.outer_type import check_outer_type
from shared.domain.messages.parse import parse_booking_message
from tests.domain.booking_messages import booking, envelope, problems_of

CANCELLED: list[tuple[str, dict[str, Any]]] = [
    ("a status", {"status": "cancelled"}),
    ("a status with one l", {"status": "canceled"}),
    ("a status in capitals", {"status": "CANCELLED"}),
    ("a status that says by whom", {"status": "cancelled_by_guest"}),
    ("another name for the status", {"booking_status": "Cancelled"}),
    ("a state", {"state": "cancelled"}),
    ("a status in camel case", {"reservationStatus": "canceled"}),
    ("deleted", {"status": "deleted"}),
    ("an action", {"action": "cancel"}),
    ("an event", {"event": "reservation.cancelled"}),
    ("a flag", {"cancelled": True}),
    ("a flag with one l", {"canceled": True}),
    ("a flag in camel case", {"isCancelled": True}),
    ("a flag as text", {"cancelled": "true"}),
    ("a flag as a number", {"cancelled": 1}),
    ("a flag that is a time", {"cancelled_at": "2026-11-20T10:00:00Z"}),
    ("when, with one l", {"canceledOn": "2026-11-20"}),
    ("deleted, as a flag", {"deleted": True}),
    ("deleted, as a time", {"deleted_at": "2026-11-20"}),
    ("in German", {"status": "storniert"}),
    ("in German, as a noun", {"Status": "Stornierung"}),
    ("in French", {"status": "annul\u00e9e"}),
    ("in Spanish", {"status": "Cancelada"}),
    ("in Italian", {"status": "cancellato"}),
    ("a code", {"status": "CXL"}),
    ("a code of a reservation", {"reservation_status": "CXLD"}),
    ("a status in a list", {"status": ["cancelled"]}),
    ("a reason", {"cancellation_reason": "guest ill"}),
    ("a reason, short", {"cancelReason": "guest ill"}),
    ("who did it", {"cancelled_by": "guest"}),
    ("its own object", {"cancellation": {"reason": "guest ill", "at": "2026-11-28T10:00:00Z"}}),
    ("its own object, with a date", {"cancellation": {"date": "2026-11-28"}}),
    ("its number", {"cancellation_id": "C-1"}),
    ("when, in UTC", {"CanceledUtc": "2026-11-28T10:00:00Z"}),
    ("when, in one word", {"canceltime": "10:00"}),
    ("when, in German", {"storniert_am": "2026-11-28"}),
    ("when, in German in one word", {"stornodatum": "2026-11-28"}),
    ("when, in French", {"date_annulation": "2026-11-28"}),
    ("when, in Spanish", {"fecha_cancelacion": "2026-11-28"}),
    ("several", {"cancellations": [{"at": "2026-11-28"}]}),
    ("a flag that is an object", {"cancelled": {"value": True}}),
    ("a flag in one word that is an object", {"iscancelled": {"value": 1}}),
    ("a time that is an object", {"deletedAt": {"seconds": 1795910000}}),
    ("a kind of message", {"msgType": "cancel"}),
    ("a kind of transaction", {"transaction_type": "cancel"}),
    ("a stage", {"lifecycle": "cancelled"}),
    ("a command", {"command": "cancel"}),
    ("a tag", {"tags": ["cancelled"]}),
]


@pytest.mark.parametrize("fields", [pytest.param(row, id=name) for name, row in CANCELLED])
def test_a_cancellation_is_never_taken_for_a_booking(fields: dict[str, Any]) -> None:
    """Bare, as data, or in the envelope; each problem says how a cancellation is sent."""
    name = next(iter(fields))
    for raw in (booking(**fields), envelope(data=booking(**fields)), envelope(type="booking.updated", **fields)):
        (problem,) = problems_of(raw)
        assert problem.field == name
        assert "says that the booking is cancelled" in problem.wrong
        assert '"type": "booking.cancelled"' in problem.right
    cancellation = envelope(type="booking.cancelled", data={"booking_id": "BK-1001", **fields})
    assert parse_booking_message(cancellation).type == "booking.cancelled"


def test_the_reason_of_a_cancellation_is_not_quoted() -> None:
    """Problems are shown in alerts and logs, and a reason may be about a guest."""
    (problem,) = problems_of(booking(cancellation_reason="Ms Smith is ill"))
    assert problem.wrong.startswith("a text says that the booking is cancelled")
    with pytest.raises(InvalidMessage) as refused:
        check_outer_type({"cancellation_reason": "Ms Smith is ill"}, parse_booking_message(booking()))
    assert "Smith" not in str(refused.value.problems)


NESTED: list[tuple[str, dict[str, Any], str]] = [
    ("a status that is an object", {"status": {"code": "cancelled"}}, "status.code"),
    ("with a name of its own", {"status": {"id": 3, "name": "Cancelled by guest"}}, "status.name"),
    ("a flag within a status", {"status": {"cancelled": True}}, "status.cancelled"),
    ("deeper", {"reservation": {"status": {"code": "canceled"}}}, "reservation.status.code"),
    ("the booking within an event", {"event": {"kind": "reservation.cancelled"}}, "event.kind"),
    ("a flag within the booking", {"booking": {"is_cancelled": "yes"}}, "booking.is_cancelled"),
    ("a flag among flags", {"flags": {"cancelled": True}}, "flags.cancelled"),
    ("a status beside it", {"meta": {"status": "cancelled"}}, "meta.status"),
    ("the only one of a list", {"reservations": [{"status": "cancelled"}]}, "reservations.status"),
    ("who did it, within the booking", {"booking": {"cancelled_by": "guest"}}, "booking.cancelled_by"),
]


@pytest.mark.parametrize(("fields", "path"), [pytest.param(*row, id=name) for name, *row in NESTED])
def test_a_cancellation_within_an_object_is_found(fields: dict[str, Any], path: str) -> None:
    """The problem names its path."""
    (problem,) = problems_of(booking(**fields))
    assert (problem.field, '"type": "booking.cancelled"' in problem.right) == (path, True)


GONE: list[dict[str, Any]] = [
    {"status": "no_show"}, {"status": "No-Show"}, {"reservationStatus": "NOSHOW"}, {"status": "declined"},
    {"state": "expired"}, {"status": "inactive"}, {"active": False}, {"isActive": "false"}, {"booking_active": 0},
    {"status": {"code": "rejected"}}, {"state_code": "declined"},
]  # fmt: skip


@pytest.mark.parametrize("fields", GONE, ids=str)
def test_a_booking_that_does_not_stand_is_a_problem(fields: dict[str, Any]) -> None:
    """No code is made: the problem says how to cancel, and what to do if the booking stands nevertheless."""
    (problem,) = problems_of(booking(**fields))
    assert "says that the booking doesn't stand" in problem.wrong
    assert '"type": "booking.cancelled"' in problem.right
    assert "leave the field out" in problem.right


def test_a_hostile_object_is_not_read_completely() -> None:
    """However wide and deep it is: reading stops after some values."""
    deep: dict[str, Any] = {"status": "x"}
    for _ in range(100):
        deep = {"status": deep, "state": 1}
    wide = {f"status{number}": {f"x{inner}": "y" for inner in range(200)} for number in range(300)}
    assert parse_booking_message(booking(**wide)).booking_id == "BK-1001"
    # Values that weren't read aren't known.
    buried: dict[str, Any] = {"status": {"status": {"status": {"status": "cancelled"}}}}
    for status in (wide | {"state": 1}, deep, buried):
        (problem,) = problems_of(booking(status=status))
        assert (problem.field, problem.wrong) == ("status", "an object isn't known to say that the booking stands")


NOT_CANCELLED: list[dict[str, Any]] = [
    {"previous_status": "cancelled"}, {"status": {"code": "confirmed", "previous": "cancelled"}},
    {"payment_status": "declined"}, {"active": True}, {"active": None}, {"status": {}}, {"status": []},
    {"policy": {"status": "cancelled"}},
    {"guest": {"status": "cancelled"}}, {"status": "confirmed"}, {"state": "Nevada", "zip": "89501"},
    {"cancelled": False}, {"cancelled": None}, {"cancelled": "false"}, {"cancelled": 0}, {"canceled": ""},
    {"cancelled_at": None}, {"cancellation_policy": "strict"}, {"cancellation_deadline": "2026-11-20"},
    {"cancel_by": "2026-11-20"}, {"cancellation_fee": 20}, {"free_cancellation": True}, {"is_cancellable": True},
    {"cancellation": {"free_until": "2026-11-20", "fee": 20}}, {"cancellation": None}, {"cancellation": {}},
    {"cancellation": {"at": None, "reason": ""}}, {"cancellations": []}, {"cancellation_terms": {"days": 2}},
    {"cancel_url": "https://pms.example/x"}, {"cancelled_by": None}, {"cancellation_reason": ""},
    {"cancelled_on": "null"},
    {"cancellation_protection": True}, {"tags": ["vip", "late"]}, {"meta": {"status": "x9"}}, {"method": "card"},
    {"stage": "pre-arrival"}, {"rate": {"cancellation": "free"}}, {"rate_type": "free cancellation"},
    {"deleted": False}, {"type": "vacation"}, {"notes": "cancelled"},
]  # fmt: skip


@pytest.mark.parametrize("fields", NOT_CANCELLED, ids=str)
def test_unrelated_fields_are_ignored(fields: dict[str, Any]) -> None:
    """Also the conditions for a cancellation."""
    assert parse_booking_message(booking(**fields)).booking_id == "BK-1001"


@pytest.mark.parametrize(
    "kind", ["booking.canceled", "booking.cancel", "reservation.cancelled", "cancelled", "booking.deleted"]
)
def test_a_type_that_means_cancelled_is_refused(kind: str) -> None:
    """In the envelope and beside the fields; the problem names the right type."""
    for raw in (envelope(type=kind), envelope(type=kind, data={"booking_id": "BK-1"}), booking(type=kind)):
        problem = next(each for each in problems_of(raw) if each.field == "type")
        assert "booking.cancelled" in problem.right


NEAR: list[tuple[str, str]] = [
    ("revison", "revision"), ("Revision", "revision"), ("revisions", "revision"), ("reivsion", "revision"),
    ("revission", "revision"), ("timezone", "time_zone"), ("timeZone", "time_zone"), ("time-zone", "time_zone"),
    ("tz", "time_zone"), ("granulrity", "granularity"), ("Granularity", "granularity"), ("slots", "slot"),
    ("Slot", "slot"), ("lable", "label"), ("LABEL", "label"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "meant"), NEAR)
def test_a_misspelled_field_is_a_problem(name: str, meant: str) -> None:
    """An optional one would otherwise be ignored without a word."""
    for raw in (booking(**{name: "x"}), envelope(data=booking(**{name: "x"}))):
        (problem,) = problems_of(raw)
        assert (problem.field, problem.wrong) == (name, "is not read")
        assert f"write {meant} if that is meant" in problem.right
    assert parse_booking_message(booking(**{name: None})).revision is None


REQUIRED: list[tuple[str, str]] = [
    ("checkin", "check_in"), ("checkIn", "check_in"), ("check-in", "check_in"), ("chek_in", "check_in"),
    ("checkout", "check_out"), ("CheckOut", "check_out"), ("bookingId", "booking_id"), ("boking_id", "booking_id"),
    ("device_id", "device_ids"), ("deviceIds", "device_ids"), ("units", "device_ids"),
]  # fmt: skip


REQUIRED += [
    ("arrival", "check_in"), ("arrivalDate", "check_in"), ("start_time", "check_in"), ("check_in_date", "check_in"),
    ("departure", "check_out"), ("departureDate", "check_out"), ("end", "check_out"), ("checkoutTime", "check_out"),
    ("room", "device_ids"), ("roomNumber", "device_ids"), ("apartment_name", "device_ids"), ("unit_id", "device_ids"),
    ("id", "booking_id"), ("reservation_id", "booking_id"), ("confirmationCode", "booking_id"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "missing"), REQUIRED)
def test_a_required_field_under_another_name_is_named(name: str, missing: str) -> None:
    """Beside the missing one."""
    named = {problem.field for problem in problems_of(booking(**{missing: ..., name: "x"}))}
    assert named == {name, missing}


def test_a_misspelled_name_of_a_field_that_is_given_is_ignored() -> None:
    """The field itself is given; or the doors are, in the other way."""
    called = {"arrival": "late", "departure": "x", "room": "101", "id": 7, "reservation": {"id": 3}, "end": None}
    assert parse_booking_message(booking(**called)).booking_id == "BK-1001"
    known = {"device_id": "x", "booking_ids": ["BK-1001"], "units": 3, "checkIn": booking()["check_in"], "labels": None}
    assert parse_booking_message(booking(**known)).booking_id == "BK-1001"
    assert [each.field for each in problems_of(booking(checkIn="2026-12-02"))] == ["checkIn"]


def test_a_typo_does_not_stop_a_cancellation() -> None:
    """Unless it hides the booking's id, or the revision."""
    data = {"booking_id": "BK-1", "checkin": "x", "timezone": "PST", "check_in_time": "15:45"}
    assert parse_booking_message(envelope(type="booking.cancelled", data=data)).booking_id == "BK-1"
    (problem,) = problems_of(envelope(type="booking.cancelled", data={"booking_id": "BK-1", "revison": 3}))
    assert problem.field == "revison"


def test_a_time_of_day_beside_a_date_is_a_problem() -> None:
    """Otherwise the unit's default time would be used instead."""
    (problem,) = problems_of(booking(check_in="2026-12-01", check_in_time="15:45"))
    assert (problem.field, "2026-12-01T15:45" in problem.right) == ("check_in_time", True)
    assert parse_booking_message(booking(check_in_time="15:45")).booking_id == "BK-1001"


ORDINARY = [
    "guest", "guests", "id", "arrival", "notes", "version", "division", "room", "unity", "lot", "created_at", "timer",
    "check", "book", "device", "booking", "link", "revenue", "source", "total", "currency", "x" * 100_000,
]  # fmt: skip


@pytest.mark.parametrize("name", ORDINARY, ids=lambda name: name[:20])
def test_ordinary_fields_are_ignored(name: str) -> None:
    """Booking systems may send more fields than are read here."""
    assert field_meant(name) is None


@given(st.sampled_from([name for name in FIELDS if len(name) > 6]), st.data())
def test_one_typo_is_always_found(name: str, data: st.DataObject) -> None:
    """A letter is missing, doubled, changed or swapped with its neighbour."""
    place = data.draw(st.integers(0, len(name) - 2))
    letter = data.draw(st.sampled_from("abcxyz"))
    spellings = {
        name[:place] + name[place + 1 :],
        name[:place] + name[place] + name[place:],
        name[:place] + letter + name[place + 1 :],
        name[:place] + name[place + 1] + name[place] + name[place + 2 :],
    }
    assert {field_meant(each) for each in spellings} == {name}
