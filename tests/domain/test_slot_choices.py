"""Which slots a person may choose if none fits, what each would mean, and why others can't be chosen."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from shared.domain.booking.planning import (
    Alter,
    Keep,
    LeaveOut,
    Make,
    Over,
    Plan,
    Postpone,
    Refuse,
    Split,
    Wait,
    plan_for,
)
from shared.domain.booking.record import AccessCode, BookedDoor, Window
from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.manual_choice import ChosenSlot
from shared.domain.matching.manual_options import (
    MOST_OFFERS,
    Choosable,
    Judged,
    NotChoosable,
    choice_of,
    choices_of,
    offers_of,
)
from shared.domain.matching.match import MatchPolicy, match
from shared.domain.matching.suggestions import suggest
from shared.domain.stay.instants import instants_of
from shared.domain.stay.stay import Instant, Stay
from tests.domain.building import daily, day_slot, door, slot, stay
from tests.domain.test_matching_properties import POLICIES, cases

ANY = MatchPolicy()
NOW = datetime(2026, 11, 1, tzinfo=UTC)
STAY = stay("2026-12-01T15:00", "2026-12-05T11:00")


def judged(reference: str, at: Door, asked: Stay = STAY, now: datetime | None = NOW) -> Judged:
    """Return what choosing this slot means."""
    return choice_of(reference, asked, at, ANY, now)


def chosen(reference: str, at: Door, asked: Stay = STAY) -> Choosable:
    """Return the slot that may be chosen."""
    found = judged(reference, at, asked)
    assert isinstance(found, Choosable), found
    return found


MEANINGS = [
    ("18:00-11:00", "opens 3 h after check-in, until check-out"),
    ("15:00-14:00", "opens at check-in, still opens 3 h after check-out"),
    ("13:00-10:30", "opens 2 h before check-in, closes 30 min before check-out"),
    ("16:30-08:00", "opens 1 h 30 min after check-in, closes 3 h before check-out"),
    ("03:00-23:00", "opens 12 h before check-in, closes 12 h before check-out"),
]


@pytest.mark.parametrize(("times", "meaning"), MEANINGS)
def test_what_a_choice_means_for_the_guest(times: str, meaning: str) -> None:
    """Measured from the booked times; the code has the slot's own times."""
    found = chosen(times, door(slot(times)))
    assert found.meaning == meaning
    start, end = times.split("-")
    assert (f"{found.starts_at:%H:%M}", f"{found.ends_at:%H:%M}") == (start, end)
    assert found.match.max_time_rounding == "1hour"


WHY_NOT = {
    "daily needs 24 hours": (slot(), daily("2026-12-01T15:00", "2026-12-03T10:00"), "24-hour slot"),
    "too long": (slot("15:00-20:00"), stay("2026-12-01T15:00", "2027-01-01T11:00"), "31 days"),
    "too long once it was moved": (slot("10:00-20:00"), stay("2026-12-01T15:00", "2027-01-01T14:30"), "31 days"),
    "master": (slot(is_master=True), STAY, "master"),
    "one-time": (slot(is_one_shot=True), STAY, "one-time"),
    "biweekly": (slot(is_biweekly_mode=True), STAY, "biweekly"),
    "unreadable": (slot(check_in=None, unreadable="check_in_time is \x1b"), STAY, "can't be read: check_in_time"),
    "ends before it begins": (slot("14:00-12:00"), stay("2026-12-01T10:00", "2026-12-01T11:00"), "before it begins"),
    "nameless": (slot(name="", user_level_id=""), STAY, "nothing names it"),
}


@pytest.mark.parametrize(("one", "asked", "why"), WHY_NOT.values(), ids=WHY_NOT.keys())
def test_why_a_slot_cannot_be_chosen(one: TimeSlot, asked: Stay, why: str) -> None:
    """In words, and printable; it is never offered."""
    at = door(one)
    (found,) = choices_of(asked, at, ANY, NOW)
    assert isinstance(found, NotChoosable)
    assert why in found.why
    assert found.why.isprintable()
    assert offers_of(asked, at, ANY, NOW) == ()


def test_a_slot_with_a_code_that_has_ended_cannot_be_chosen() -> None:
    """The stay goes on, but the slot's code would have ended."""
    at = door(slot("16:30-08:00"))
    found = judged("16:30-08:00", at, now=datetime(2026, 12, 5, 17, tzinfo=UTC))
    assert isinstance(found, NotChoosable)
    assert "ended already" in found.why


