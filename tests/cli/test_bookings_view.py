"""A booking's story in a terminal: which door each line is about."""

import pytest

from shared.domain.booking.record import Booking, HistoryEntry
from tests.shared.stories import DOOR, NOW, SECOND, issued, with_door
from worker.cli.bookings_view import print_story

HISTORY = (
    HistoryEntry(at=NOW, what="message.applied", text="Applied."),
    HistoryEntry(at=NOW, what="code.confirmed", text="Confirmed.", device_id=DOOR),
    HistoryEntry(at=NOW, what="access_code.created", text="Made.", device_id=SECOND),
)


def told(capsys: pytest.CaptureFixture[str], it: Booking) -> list[str]:
    """Return the lines of the story without their times and names."""
    print_story(it, HISTORY)
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
