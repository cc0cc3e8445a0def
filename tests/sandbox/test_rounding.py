"""The provider's slot rule, as a table: which window a request takes, or why none."""

from datetime import datetime, time
from zoneinfo import ZoneInfo

import pytest

from deploy.sandbox.codes.rounding import Refusal, Taken, take_slot
from deploy.sandbox.devices.slots import Slot, TimeOfDay, read_time_of_day, slots_of

LA = ZoneInfo("America/Los_Angeles")


def slot(check_in: str, check_out: str, **flags: bool) -> Slot:
    """Return a slot in Los Angeles."""
    fields = {"is_24_hour": False, "is_biweekly": False, "is_master": False, "is_one_shot": False}
    return Slot(
        name=f"{check_in}-{check_out}",
        check_in=TimeOfDay(time.fromisoformat(check_in), LA),
        check_out=TimeOfDay(time.fromisoformat(check_out), LA),
        user_level_id=None,
        **{**fields, **flags},
    )


HOTEL = slot("16:00", "10:00")
MIDNIGHT = slot("00:15", "23:45")
MASTER = slot("16:00", "10:00", is_master=True)
ONE_SHOT = slot("16:00", "10:00", is_one_shot=True)
BIWEEKLY = slot("16:00", "10:00", is_biweekly=True)
ALL_DAY = slot("16:00", "16:00")
NOON = slot("12:00", "12:00", is_24_hour=True)


def wall(text: str) -> datetime:
    """Read a Los Angeles wall time."""
    return datetime.fromisoformat(text).replace(tzinfo=LA)


@pytest.mark.parametrize(
    ("offered", "starts_at", "ends_at", "daily", "expected"),
    [
        (HOTEL, "2026-12-01T15:45", "2026-12-05T10:15", False, ("2026-12-01T16:00", "2026-12-05T10:00")),
        (HOTEL, "2026-12-01T15:00", "2026-12-05T11:00", False, ("2026-12-01T16:00", "2026-12-05T10:00")),
        (HOTEL, "2026-12-01T14:59:59", "2026-12-05T10:00", False, Refusal.NO_TIME_SLOTS),
        (HOTEL, "2026-12-01T16:00", "2026-12-05T11:00:01", False, Refusal.NO_TIME_SLOTS),
        (MIDNIGHT, "2026-12-01T23:45", "2026-12-03T00:15", False, ("2026-12-02T00:15", "2026-12-02T23:45")),
        (HOTEL, "2026-12-01T16:00", "2027-01-01T10:00", False, ("2026-12-01T16:00", "2027-01-01T10:00")),
        (HOTEL, "2026-12-01T16:00", "2027-01-02T10:00", False, Refusal.TOO_LONG),
        # 31 days on the wall clock, though an hour more in elapsed time.
        (ALL_DAY, "2026-10-20T16:00", "2026-11-20T16:00", False, ("2026-10-20T16:00", "2026-11-20T16:00")),
        (slot("16:00", "17:00"), "2026-12-01T16:00", "2027-01-01T17:00", False, Refusal.TOO_LONG),
        # Both ends round to the same moment: nothing is left of the window.
        (slot("12:00", "12:00"), "2026-12-01T11:30", "2026-12-01T12:30", False, Refusal.NO_TIME_SLOTS),
        (NOON, "2026-12-01T00:00", "2026-12-03T23:59", True, ("2026-11-30T12:00", "2026-12-04T12:00")),
        (NOON, "2026-12-01T12:00", "2026-12-03T12:00", True, ("2026-12-01T12:00", "2026-12-03T12:00")),
        (NOON, "2026-12-01T12:30", "2026-12-03T11:30", False, ("2026-12-01T12:00", "2026-12-03T12:00")),
        (HOTEL, "2026-12-01T16:00", "2026-12-05T10:00", True, Refusal.NO_TIME_SLOTS),
        (MASTER, "2026-12-01T16:00", "2026-12-05T10:00", False, Refusal.NO_TIME_SLOTS),
        (ONE_SHOT, "2026-12-01T16:00", "2026-12-05T10:00", False, Refusal.NO_TIME_SLOTS),
        (BIWEEKLY, "2026-12-01T16:00", "2026-12-15T10:00", False, ("2026-12-01T16:00", "2026-12-15T10:00")),
        (BIWEEKLY, "2026-12-01T16:00", "2026-12-16T10:00", False, Refusal.TOO_LONG),
    ],
)  # fmt: skip
def test_window(
    offered: Slot,
    starts_at: str,
    ends_at: str,
    daily: bool,  # noqa: FBT001
    expected: tuple[str, str] | Refusal,
) -> None:
    """Each end goes to the slot's nearest time within 60 minutes, or outward by the day."""
    taken = take_slot((offered,), wall(starts_at), wall(ends_at), daily=daily)

    if isinstance(expected, Refusal):
        assert taken is expected
    else:
        assert isinstance(taken, Taken)
        assert (taken.starts_at, taken.ends_at) == (wall(expected[0]), wall(expected[1]))


def test_nearest_slot_is_taken_whatever_the_order() -> None:
    """Of several slots, the smallest sum of distances."""
    near, far = slot("16:00", "10:00"), slot("15:30", "10:30")
    for offered in ((near, far), (far, near)):
        taken = take_slot(offered, wall("2026-12-01T15:50"), wall("2026-12-05T10:05"), daily=False)
        assert isinstance(taken, Taken)
        assert taken.slot is near


def test_skipped_wall_time_is_an_hour_later() -> None:
    """02:30 doesn't exist on 2027-03-14; a request for 03:30 takes that slot."""
    taken = take_slot((slot("02:30", "10:00"),), wall("2027-03-14T03:30"), wall("2027-03-16T10:00"), daily=False)
    assert isinstance(taken, Taken)
    assert taken.starts_at == wall("2027-03-14T03:30")


@pytest.mark.parametrize("fold", [0, 1])
def test_doubled_wall_time_is_the_requested_one(fold: int) -> None:
    """01:30 occurs twice on 2026-11-01; the occurrence that was asked for is taken."""
    wanted = wall("2026-11-01T01:30").replace(fold=fold)
    taken = take_slot((slot("16:00", "01:30"),), wall("2026-10-30T16:00"), wanted, daily=False)
    assert isinstance(taken, Taken)
    assert taken.ends_at.timestamp() == wanted.timestamp()


@pytest.mark.parametrize(
    "text",
    ["16:00[America/Los_Angeles]", "16:00:00-08:00[America/Los_Angeles]", "16:00:00.000", "16:00"],
)
def test_readable_times_of_day(text: str) -> None:
    """Every published form is read; an offset beside a zone counts for nothing."""
    assert read_time_of_day(text, LA) == TimeOfDay(time(16), LA)


@pytest.mark.parametrize("text", ["16:00[Nowhere/Here]", "25:00", "4pm", "16:00-08:00", "16:00[PST]"])
def test_unreadable_slot_is_no_slot(text: str) -> None:
    """A slot whose times can't be read is left out, not the whole door."""
    metadata = {
        "predefined_time_slots": [
            {"name": "bad", "check_in_time": text, "check_out_time": "10:00"},
            {"name": "good", "check_in_time": "16:00", "check_out_time": "10:00"},
        ]
    }
    device = {
        "location": {"time_zone": "America/Los_Angeles"},
        "properties": {"dormakaba_oracode_metadata": metadata},
    }
    assert [found.name for found in slots_of(device)] == ["good"]
