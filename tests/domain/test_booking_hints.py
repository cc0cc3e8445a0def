"""What can be read from a message that can't be used."""

import json
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.messages.hints import Hints, hints_of
from shared.domain.messages.message import InvalidMessage
from shared.domain.messages.near_misses import FIELDS
from shared.domain.messages.parse import parse_booking_message
from shared.domain.stay.instants import check_in_at
from shared.domain.stay.stay import DateOnly, WallTime
from tests.domain.booking_messages import booking, envelope

AT = datetime(2036, 12, 1, 16, tzinfo=UTC)
TOLD: list[Any] = [
    pytest.param('{"booking_id": "BK-1", "check_in": "2036-12-01T16:00:00Z"}', Hints("BK-1", AT), id="bare"),
    pytest.param(
        '{"data": {"booking_id": "BK-1", "check_in": "2036-12-01T16:00"}}',
        Hints("BK-1", AT - timedelta(hours=14), AT.replace(tzinfo=None)),
        id="envelope",
    ),
    pytest.param('{"booking_id": "BK-1", "check_in": "soon"}', Hints("BK-1"), id="no time"),
    pytest.param('{"booking_id": "", "check_in": 7}', Hints(), id="nothing"),
    pytest.param('{"booking_id": "BK\\n1"}', Hints(), id="an id that can't be shown"),
    pytest.param('{"data": []}', Hints(), id="no fields"),
    pytest.param("[1]", Hints(), id="a list"),
    pytest.param("oops", Hints(), id="no JSON"),
    pytest.param(None, Hints(), id="no message"),
    pytest.param("[" * 60_000, Hints(), id="too deep"),
]


@pytest.mark.parametrize(("text", "hints"), TOLD)
def test_hints(text: str | None, hints: Hints) -> None:
    """Everything that can be read."""
    assert hints_of(text) == hints


@given(st.text())
def test_never_raises(text: str) -> None:
    """A parked message may hold anything."""
    assert isinstance(hints_of(text), Hints)


INSTANT = "2036-12-01T16:00:00Z"
WALL, EARLIEST = datetime(2036, 12, 1, 16), datetime(2036, 12, 1, 2, tzinfo=UTC)  # noqa: DTZ001 - a wall time
CALLED: list[tuple[str, dict[str, Any]]] = [
    ("in camel case", {"checkIn": INSTANT}),
    ("in one word", {"checkin": INSTANT}),
    ("with a hyphen", {"check-in": INSTANT}),
    ("with a typo", {"chekc_in": INSTANT, "chek_in": INSTANT}),
    ("as a date", {"check_in_date": INSTANT}),
    ("arrival", {"arrival": INSTANT}),
    ("the date of the arrival", {"arrivalDate": INSTANT}),
    ("the time of the arrival", {"arrival_at": INSTANT}),
    ("start", {"start": INSTANT}),
    ("start in UTC", {"StartUtc": INSTANT}),
    ("from", {"from": INSTANT}),
    ("in another spelling of the same moment", {"checkIn": "20361201T1700+0100"}),
    ("its own is null", {"check_in": None, "checkIn": INSTANT}),
    ("its own can't be read", {"check_in": "12/01/2036", "arrival": INSTANT}),
    ("the likelier cannot be read", {"checkIn": 2112364800, "arrival": "01.12.2036", "start": INSTANT}),
    ("a misspelled one goes before another name", {"start": "2036-11-01T00:00:00Z", "checkIn": INSTANT}),
    ("an arrival goes before a start", {"start": "2036-11-01T00:00:00Z", "arrival_date": INSTANT}),
    ("its time of day stands beside it", {"arrivalTime": "16:00", "arrival": INSTANT}),
    ("in the booking", {"booking": {"arrival": INSTANT}}),
    ("in a reservation of its own name", {"reservation": {"check_in": INSTANT}}),
    ("in the only one of a list", {"reservations": [{"checkIn": INSTANT}]}),
    ("deeper", {"payload": {"data": {"stay": {"start": INSTANT}}}}),
    ("with its zone", {"checkIn": "2036-12-01T17:00", "timezone": "Europe/Vienna"}),
    ("with its zone of the right name", {"checkIn": "2036-12-01T17:00", "time_zone": "Europe/Vienna"}),
    ("beside a zone that isn't known", {"checkIn": INSTANT, "tz": "PST"}),
]


@pytest.mark.parametrize("fields", [pytest.param(row, id=name) for name, row in CALLED])
def test_the_check_in_under_another_name(fields: dict[str, Any]) -> None:
    """Its guest comes nevertheless. It is never applied: the message itself isn't read."""
    for message in (fields, {"booking_id": "BK-1", **fields}, {"type": "booking.created", "data": fields}):
        assert hints_of(json.dumps(message)).check_in == AT
        with pytest.raises(InvalidMessage):
            parse_booking_message(json.dumps(message))