def test_a_door_that_takes_no_offline_codes_offers_none() -> None:
    """And says why."""
    found = judged("16:00-10:00", door(slot(), can_program_offline_access_codes=False))
    assert found == NotChoosable(slot=slot(), why="this door takes no offline access codes")


def test_a_slot_is_named_as_in_a_booking() -> None:
    """By its user level, else by its name; if two slots have the name, the answer lists their levels."""
    one, other = (
        slot("18:00-11:00", name="Late", user_level_id="7"),
        slot("20:00-11:00", name="Late", user_level_id="8"),
    )
    at = door(one, other, slot("21:00-11:00", name="7", user_level_id="9"))
    assert chosen("7", at).slot is one
    assert chosen("8", at).reference == "8"
    both = judged("Late", at)
    assert both == NotChoosable(
        slot=None, why="2 slots of the door are called so; say which by its user level: 7, 8"
    )  # fmt: skip
    assert judged("late", at) == NotChoosable(slot=None, why="the door has no such slot")


def test_twins_cannot_be_told_apart() -> None:
    """Two slots with one name and level, but other times: either may be meant. The same slot twice is one."""
    one, other = slot("18:00-11:00", name="A", user_level_id="1"), slot("20:00-11:00", name="A", user_level_id="1")
    assert not any(isinstance(each, Choosable) for each in choices_of(STAY, door(one, other), ANY, NOW))
    assert isinstance(judged("1", door(one, other)), NotChoosable)
    assert len(choices_of(STAY, door(one, one), ANY, NOW)) == 1
    assert chosen("1", door(one, one)).slot == one


def test_a_daily_stay_may_get_another_slot_if_its_own_is_missing() -> None:
    """The choice replaces the prescribed slot; the stay is still booked by the day."""
    asked = replace(daily("2026-12-01T15:00", "2026-12-03T10:00"), slot="gone")
    found = chosen("12:00-12:00", door(day_slot("12:00")), asked)
    assert found.match.max_time_rounding == "1day"
    assert found.meaning == "opens 3 h before check-in, still opens 2 h after check-out"


def test_offers_are_the_nearest_few() -> None:
    """As many as fit into a message; hostile names are shown in a safe form."""
    at = door(*(slot(f"{hour}:00-11:00", name=f"{hour}\x1b") for hour in range(23, 16, -1)))
    offers = offers_of(STAY, at, ANY, NOW)
    assert [offer.name for offer in offers] == ["17\\x1b", "18\\x1b", "19\\x1b"]
    assert len(offers) == MOST_OFFERS
    assert [offer.slot for offer in offers] == [f"level {hour}:00-11:00" for hour in (17, 18, 19)]


def test_the_first_offer_is_the_smallest_suggestion() -> None:
    """The smallest move that operators are told has the same window as the first offer."""
    at = door(slot("18:00-11:00"), slot("20:00-11:00"))
    first = suggest(STAY, at, ANY, match(STAY, at, ANY))[0]
    offer = offers_of(STAY, at, ANY, NOW)[0]
    assert (offer.starts_at, offer.ends_at) == (first.starts_at, first.ends_at)


def test_gaps_in_a_night_of_a_clock_change_are_real_time() -> None:
    """Nobody waits for an hour that the clock skips."""
    found = chosen("05:00-11:00", door(slot("05:00-11:00")), stay("2027-03-14T00:30", "2027-03-15T11:00"))
    assert found.opens_late_by == timedelta(hours=3, minutes=30)


def booked(reference: str | None, **fields: object) -> BookedDoor:
    """Return a door of a booking with a chosen slot."""
    choice = ChosenSlot(slot=reference, name=reference, by="ann", at=NOW) if reference is not None else None
    return BookedDoor(device_id="d", choice=choice, **fields)  # type: ignore[arg-type]


def planned(asked: Stay, at: BookedDoor, real: Door, policy: MatchPolicy = ANY, now: datetime = NOW) -> Plan:
    """Return the plan for a door; stays that are too long are split."""
    return plan_for(
        asked,
        at,
        real,
        policy=policy,
        lead_time=timedelta(days=14),
        longest_wait=timedelta(hours=1),
        splits=True,
        parts=0,
        now=now,
    )


