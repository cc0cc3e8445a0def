"""Parked messages by cause: sixty messages with one cause are one alert."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.alerting.affected_by_parked import ParkedMessage
from shared.domain.alerting.causes import Cause
from shared.domain.alerting.parked_alert_limit import MOST_CAUSES
from shared.domain.alerting.parked_messages import parked_causes
from shared.domain.messages.cancellations import HOW_TO_CANCEL
from shared.domain.messages.hints import Hints
from shared.domain.messages.message import InvalidMessage, Problem, unknown_unit
from shared.domain.messages.parked_causes import cause_of, unit_of
from shared.domain.messages.parse import parse_booking_message

NOW = datetime(2026, 11, 20, tzinfo=UTC)
STREAM = "booking-created"
DEVICE = "11111111-1111-4111-8111-111111111111"
WELL = {"booking_id": "BK-1", "device_ids": [DEVICE], "check_in": "2026-12-01", "check_out": "2026-12-05"}


def parked(
    *problems: Problem,
    booking_id: str | None = None,
    days: int | None = None,
    stream: str = STREAM,
    parked_id: str = "1-0",
) -> ParkedMessage:
    """Return a parked message with these problems, of a guest who comes in so many days."""
    check_in = NOW + timedelta(days=days) if days is not None else None
    hints = Hints(booking_id, check_in)
    return ParkedMessage(parked_id=parked_id, stream=stream, problems=tuple(map(str, problems)), hints=hints)


def problems_of(message: str | dict[str, Any]) -> tuple[str, ...]:
    """Return the problems of a message, as they are stored with the parked one."""
    with pytest.raises(InvalidMessage) as invalid:
        parse_booking_message(message)
    return tuple(map(str, invalid.value.problems))


def wrong(text: str) -> Problem:
    """Return a problem of the check-in."""
    return Problem("check_in", f"{text!r} is neither a time nor a date", "give one such as 2026-12-01")


def told(*messages: ParkedMessage) -> list[Cause]:
    """Return the causes that are told."""
    return parked_causes(messages, NOW)


def test_sixty_bookings_of_an_unknown_unit_are_one_alert() -> None:
    """With their count, the nearest check-in, and the fix."""
    (one,) = told(*(parked(unknown_unit("Villa 7"), booking_id=f"BK-{day}", days=day) for day in range(1, 61)))
    assert one.notice.subject == "60 bookings name the unit 'Villa 7', which isn't in the doors file"
    assert "Add the unit 'Villa 7' to the doors file" in one.notice.next_step
    assert one.hit == 60
    assert one.notice.check_in == NOW + timedelta(days=1)
    assert one.subjects[0].startswith("Booking BK-1, check-in Sat 2026-11-21")
    assert one.notice.problem == "booking_parked"


def test_more_messages_of_a_cause_are_no_news() -> None:
    """The text of what happened and the key stay the same; the count is in the subject."""
    (one,) = told(parked(unknown_unit("Villa 7"), booking_id="BK-1"))
    (two,) = told(*(parked(unknown_unit("Villa 7"), booking_id=name) for name in ("BK-1", "BK-2")))
    assert (one.notice.key, one.notice.happened) == (two.notice.key, two.notice.happened)
    assert one.notice.subject == "Booking BK-1 names the unit 'Villa 7', which isn't in the doors file"
    assert one.notice.booking_id == "BK-1"


def test_a_booking_is_known_since_its_first_message() -> None:
    """The same booking sent again isn't new; a message that names no booking counts by itself."""
    unit = unknown_unit("Villa 7")
    (one,) = told(
        parked(unit, booking_id="BK-1", days=9, parked_id="5-0"),
        parked(unit, booking_id="BK-2", days=3, parked_id="6-0"),
        parked(unit, parked_id="7-1"),
        parked(unit, booking_id="BK-1", days=9, parked_id="10-0"),
    )
    assert [member.since for member in one.members] == ["6-0", "5-0", "7-1"]
    assert one.members[0].line.startswith("Booking BK-2, check-in")
    assert one.known_until == "7-1"


def test_another_cause_is_another_alert_without_quotations() -> None:
    """The same mistake with other values is one cause; no alert quotes a message."""
    causes = told(
        parked(wrong("Mr. Smith"), booking_id="BK-1"),
        parked(wrong("Mrs. Smith's 12"), booking_id="BK-2"),
        parked(unknown_unit("101"), booking_id="BK-3"),
        parked(unknown_unit("102"), booking_id="BK-4"),
        parked(wrong("Mr. Smith"), stream="seam-events"),
    )
    assert len({one.notice.key for one in causes}) == len(causes) == 4
    assert not any("Smith" in str(one) for one in causes)
    assert [one.notice.problem for one in causes].count("message_parked") == 1


def test_texts_with_apostrophes_can_be_read() -> None:
    """An apostrophe starts no quotation; quotations are left out."""
    wrong = "'/pms/new' is not that of this booking's first message, '/other'"
    (one,) = told(parked(Problem("source", wrong, 'if it isn\'t another booking, give "/other"'), booking_id="BK-1"))
    assert (
        "source: … is not that of this booking's first message, …; if it isn't another booking, give …."
        in one.notice.happened
    )


