"""What a person is told of a booking's codes before it is cancelled."""

from dataclasses import replace
from datetime import UTC, datetime

from shared.domain.booking.cancel_preview import preview_of
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, Intent, Window

WINDOW = Window(datetime(2026, 12, 1, 23, tzinfo=UTC), datetime(2026, 12, 3, 18, tzinfo=UTC))
CODE = AccessCode(access_code_id="c-1", window=WINDOW, known_since=WINDOW.starts_at)
INTENT = Intent(intent_id="i", at=WINDOW.starts_at, window=WINDOW, user_level_id="1")
DOOR = BookedDoor(device_id="d", name="Room 101", time_zone="America/Los_Angeles")


def told(*doors: BookedDoor, cancelled: bool = False) -> list[str]:
    """Return what is told about a booking of these doors."""
    return list(preview_of(Booking(booking_id="BK-1", revision=0, doors=doors, cancelled=cancelled)))


def test_a_code_may_open_until_its_end() -> None:
    """The end is on the lock's clock; if its zone isn't known, in UTC, which is named."""
    (text,) = told(replace(DOOR, code=CODE))
    assert text == (
        "Seam is asked to delete the code of Room 101. As a rule it can't:"
        " then it opens the door until Thu 3 Dec 2026, 10:00."
    )
    (text,) = told(replace(DOOR, code=CODE, time_zone=None, name=""))
    assert "the code of d." in text
    assert text.endswith("until Thu 3 Dec 2026, 18:00 +0000.")


def test_a_code_that_is_being_made_counts() -> None:
    """It may exist, although that isn't known yet."""
    (text,) = told(replace(DOOR, intent=INTENT))
    assert "being made now" in text
    assert "until Thu 3 Dec 2026, 10:00" in text


def test_nothing_is_told_if_there_can_be_no_code() -> None:
    """There was none, or the booking is cancelled already."""
    assert told(DOOR) == told() == told(replace(DOOR, code=CODE), cancelled=True) == []


def test_each_door_has_its_sentence() -> None:
    """Also a door that a later revision left out: its code may still exist."""
    doors = (replace(DOOR, code=CODE), replace(DOOR, device_id="e", name="Gate", wanted=False, code=CODE))
    assert ["Room 101" in told(*doors)[0], "Gate" in told(*doors)[1]] == [True, True]
