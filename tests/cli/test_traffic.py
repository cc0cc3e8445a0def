"""Traffic files: what is written of a booking and a door, how stays are moved, and what counts as a difference."""

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.booking.record import State
from shared.domain.matching.manual_choice import ChosenSlot
from shared.domain.stay.stay import Instant, Stay, WallTime
from tests.shared.stories import DOOR, WINDOW, booking, issued
from worker.cli.traffic import (
    NotTraffic,
    Traffic,
    TrafficBooking,
    Verdict,
    difference,
    lines_of,
    read_traffic,
    shift_for,
    verdicts_of,
)

DEVICE: dict[str, Any] = {
    "device_id": DOOR,
    "device_type": "dormakaba_oracode_door",
    "display_name": "Villa Secret",
    "can_program_offline_access_codes": True,
    "connected_account_id": "an-account",
    "location": {"time_zone": "America/Los_Angeles", "location_name": "Secret Beach"},
    "properties": {
        "name": "Villa Secret",
        "dormakaba_oracode_metadata": {
            "site_name": "Secret Beach",
            "door_name": "Villa Secret",
            "iana_timezone": "America/Los_Angeles",
            "predefined_time_slots": [{"name": "Guest", "check_in_time": "16:00:00", "check_out_time": "10:00:00"}],
        },
    },
}
NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)


def traveller(check_in: str = "2026-11-20T15:45", *verdicts: Verdict) -> TrafficBooking:
    """Return a booking of a file."""
    return TrafficBooking(
        name="booking 1",
        check_in=check_in,
        check_out="2026-11-24T10:15",
        granularity="hourly",
        slot=None,
        device_ids=(DOOR,),
        cancelled=False,
        verdicts=verdicts,
    )


CODE = Verdict(
    device_id=DOOR, decided="code", user_level_id="u-1", starts_at="2026-12-01T16:00", ends_at="2026-12-05T10:00"
)


def test_a_file_is_read_as_it_was_written() -> None:
    """A booking with its code, and its door."""
    (head, *rest) = lines_of([issued()], {DOOR: DEVICE})
    traffic = read_traffic("\n".join([head, *rest]))
    (one,) = traffic.bookings
    assert one.device_ids == (DOOR,)
    assert [each.decided for each in one.verdicts] == ["code"]
    assert traffic.doors[DOOR]["properties"]["dormakaba_oracode_metadata"]["predefined_time_slots"]


def test_nothing_about_people_or_places_is_written() -> None:
    """Neither ids of bookings, nor labels, nor names."""
    told = replace(issued(), booking_id="BK-SECRET", label="Anna Secret")
    text = "\n".join(lines_of([told], {DOOR: DEVICE}))
    assert "Secret" not in text
    assert "SECRET" not in text
    assert "an-account" not in text


def test_a_booking_whose_door_was_never_read_is_left_out() -> None:
    """There would be nothing to replay it on."""
    assert len(list(lines_of([booking()], {}))) == 1


def test_an_instant_becomes_a_time_on_the_locks_clock() -> None:
    """So that it is the same hour weeks later, when clocks have changed."""
    stay = Stay(
        check_in=Instant(datetime(2026, 10, 20, 23, tzinfo=UTC)),
        check_out=WallTime(datetime.fromisoformat("2026-10-24T10:00")),
    )
    before = issued()
    doors = (replace(before.doors[0], time_zone="America/Los_Angeles"),)
    *_, line = lines_of([replace(before, stay=stay, doors=doors)], {DOOR: DEVICE})
    written = json.loads(line)
    assert (written["check_in"], written["check_out"]) == (
        "2026-10-20T16:00:00[America/Los_Angeles]",
        "2026-10-24T10:00:00",
    )


@pytest.mark.parametrize(
    ("check_in", "weeks"),
    [
        ("2026-12-20T15:45", 0),
        ("2026-11-29T15:45", 0),
        ("2026-11-28T15:45", 1),
        ("2026-10-31T15:45", 5),
        ("2026-11-20", 2),
    ],
)
def test_stays_are_moved_by_whole_weeks(check_in: str, weeks: int) -> None:
    """As few as make the first lie a day ahead: none where all do."""
    assert shift_for(Traffic({}, (traveller(check_in),)), NOW) == timedelta(weeks=weeks)


