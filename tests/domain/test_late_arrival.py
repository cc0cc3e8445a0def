"""A guest who comes long after a slot's start gets that slot when its start has passed, and not before."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.booking import transitions
from shared.domain.booking.planning import Keep, Make, Plan, Wait, plan_for
from shared.domain.booking.record import AccessCode, BookedDoor, Intent, Window
from shared.domain.booking.slot_drift import drift_of
from shared.domain.door.door import Door
from shared.domain.matching.late_arrival import match_late_arrival
from shared.domain.matching.match import Match, MatchPolicy, Outcome, match
from shared.domain.stay.instants import instants_of
from shared.domain.stay.stay import Stay
from tests.domain.building import LOS_ANGELES, door, slot, stay
from tests.domain.test_matching_properties import POLICIES, cases
from tests.shared.stories import DOOR, NOW, booking

HOTEL = door(slot("16:00-10:00"), time_zone=LOS_ANGELES)
WALK_IN = stay("2026-12-01T21:18", "2026-12-03T10:00")
EIGHT = timedelta(hours=8)
AT_THE_DESK = datetime(2026, 12, 1, 21, 18, tzinfo=UTC) + EIGHT
BEFORE_THE_START = datetime(2026, 12, 1, 15, 59, tzinfo=UTC) + EIGHT


def planned(asked: Stay, at: Door, now: datetime, booked: BookedDoor | None = None) -> Plan:
    """Return the plan for the door at this time."""
    return plan_for(
        asked,
        booked or BookedDoor(device_id=at.device_id),
        at,
        policy=MatchPolicy(),
        lead_time=timedelta(days=14),
        longest_wait=timedelta(minutes=15),
        splits=False,
        parts=0,
        now=now,
    )


def test_the_slot_that_has_begun_is_taken() -> None:
    """The code has the slot's own times, on the day of check-in; it covers the stay, and the story says why."""
    plan = planned(WALK_IN, HOTEL, AT_THE_DESK)
    assert isinstance(plan.decision, Make)
    assert plan.decision.window.starts_at.isoformat() == "2026-12-01T16:00:00-08:00"
    assert plan.decision.window.ends_at.isoformat() == "2026-12-03T10:00:00-08:00"
    assert plan.decision.max_time_rounding == "1hour"
    assert plan.match["fit"] == "covers"
    assert plan.match["check_in_gap_minutes"] == -318
    assert "5 h 18 min after the start of the slot “16:00-10:00”" in plan.match["note"]


def test_before_the_start_a_person_decides() -> None:
    """Until then the code would open the door for hours that weren't booked: it waits, with the slot as offer."""
    plan = planned(WALK_IN, HOTEL, BEFORE_THE_START)
    assert isinstance(plan.decision, Wait)
    assert plan.decision.reason == "no_slot"
    assert [offer.name for offer in plan.decision.offers] == ["16:00-10:00"]
    assert "note" not in plan.match


def test_nobody_is_advised_to_check_in_in_the_past() -> None:
    """Until 17:00 the advice is to move to 17:00; after that there is none."""
    wrong_both = stay("2026-12-01T21:18", "2026-12-03T06:00")
    advice = {
        hour: planned(wrong_both, HOTEL, datetime(2026, 12, 1, hour, 1, tzinfo=UTC) + EIGHT).decision
        for hour in (16, 17)
    }
    told = {hour: each.advice for hour, each in advice.items() if isinstance(each, Wait)}
    assert "Move the check-in 4 h 18 min earlier, to 2026-12-01 17:00" in told[16]
    assert "Move the check-in" not in told[17]
    assert told[17]


def test_the_story_explains_the_choice() -> None:
    """It says why a slot was taken that starts hours before check-in."""
    plan = planned(WALK_IN, HOTEL, AT_THE_DESK)
    assert isinstance(plan.decision, Make)
    it = booking(DOOR)
    intent = Intent(intent_id="i", at=NOW, window=plan.decision.window, user_level_id="")
    change = transitions.record_intent(
        it, it.door(DOOR), intent, revision=it.revision, facts={"match": plan.match}, now=NOW, due_at=NOW
    )
    (text,) = [entry.text for entry in change.history if entry.what == "code.requested"]
    assert "taken as if it had been chosen" in text


def test_the_code_is_kept() -> None:
    """Planned again, also after its end, the same code is wanted; and no slot drift is told."""
    made = planned(WALK_IN, HOTEL, AT_THE_DESK).decision
    assert isinstance(made, Make)
    code = AccessCode(access_code_id="c", window=made.window, known_since=AT_THE_DESK)
    booked = BookedDoor(device_id=HOTEL.device_id, code=code, asked=made.window)
    for later in (AT_THE_DESK + timedelta(minutes=1), made.window.ends_at + timedelta(hours=1)):
        plan = planned(WALK_IN, HOTEL, later, booked)
        assert plan.decision == Keep(made.window)
        assert drift_of(booked, plan) == ""


