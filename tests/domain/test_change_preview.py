"""What other times would mean at a door is said beforehand as the worker does it then."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from shared.domain.booking.door_state import Issued, Scheduled, Waiting
from shared.domain.booking.planning import PlanningRules
from shared.domain.booking.record import AccessCode, BookedDoor, Booking, Intent, Window
from shared.domain.booking.transitions.change import enter
from shared.domain.code.change_preview import CodeAtSeam, DoorPreview, Effect, preview_of_door
from shared.domain.code.changes import CodeFlags
from shared.domain.door.door import Door
from shared.domain.matching.match import MatchPolicy
from shared.domain.stay.stay import Stay
from tests.domain.building import door, slot, stay

NOW = datetime(2026, 11, 28, 12, tzinfo=UTC)
HOTEL = door(slot("16:00-10:00"), slot("12:00-18:00"), time_zone="UTC")
WINDOW = Window(datetime(2026, 12, 1, 16, tzinfo=UTC), datetime(2026, 12, 5, 10, tzinfo=UTC))
A_DAY_LONGER = ("2026-12-01T16:00", "2026-12-06T10:00")
LONGER = Window(WINDOW.starts_at, WINDOW.ends_at + timedelta(days=1))
CODE = AccessCode(access_code_id="c-1", window=WINDOW, known_since=NOW, user_level_id="level 16:00-10:00")
RULES = PlanningRules(
    policy=MatchPolicy(), lead_time=timedelta(days=14), longest_wait=timedelta(minutes=15), splits=False
)
FIXED = CodeAtSeam(WINDOW, CodeFlags())


def booked(code: AccessCode | None = CODE, **fields: Any) -> BookedDoor:
    """Return a door of the booking, with a code unless told otherwise."""
    bare = BookedDoor(device_id=HOTEL.device_id, time_zone="UTC")
    return replace(enter(bare, Issued(code)) if code is not None else bare, **fields)


def preview(
    asked: Stay | tuple[str, str],
    it: BookedDoor | None = None,
    *,
    read: Door | None = HOTEL,
    rules: PlanningRules = RULES,
    at_seam: CodeAtSeam | None = FIXED,
    now: datetime = NOW,
) -> DoorPreview:
    """Say what these times mean for a door."""
    asked = stay(*asked) if isinstance(asked, tuple) else asked
    it = it or booked()
    booking = Booking(booking_id="BK-1", revision=1, stay=asked, doors=(it,))
    return preview_of_door(booking, it, read, rules=rules, at_seam=at_seam, now=now)


def flags(**allowed: bool) -> CodeAtSeam:
    """Return the code as Seam has it, with what its flags allow."""
    return CodeAtSeam(WINDOW, CodeFlags(**allowed))


def test_a_code_that_serves_the_new_times_stays() -> None:
    """The slot's own times count: half an hour later is still that slot."""
    found = preview(("2026-12-01T16:30", "2026-12-05T10:00"))
    assert (found.effect, found.window, found.slot) == (Effect.KEPT, WINDOW, "16:00-10:00")
    assert found.means == ("The current code works for the new times too: it stays, and so does its PIN.",)


@pytest.mark.parametrize(
    ("at_seam", "effect", "told"),
    [
        (flags(is_extendable=True), Effect.CHANGED, "its flags allow that. The PIN normally stays"),
        (flags(is_overridable=True), Effect.CHANGED, "its flags allow that"),
        (flags(is_early_checkin_able=True), Effect.ANOTHER, "can't be deleted: it opens the door until Sat 2026-12-05"),
        (flags(), Effect.ANOTHER, "can't be deleted: it opens the door until Sat 2026-12-05 10:00 UTC"),
        (flags(is_cancellable=True), Effect.ANOTHER, "Seam is asked to delete the current code: its flags allow that"),
        (None, Effect.ANOTHER, "Seam wasn't asked. Unless its flags let the current code get these times, another one"),
        (None, Effect.ANOTHER, "As a rule it can't: then it opens the door until Sat 2026-12-05 10:00"),
        (CodeAtSeam(None, CodeFlags(is_extendable=True)), Effect.ANOTHER, "another one is made"),
    ],
    ids=[
        "extendable",
        "overridable",
        "early only",
        "fixed",
        "cancellable",
        "Seam wasn't asked",
        "nor of its deletion",
        "without times",
    ],
)
def test_a_longer_stay(at_seam: CodeAtSeam | None, effect: Effect, told: str) -> None:
    """Seam's flags decide whether the code gets the new times, or another one is made and how long this one opens."""
    found = preview(A_DAY_LONGER, at_seam=at_seam)
    assert (found.effect, found.window) == (effect, LONGER)
    assert told in " ".join(found.means)


def test_a_code_in_use_is_not_deleted() -> None:
    """A guest may be living there: the old code opens the door beside the new one."""
    found = preview(A_DAY_LONGER, at_seam=flags(is_cancellable=True), now=WINDOW.starts_at + timedelta(hours=1))
    assert found.effect is Effect.ANOTHER
    assert "in use, so it isn't deleted: it opens the door until Sat 2026-12-05 10:00" in " ".join(found.means)


