"""The next stay on a slot: in the future, as short as possible, and proved by matching."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.door.door import Door
from shared.domain.matching.match import MatchPolicy, Outcome, match
from shared.domain.matching.next_stay import NextStay, NoNextStay, next_stay
from tests.domain.building import day_slot, door, slot

POLICY = MatchPolicy()
FORTNIGHT = timedelta(days=14)
NOON = datetime(2026, 12, 1, 20, tzinfo=UTC)  # 12:00 in Los Angeles


def found(at: Door, *, now: datetime = NOON, lead_time: timedelta = FORTNIGHT, slot: str | None = None) -> NextStay:
    """Return the next stay; there must be one."""
    stay = next_stay(at, POLICY, now=now, lead_time=lead_time, slot=slot)
    assert isinstance(stay, NextStay), stay
    return stay


def refused(at: Door, *, lead_time: timedelta = FORTNIGHT, slot: str | None = None) -> NoNextStay:
    """Return why there is none."""
    none = next_stay(at, POLICY, now=NOON, lead_time=lead_time, slot=slot)
    assert isinstance(none, NoNextStay), none
    return none


WINDOWS: list[Any] = [
    pytest.param([slot("16:00-10:00")], "2026-12-01T16:00-08:00", "2026-12-02T10:00-08:00", id="tonight"),
    pytest.param([slot("11:00-10:00")], "2026-12-02T11:00-08:00", "2026-12-03T10:00-08:00", id="gone by today"),
    pytest.param([slot("13:00-19:00")], "2026-12-01T13:00-08:00", "2026-12-01T19:00-08:00", id="the same day"),
    pytest.param([day_slot("15:00")], "2026-12-01T15:00-08:00", "2026-12-02T15:00-08:00", id="24 hours"),
    pytest.param(
        [slot("16:00-10:00"), slot("14:00-12:00")], "2026-12-01T14:00-08:00", "2026-12-02T12:00-08:00", id="the soonest"
    ),
    pytest.param(
        [slot("16:00-10:00"), slot("16:00-09:00"), slot("16:00-11:00")],
        "2026-12-01T16:00-08:00",
        "2026-12-02T09:00-08:00",
        id="of these the shortest",
    ),
    pytest.param(
        [slot("16:00-10:00", zone="Europe/Berlin")], "2026-12-02T16:00+01:00", "2026-12-03T10:00+01:00", id="own zone"
    ),
    pytest.param(
        [slot("13:00-10:00", is_master=True), slot("16:00-10:00")],
        "2026-12-01T16:00-08:00",
        "2026-12-02T10:00-08:00",
        id="never a master slot",
    ),
]


@pytest.mark.parametrize(("slots", "starts_at", "ends_at"), WINDOWS)
def test_windows(slots: list[Any], starts_at: str, ends_at: str) -> None:
    """The next check-in, and the first check-out after it."""
    stay = found(door(*slots))
    assert (stay.starts_at, stay.ends_at) == (datetime.fromisoformat(starts_at), datetime.fromisoformat(ends_at))


def test_a_check_in_of_this_minute_is_not_taken() -> None:
    """It would have passed before the code is made."""
    at = door(slot("12:00-10:00"))
    assert found(at, now=NOON - timedelta(seconds=61)).starts_at == NOON
    assert found(at, now=NOON - timedelta(seconds=30)).starts_at == NOON + timedelta(days=1)


def test_the_night_in_which_the_clock_goes_forward() -> None:
    """A check-in that the clock skips is an hour later, as for any stay."""
    now = datetime(2027, 3, 14, 8, tzinfo=UTC)  # 00:00 in Los Angeles
    assert found(door(slot("02:30-10:00")), now=now).starts_at == datetime(2027, 3, 14, 10, 30, tzinfo=UTC)


def test_a_slot_by_its_name_or_its_user_level() -> None:
    """Only that slot counts, even if another one starts sooner."""
    at = door(slot("14:00-12:00", name="Early"), slot("16:00-10:00", name="Guest", user_level_id="level-7"))
    assert found(at).slot.name == "Early"
    assert found(at, slot="Guest").slot.name == "Guest"
    assert found(at, slot="level-7").reference == "level-7"


def test_a_slot_that_the_door_does_not_have() -> None:
    """The door's slots are named."""
    none = refused(door(slot(name="Guest"), slot(name="Late")), slot="Gust")
    assert none.why == "the door has no slot 'Gust'; it has: Guest, Late"