def test_a_choice_goes_before_a_slot_that_fits() -> None:
    """Also if the booking's own slot is there again: a person decided."""
    at = door(slot("15:00-11:00"), slot("18:00-11:00"))
    near = datetime(2026, 11, 30, tzinfo=UTC)
    taken = planned(STAY, booked("18:00-11:00"), at, now=near).decision
    assert isinstance(taken, Make)
    assert f"{taken.window.starts_at:%H:%M}" == "18:00"
    assert taken.user_level_id == "level 18:00-11:00"
    own = planned(STAY, booked(None), at, now=near).decision
    assert isinstance(own, Make)
    assert f"{own.window.starts_at:%H:%M}" == "15:00"


@pytest.mark.parametrize("slots", [[], ["15:00-11:00"]], ids=["nothing else", "the booking's own"])
def test_a_door_waits_for_a_chosen_slot_that_is_gone(slots: list[str]) -> None:
    """No other slot is taken; a door without any slots is told as such."""
    decision = planned(STAY, booked("18:00-11:00"), door(*map(slot, slots))).decision
    assert isinstance(decision, Wait)
    assert decision.reason == ("no_slot" if slots else "no_slots_configured")
    if slots:
        assert "“18:00-11:00”, chosen by a person, can't be used: it is gone from the door" in decision.advice
        assert [offer.name for offer in decision.offers] == slots


def test_a_choice_changes_only_the_code() -> None:
    """The check-in that decides how urgent it is, and the lead time, are the booked ones."""
    made = planned(STAY, booked("18:00-11:00"), door(slot("18:00-11:00")))
    assert (made.check_in, made.check_out) == instants_of(STAY, "America/Los_Angeles")
    assert made.decision == Postpone(made.check_in - timedelta(days=14))


REFERENCES = st.sampled_from(["1", "2", "3", "Guest", "Owner", "", "\x00", "gone"])


@given(
    cases(), POLICIES, REFERENCES, st.sampled_from(["", "c-1"]), st.timedeltas(timedelta(days=-60), timedelta(days=60))
)
@example((STAY, door(slot("18:00-11:00"))), ANY, "level 18:00-11:00", "c-1", timedelta())
def test_a_plan_never_has_the_window_of_another_slot(
    case: tuple[Stay, Door], policy: MatchPolicy, reference: str, known: str, ahead: timedelta
) -> None:
    """For any choice: a window that matching confirms for this slot alone, or a refusal with a reason."""
    asked, at = case
    check_in, _ = instants_of(asked, at.time_zone)
    now = check_in + ahead
    window = Window(check_in, check_in + timedelta(days=1))
    code = AccessCode(access_code_id=known, window=window, known_since=now) if known else None
    decision = planned(asked, booked(reference, code=code, asked=window if code else None), at, policy, now).decision
    match decision:
        case Alter(None):
            assert known
        case Make(made) | Keep(made) | Alter(made):
            assert made is not None
            called_so = [one for one in at.slots if reference in (one.user_level_id, one.name)]
            assert any(_is_confirmed(made, asked, replace(at, slots=(one,)), policy) for one in called_so)
        case Wait(reason, advice, _, offers) | Refuse(reason, advice, offers):
            assert reason
            assert advice
            assert all(isinstance(choice_of(offer.slot, asked, at, policy, now), Choosable) for offer in offers)
        case Postpone(until):
            assert now < until
            assert isinstance(choice_of(reference, asked, at, policy, now), Choosable)
        case Over():
            assert not known
        case Split() | LeaveOut():
            raise AssertionError("a chosen slot is one code")


def _is_confirmed(window: Window, asked: Stay, alone: Door, policy: MatchPolicy) -> bool:
    """Say whether matching gives the door's only slot this window: for the stay, or for one within an hour of it."""
    hours = [timedelta(hours=by) for by in (-1, 0, 1)]
    near = [
        replace(asked, check_in=Instant(window.starts_at + first), check_out=Instant(window.ends_at + last), slot=None)
        for first in hours
        for last in hours
    ]
    found = (match(each, alone, policy) for each in (replace(asked, slot=None), *near))
    return any((each.starts_at, each.ends_at) == (window.starts_at, window.ends_at) for each in found)


@given(cases(), POLICIES)
def test_every_offer_can_be_chosen_and_every_choice_is_one_slot(case: tuple[Stay, Door], policy: MatchPolicy) -> None:
    """A listed reference finds the same slot again, with the same window; every refusal has a reason."""
    asked, at = case
    for each in choices_of(asked, at, policy, None):
        if isinstance(each, Choosable):
            assert choice_of(each.reference, asked, at, policy, None) == each
            assert each.starts_at < each.ends_at
            assert each.ends_at - each.starts_at <= timedelta(days=31, hours=2)
        else:
            assert each.why