def test_an_earlier_code_of_the_same_times_is_taken_again() -> None:
    """The stay is changed back, and the code of before is still there; one that was replaced isn't taken."""
    earlier = AccessCode(access_code_id="c-0", window=LONGER, known_since=NOW)
    again = preview(A_DAY_LONGER, booked(residual=(earlier,)))
    assert "The earlier access code c-0 has these times: it is taken again, with its PIN." in again.means
    lost = preview(A_DAY_LONGER, booked(residual=(replace(earlier, replaced_at=NOW),)))
    assert "another one is made. Give the guest its PIN." in " ".join(lost.means)


def test_where_no_slot_fits_the_nearest_times_are_offered() -> None:
    """Each of them is a preview that finds a slot; the current code is lost all the same."""
    found = preview(("2026-12-01T13:30", "2026-12-05T10:00"))
    assert (found.effect, found.window) == (Effect.NOTHING_FITS, None)
    assert "within 60 minutes" in found.means[0]
    assert "Move the check-in" in " ".join(found.means)
    assert "can't be deleted: it opens the door until" in found.means[-1]
    (nearest, *_) = found.other_times
    assert (nearest.check_in, nearest.check_out) == (datetime(2026, 12, 1, 16), None)  # noqa: DTZ001 - a wall time
    assert preview(("2026-12-01T16:00", "2026-12-05T10:00")).effect is Effect.KEPT


def test_offered_times_are_those_that_are_booked() -> None:
    """The unit's buffers are added to them again."""
    hour = timedelta(hours=1)
    buffered = stay("2026-12-01T13:30", "2026-12-05T10:00", buffer_before=hour, buffer_after=hour)
    (nearest, *_) = preview(buffered).other_times
    assert nearest.check_in == datetime(2026, 12, 1, 17)  # noqa: DTZ001 - a wall time


def test_what_the_guest_notices_of_a_slot() -> None:
    """A code that works later than check-in, or ends before check-out, is told first."""
    found = preview(("2026-12-01T15:15", "2026-12-06T10:45"))
    assert found.means[:2] == (
        "The code works only from 45 min after check-in.",
        "The code ends 45 min before check-out.",
    )


def test_without_a_code_at_hand() -> None:
    """One is made at once, or when its time comes."""
    waiting = enter(booked(None), Waiting())
    assert preview(A_DAY_LONGER, waiting).means == ("A code is made at once. Give the guest its PIN.",)
    far = preview(("2027-03-01T16:00", "2027-03-05T10:00"), enter(booked(None), Scheduled()))
    assert (far.effect, far.slot) == (Effect.LATER, "16:00-10:00")
    assert "2027-02-15 16:00" in far.means[0]
    assert far.window is not None
    assert far.window.ends_at == datetime(2027, 3, 5, 10, tzinfo=UTC)


def test_a_stay_that_is_over() -> None:
    """Nothing is made for it, and what the current code still opens is told."""
    after = datetime(2026, 12, 3, 12, tzinfo=UTC)
    found = preview(("2026-12-01T16:00", "2026-12-03T10:00"), now=after)
    assert found.effect is Effect.OVER
    assert "in use" in found.means[-1]


def test_a_stay_that_is_longer_than_one_code_can_work() -> None:
    """By the setting it is split into consecutive codes, or there is no code."""
    long = ("2026-12-01T16:00", "2027-01-20T10:00")
    found = preview(long, rules=replace(RULES, splits=True))
    assert found.effect is Effect.MADE
    assert "2 consecutive codes serve it" in found.means[0]
    assert "the guest must have it at check-in" in found.means[1]
    assert preview(long).effect is Effect.NOTHING_FITS


def test_what_cannot_be_told() -> None:
    """A door that was never read, and one whose code is being made at this moment."""
    assert preview(A_DAY_LONGER, read=None).effect is Effect.UNKNOWN
    open_intent = Intent(intent_id="i-1", at=NOW, window=WINDOW, user_level_id="1")
    creating = replace(booked(None), intent=open_intent)
    assert "is being made at this moment" in preview(A_DAY_LONGER, creating).means[0]


def test_a_door_that_the_booking_loses() -> None:
    """The unit has other doors by now: the code is treated as that of a cancelled booking."""
    found = preview(A_DAY_LONGER, booked(wanted=False), now=WINDOW.starts_at)
    assert found.effect is Effect.DROPPED
    assert "can't be deleted" in found.means[-1]


def test_a_stay_too_long_at_the_wrong_time_is_told_both() -> None:
    """Each once, with times that fit."""
    found = preview(("2026-12-01T13:30", "2027-02-05T14:00"), read=door(slot("16:00-10:00"), time_zone="UTC"))
    assert found.effect is Effect.NOTHING_FITS
    told = " ".join(found.means)
    assert (told.count("within 60 minutes"), told.count("longer than 31 days")) == (1, 1)
    assert [(each.check_in, each.check_out) for each in found.other_times] == [
        (datetime(2026, 12, 1, 16), datetime(2027, 1, 1, 10))  # noqa: DTZ001 - on the lock's clock
    ]