NONE: list[Any] = [
    pytest.param(door(), "no time slot is configured on this door", id="no slots"),
    pytest.param(
        door(slot(), can_program_offline_access_codes=False), "this door takes no offline access codes", id="no offline"
    ),
    pytest.param(
        door(slot(), time_zone=None), "neither the door nor its slots name a time zone that exists", id="no zone"
    ),
    pytest.param(door(slot(is_master=True)), "no slot of this door can be used", id="only a master slot"),
]


@pytest.mark.parametrize(("at", "why"), NONE)
def test_doors_without_a_next_stay(at: Door, why: str) -> None:
    """The reason is about the door as a whole, in the words of matching."""
    assert refused(at).why == why


def test_slots_without_a_next_stay_say_why() -> None:
    """Each by its name."""
    at = door(
        slot(name="Staff", is_master=True),
        slot(name="Once", is_one_shot=True),
        slot(name="Fortnight", is_biweekly_mode=True),
        slot("16:00-10:00", name="Twin", user_level_id=""),
        slot("17:00-10:00", name="Twin", user_level_id=""),
        slot(name="Broken", unreadable="it is nonsense"),
    )
    assert dict(refused(at).slots) == {
        "Staff": "a master slot is never used",
        "Once": "a one-time slot is never used",
        "Fortnight": "biweekly slots are off, or the stay is longer than 14 days",
        "Twin": "nothing names it alone: another slot is called so too, or it has no name",
        "Broken": "it can't be read: it is nonsense",
    }


def test_biweekly_slots_count_if_they_are_allowed() -> None:
    """As for any stay."""
    allowing = MatchPolicy(allow_biweekly=True)
    stay = next_stay(door(slot(is_biweekly_mode=True)), allowing, now=NOON, lead_time=FORTNIGHT)
    assert isinstance(stay, NextStay)


def test_a_lead_time_that_is_shorter_than_the_time_until_check_in() -> None:
    """A slot with a code that is made now is taken instead; if there is none, each slot's next check-in is named."""
    at = door(slot("14:00-12:00", name="Early"), slot("16:00-10:00", name="Guest"))
    three = timedelta(hours=3)
    assert found(at, lead_time=three).slot.name == "Early"
    assert "CREATE_LEAD_TIME" in refused(at, lead_time=three, slot="Guest").why
    none = refused(at, lead_time=timedelta(minutes=5))
    assert dict(none.slots)["Guest"] == "its next check-in is 2026-12-01 16:00 America/Los_Angeles"


TIMES = st.times().map(lambda at: f"{at:%H:%M}")
ZONES = st.sampled_from(["America/Los_Angeles", "Europe/Berlin", "Australia/Lord_Howe", "UTC", "Asia/Kathmandu"])


@given(
    windows=st.lists(st.tuples(TIMES, TIMES), min_size=1, max_size=4, unique=True),
    zone=ZONES,
    now=st.datetimes(datetime(2026, 1, 1), datetime(2028, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001 - drawn in UTC
)
def test_every_slot_has_a_next_stay_that_matching_confirms(
    windows: list[tuple[str, str]], zone: str, now: datetime
) -> None:
    """In the future, within two days and a night; matched exactly, by the named slot."""
    at = door(*(slot(f"{start}-{end}") for start, end in windows), time_zone=zone)
    stay = found(at, now=now)
    assert now < stay.starts_at <= now + timedelta(days=2)
    assert stay.starts_at < stay.ends_at <= stay.starts_at + timedelta(days=1, hours=2)
    confirmed = match(stay.stay, at, POLICY)
    assert (confirmed.outcome, confirmed.slot, confirmed.fit) == (Outcome.MATCHED, stay.slot, "exact")
    assert (confirmed.starts_at, confirmed.ends_at) == (stay.starts_at, stay.ends_at)