def test_a_message_is_moved_and_names_other_doors() -> None:
    """And asks for the same otherwise."""
    message = traveller().message("R-1", {DOOR: "another"}, timedelta(weeks=2))
    assert message == {
        "booking_id": "R-1",
        "device_ids": ["another"],
        "check_in": "2026-12-04T15:45:00",
        "check_out": "2026-12-08T10:15:00",
        "granularity": "hourly",
    }


@pytest.mark.parametrize(
    ("after", "differs"),
    [
        (CODE, False),
        (replace(CODE, decided="later", user_level_id=None, starts_at="", ends_at=""), False),
        (replace(CODE, starts_at=""), False),
        (replace(CODE, starts_at="2026-12-01T15:30"), True),
        (replace(CODE, user_level_id="u-2"), True),
        (Verdict(device_id=DOOR, decided="waiting", reason="no_slot"), True),
        (replace(CODE, part=1), True),
    ],
)
def test_what_counts_as_a_difference(after: Verdict, differs: bool) -> None:  # noqa: FBT001
    """Another window, slot, state or number of codes; not that a code isn't due, or that its window isn't known."""
    assert bool(difference(traveller("2026-12-01T15:45", CODE), (after,))) is differs


def test_a_difference_says_both() -> None:
    """For people."""
    after = Verdict(device_id=DOOR, decided="waiting", reason="no_slot")
    assert difference(traveller("2026-12-01T15:45", CODE), (after,)) == (
        f"{DOOR}: was code 2026-12-01T16:00 to 2026-12-05T10:00, is waiting (no_slot)"
    )


def test_a_window_is_told_as_it_was_before_the_shift() -> None:
    """On the lock's clock."""
    door = replace(issued().doors[0], asked=WINDOW, time_zone="America/Los_Angeles")
    (moved,) = verdicts_of(replace(issued(), doors=(door,)), shift=timedelta(weeks=1))
    assert (moved.starts_at, moved.ends_at) == ("2036-11-24T08:00", "2036-11-28T02:00")


def test_what_is_under_way_is_not_decided() -> None:
    """Nor is a code that waits for the budget of its door; one that waits for its lead time is."""
    door = issued().doors[0]
    for state, reason, decided in (
        (State.CREATING, "", ()),
        (State.SCHEDULED, "door_budget", ()),
        (State.SCHEDULED, "lead_time", ("later",)),
        (State.WAITING, "no_slot", ("waiting",)),
    ):
        it = replace(issued(), doors=(replace(door, state=state, reason=reason, code=None),))
        assert tuple(each.decided for each in verdicts_of(it)) == decided


@pytest.mark.parametrize(
    ("reason", "is_compared"), [("too_long", True), ("refused_by_seam", False), ("code_gone", False)]
)
def test_what_seam_refused_is_not_compared(reason: str, is_compared: bool) -> None:  # noqa: FBT001
    """A sandbox without that fault would make the code."""
    failed = replace(issued().doors[0], state=State.FAILED, reason=reason, code=None)
    (one,) = read_traffic("\n".join(lines_of([replace(issued(), doors=(failed,))], {DOOR: DEVICE}))).bookings
    assert one.is_comparable is is_compared


def test_what_a_person_chose_is_not_compared() -> None:
    """The same stay without that choice is decided otherwise, and rightly."""
    choice = ChosenSlot(slot="u-1", name="Guest", by="anna", at=NOW)
    it = replace(issued(), doors=(replace(issued().doors[0], choice=choice),))
    assert verdicts_of(it) == ()


@pytest.mark.parametrize(
    ("text", "why"),
    [
        ("", "doesn't begin"),
        ('{"kind": "door"}', "doesn't begin"),
        ('{"kind": "traffic", "schema": "2.0"}', "another version"),
        ('{"kind": "traffic", "schema": "1.0"}\n{"kind": "booking"}', "can't be read"),
        ('{"kind": "traffic", "schema": "1.0"}\nnothing', "can't be read"),
        ("[]", "can't be read"),
    ],
)
def test_another_file_is_refused_with_why(text: str, why: str) -> None:
    """Whatever it holds."""
    with pytest.raises(NotTraffic, match=why):
        read_traffic(text)