NIGHTS = {
    "after midnight": ("2026-12-02T02:40", "16:00-10:00", "2026-12-01T16:00:00-08:00"),
    "at five, nearer to the next start": ("2026-12-02T05:00", "16:00-10:00", "2026-12-01T16:00:00-08:00"),
    "a slot whose check-out is after its check-in": ("2026-12-01T21:18", "11:00-14:00", "2026-12-01T11:00:00-08:00"),
}


@pytest.mark.parametrize(("check_in", "times", "starts_at"), NIGHTS.values(), ids=NIGHTS)
def test_which_start(check_in: str, times: str, starts_at: str) -> None:
    """A guest who comes after midnight belongs to the night that has begun."""
    asked = stay(check_in, f"2026-12-04T{times[6:]}")
    decision = planned(asked, door(slot(times)), datetime(2026, 12, 2, 14, tzinfo=UTC)).decision
    assert isinstance(decision, Make)
    assert decision.window.starts_at.isoformat() == starts_at


LEFT_TO_PEOPLE = {
    "early, before the slot of the day": ("2026-12-01T14:00", "2026-12-03T10:00", "16:00-10:00"),
    "the check-out is far as well": ("2026-12-01T21:18", "2026-12-03T13:00", "16:00-10:00"),
    "a code of more than 31 days": ("2026-12-01T21:18", "2027-01-01T17:00", "16:00-17:30"),
}


@pytest.mark.parametrize(("check_in", "check_out", "times"), LEFT_TO_PEOPLE.values(), ids=LEFT_TO_PEOPLE)
def test_which_mismatches_are_left_to_people(check_in: str, check_out: str, times: str) -> None:
    """Only a check-in after the slot's start is a late arrival; every other mismatch stays one."""
    asked, at = stay(check_in, check_out), door(slot(times))
    found = match(asked, at, MatchPolicy())
    assert found.outcome is not Outcome.MATCHED
    now = datetime(2026, 12, 2, 8, tzinfo=UTC)
    assert match_late_arrival(asked, at, MatchPolicy(), found, now=now, is_new=True) is None


def test_a_slot_of_another_kind_is_not_taken() -> None:
    """A master slot is never used, whatever its times."""
    at = door(slot("16:00-10:00", is_master=True))
    assert isinstance(planned(WALK_IN, at, AT_THE_DESK).decision, Wait)


def test_the_nearest_start_is_taken() -> None:
    """Of several that have begun the latest; a slot that fits by itself goes before all of them."""
    at = door(slot("14:00-10:00"), slot("16:00-10:00"), slot("18:00-10:00"))
    decision = planned(WALK_IN, at, AT_THE_DESK).decision
    assert isinstance(decision, Make)
    assert decision.window.starts_at.hour == 18
    fits = planned(WALK_IN, replace(at, slots=(*at.slots, slot("22:00-10:00"))), AT_THE_DESK).decision
    assert isinstance(fits, Make)
    assert fits.window.starts_at.hour == 22


def test_a_code_that_has_ended_already_is_not_made() -> None:
    """The check-out is at 10:45, and at 10:30 the slot's code has ended: it would open no door."""
    asked = stay("2026-12-01T21:18", "2026-12-03T10:45")
    now = datetime(2026, 12, 3, 10, 30, tzinfo=UTC) + EIGHT
    assert isinstance(planned(asked, HOTEL, now).decision, Wait)


@given(case=cases(), policy=POLICIES, before=st.timedeltas(timedelta(0), timedelta(days=2)))
def test_the_start_is_always_in_the_past(case: tuple[Stay, Door], policy: MatchPolicy, before: timedelta) -> None:
    """For any stay: within a day before the check-in; and the end is within an hour of the check-out."""
    asked, at = case
    found = match(asked, at, policy)
    zone = found.time_zone or at.time_zone
    now = instants_of(asked, zone)[0] + before
    late: Match | None = match_late_arrival(asked, at, policy, found, now=now, is_new=True)
    if late is None:
        return
    assert late.slot in at.slots
    assert late.starts_at is not None
    assert late.ends_at is not None
    assert late.starts_at <= now < late.ends_at
    assert Window(late.starts_at, late.ends_at).starts_at < late.ends_at
    assert late.check_in_gap is not None
    assert timedelta(days=-1) < late.check_in_gap < timedelta(hours=-1)
    assert late.check_out_gap is not None
    assert abs(late.check_out_gap) <= timedelta(hours=1)