def test_how_to_cancel_can_be_read() -> None:
    """It quotes a type, and nothing of the message."""
    said = Problem("status", "'gone 739158' says that the booking is cancelled", HOW_TO_CANCEL)
    (one,) = told(parked(said, booking_id="BK-1"))
    assert HOW_TO_CANCEL in one.notice.happened
    assert "739158" not in str(one)


def test_a_flood_of_different_causes_is_a_few_alerts() -> None:
    """The causes with the most messages have their own; the others share one."""
    several = [parked(unknown_unit("Villa 7"), booking_id=f"BK-{number}") for number in range(3)]
    causes = told(*several, *(parked(unknown_unit(f"Room {number}")) for number in range(100)))
    assert len(causes) == MOST_CAUSES + 1
    assert causes[0].hit == 3
    assert sum(one.hit for one in causes) == 103


def test_a_check_in_of_last_week_is_not_urgent() -> None:
    """The nearest check-in of a guest who may still come decides."""
    (one,) = told(parked(wrong("x"), booking_id="BK-1", days=-7), parked(wrong("y"), booking_id="BK-2", days=3))
    assert one.notice.check_in == NOW + timedelta(days=3)
    (past,) = told(parked(wrong("x"), booking_id="BK-1", days=-7))
    assert past.notice.check_in is None


@pytest.mark.parametrize("unit", ["Villa 7", "it's", 'the "old" one', "back\\slash", "Zoë"])
def test_the_unit_that_a_message_waits_for(unit: str) -> None:
    """It is known from the problem, if that is the only one."""
    assert unit_of([str(unknown_unit(unit))]) == unit
    assert unit_of([str(unknown_unit(unit)), str(wrong("x"))]) is None
    assert unit_of([str(wrong("x"))]) is None
    assert cause_of([str(unknown_unit(unit))]).unit == unit
    meant = str(unknown_unit(unit, [unit.upper() + " "]))
    assert "did you mean" in meant
    assert (unit_of([meant]), cause_of([meant])) == (unit, cause_of([str(unknown_unit(unit))]))


NAMES = ("checkIn", "Check-In", "chekin", "arrival")
KINDS: tuple[Any, ...] = (True, [], {}, [1])
ALIKE: dict[str, list[dict[str, Any]]] = {
    "other values": [{"check_in": value} for value in ("soon", "later", "x" * 500, 'it\'s "then"')],
    "values of other kinds": [{"check_in": value} for value in KINDS],
    "numbers": [{"check_in": value} for value in (5, -5, 5.5, 1e300, 10**90)],
    "what is no number": [{"revision": value} for value in ("x", -1, 2.5, 10**90, *KINDS)],
    "spellings of a field": [{"check_in": None, name: "2026-12-01"} for name in NAMES],
    "words for a cancellation": [{"status": "cancelled"}, {"booking_status": "Storniert 7"}, {"it's state": "cxl"}],
    "places in a list": [{"device_ids": [DEVICE, "x"]}, {"device_ids": ["y z"]}],
    "a time beside its date": [{"check_in": f"2026-12-0{day}", "checkInTime": f"{day}:00"} for day in (1, 2)],
}


@pytest.mark.parametrize("what", ALIKE)
def test_the_same_mistake_is_one_cause(what: str) -> None:
    """Whatever the values are, and however the sender spells an unknown field."""
    causes = {cause_of(problems_of(WELL | message)) for message in ALIKE[what]}
    assert len({cause.name for cause in causes}) == 1
    assert len({cause.text for cause in causes}) == 1


def test_text_that_is_no_json_is_one_cause() -> None:
    """Wherever the text ends."""
    assert len({cause_of(problems_of(text)).name for text in ("oops", '{"a":', '{"a" 1}', "{'a': 1}")}) == 1
    assert len({cause_of(problems_of(text)).name for text in ("[1]", '"x"', "5", "true", "null")}) == 1


def test_other_mistakes_are_other_causes() -> None:
    """Another field, or another reason."""
    wrong: list[dict[str, Any]]
    wrong = [{"check_in": "soon"}, {"check_out": "soon"}, {"check_in": "1.2.2026"}, {"check_in": True}, {"unit": True}]
    wrong += [{"check_in": None, "arrival": "2026-12-01"}, {"check_out": None, "departure": "2026-12-01"}]
    wrong += [{"status": "cancelled"}, {"status": "no-show"}]
    assert len({cause_of(problems_of(WELL | each)).name for each in wrong}) == len(wrong)


def test_the_sender_s_name_of_a_field_is_in_the_booking_s_line() -> None:
    """All names are one cause, so each booking's line has the name; digits are masked."""
    problems = problems_of(WELL | {"123456 status": "cancelled"})
    (one,) = parked_causes([replace(parked(booking_id="BK-1"), problems=problems)], NOW)
    assert "a field: … says that the booking is cancelled" in one.notice.happened
    assert "with the field '###### status'" in one.subjects[0]
    problems = problems_of({"booking_id": "BK-1", "unit": "x", "checkIn": "soon", "checkOut": "later"})
    (one,) = parked_causes([replace(parked(booking_id="BK-1"), problems=problems)], NOW)
    assert "with the fields 'checkIn' and 'checkOut'" in one.subjects[0]


def test_one_message_is_one() -> None:
    """One that names no booking has no name but its stream."""
    (one,) = parked_causes([parked(booking_id=None)], NOW)
    assert one.notice.subject.startswith("1 parked message of stream ")