def test_a_local_time_under_another_name_is_the_earliest_that_it_can_be() -> None:
    """Nobody knows the lock's zone: as for the field itself."""
    for fields in ({"arrival": "2036-12-01T16:00"}, {"arrival": "2036-12-01 16:00", "timezone": "PST"}):
        assert hints_of(json.dumps(fields)) == Hints(None, EARLIEST, WALL)
    by_date = hints_of('{"arrivalDate": "2036-12-01"}')
    assert by_date.wall_check_in == WALL.replace(hour=0)


NOT_MEANT: list[tuple[str, dict[str, Any]]] = [
    ("could mean two days", {"checkIn": "12/01/2036"}),
    ("a number", {"arrival": 2112364800}),
    ("a time of day", {"checkInTime": "16:00"}),
    ("an object", {"arrival": {"date": INSTANT}}),
    ("a check-out", {"checkOut": INSTANT, "departure": INSTANT}),
    ("another field", {"created_at": INSTANT, "booked": INSTANT}),
    ("of something else", {"payment": {"start": INSTANT}, "guest": {"arrival": INSTANT}}),
    ("of what was before", {"previous_booking": {"check_in": INSTANT}}),
    ("of two bookings", {"bookings": [{"checkIn": INSTANT}, {"checkIn": INSTANT}]}),
    ("too deep", {"booking": {"stay": {"order": {"booking": {"checkIn": INSTANT}}}}}),
]


@pytest.mark.parametrize("fields", [pytest.param(row, id=name) for name, row in NOT_MEANT])
def test_what_may_mean_something_else_is_no_check_in(fields: dict[str, Any]) -> None:
    """Then nobody knows when its guest comes, and people are told that."""
    assert hints_of(json.dumps({"booking_id": "BK-1", **fields})) == Hints("BK-1")


NAMES = ["checkIn", "arrival", "start", "Check-In", "from", "timezone", "tz", "note", "check_in_date", *FIELDS]
VALUES = st.sampled_from(
    [INSTANT, "2036-12-03", "2036-12-02T15:45", "Asia/Tokyo", "x", "", 7, None, {"arrival": "2036-12-02"}]
)
EXTRA = st.dictionaries(st.sampled_from([*NAMES, "booking", "reservation"]), VALUES, max_size=4)


@given(EXTRA, EXTRA, st.sampled_from(["booking.created", "booking.updated", "booking.cancelled", "bare"]))
def test_a_message_that_is_read_is_judged_by_its_own_check_in(
    extra: dict[str, Any], within: dict[str, Any], kind: str
) -> None:
    """Whatever else it says. A cancellation that has none stays without one."""
    fields = booking(check_out="2037-01-05T10:15:00Z") | extra
    fields |= {"reservation": within} if within else {}
    if kind == "booking.cancelled" and "check_in" not in extra:
        del fields["check_in"]
    sent = fields if kind == "bare" else envelope(type=kind, data=fields)
    try:
        message = parse_booking_message(sent)
    except InvalidMessage:
        return
    found = hints_of(json.dumps(sent))
    own = message.check_in
    if own is None:
        assert found == Hints(message.booking_id)
        return
    at = WallTime(datetime.combine(own.on, datetime.min.time())) if isinstance(own, DateOnly) else own
    expected = check_in_at(at, None)
    assert found == Hints(message.booking_id, expected.at, expected.wall)


def test_a_hostile_message_is_not_gone_through() -> None:
    """However many names it has, and however deep it is."""
    many = {f"name{number}": "x" for number in range(5_000)} | {"arrival": INSTANT}
    assert hints_of(json.dumps(many)) == Hints()
    deep: dict[str, Any] = {"arrival": INSTANT}
    for _ in range(200):
        deep = {"booking": deep, "stay": {}, "order": []}
    assert hints_of(json.dumps(deep)) == Hints()


def test_the_check_in_at_a_door() -> None:
    """A local time counts on that lock's clock; an instant is the same everywhere."""
    local, instant = Hints("BK-1", EARLIEST, WALL), Hints("BK-1", AT)
    in_vienna = local.at_door("Europe/Vienna")
    assert in_vienna is not None
    assert (in_vienna.at, in_vienna.latest, in_vienna.wall) == (AT - timedelta(hours=1), AT - timedelta(hours=1), None)
    unknown, anywhere = local.at_door(None), instant.at_door("Europe/Vienna")
    assert unknown is not None
    assert (unknown.at, unknown.wall) == (EARLIEST, WALL)
    assert anywhere is not None
    assert (anywhere.at, anywhere.wall) == (AT, None)
    assert Hints("BK-1").at_door("Europe/Vienna") is None
