"""A booking's story in a terminal: which door each line is about."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.booking.record import Booking, HistoryEntry
from shared.domain.stay.stay import Instant
from tests.shared.stories import DOOR, NOW, SECOND, issued, with_door
from worker.cli.bookings_view import print_story

HISTORY = (
    HistoryEntry(at=NOW, what="message.applied", text="Applied."),
    HistoryEntry(at=NOW, what="code.confirmed", text="Confirmed.", device_id=DOOR),
    HistoryEntry(at=NOW, what="access_code.created", text="Made.", device_id=SECOND),
)


def told(capsys: pytest.CaptureFixture[str], it: Booking) -> list[str]:
    """Return the lines of the story without their times and names."""
    print_story(it, HISTORY, NOW)
    story = capsys.readouterr().out.split("What happened")[1].splitlines()[1:]
    return [line[46:] for line in story]


def test_each_line_names_its_door_where_there_are_several(capsys: pytest.CaptureFixture[str]) -> None:
    """By its name, as people call it; by its id too where names are alike, and alone where there is none."""
    it = issued(DOOR, SECOND)
    named = with_door(with_door(it, DOOR, name="Room \x1b1"), SECOND, name="Gate")
    assert told(capsys, named) == ["Applied.", "Room �1: Confirmed.", "Gate: Made."]
    alike = with_door(with_door(it, DOOR, name="Room"), SECOND, name="Room")
    assert told(capsys, alike) == ["Applied.", f"Room {DOOR}: Confirmed.", f"Room {SECOND}: Made."]
    assert told(capsys, it) == ["Applied.", f"{DOOR}: Confirmed.", f"{SECOND}: Made."]


def test_the_only_door_goes_without_saying(capsys: pytest.CaptureFixture[str]) -> None:
    """Nothing is added."""
    assert told(capsys, with_door(issued(), name="Room"))[:2] == ["Applied.", "Confirmed."]


def test_the_booked_times_are_shown_with_the_buffer_beside(capsys: pytest.CaptureFixture[str]) -> None:
    """People compare them with the booking system; the code's own window stands at its door."""
    it = issued()
    assert it.stay is not None
    early = timedelta(minutes=30)
    asked = replace(it.stay, check_in=Instant(it.stay.check_in.at - early), buffer_before=early)
    print_story(replace(it, stay=asked), HISTORY, NOW)
    shown = capsys.readouterr().out
    assert "2036-12-01 16:00+0000 to 2036-12-05 10:00+0000, hourly (buffer: 30 min before)" in shown
    assert "code c-1  2036-12-01 16:00 to 2036-12-05 10:00 UTC" in shown
