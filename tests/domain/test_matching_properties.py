"""Properties of matching for any stay and any door."""

import random
from datetime import UTC, datetime, time, timedelta
from itertools import pairwise
from zoneinfo import ZoneInfo

from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.door.door import Door, TimeSlot
from shared.domain.matching.long_stays import plan
from shared.domain.matching.match import MatchPolicy, Outcome, SlotPreference, match
from shared.domain.matching.suggestions import suggest
from shared.domain.stay.stay import Granularity, Instant, Stay, WallTime
from shared.domain.times.time_of_day import TimeOfDay
from tests.domain.building import door as a_door
from tests.domain.building import slot as a_slot
from tests.domain.naive_matching import naive_match

ZONES = st.sampled_from([
    "America/Los_Angeles", "America/New_York", "America/Phoenix", "America/St_Johns",
    "Europe/London", "Europe/Berlin", "Australia/Lord_Howe", "Pacific/Chatham", "Asia/Kathmandu",
    "Africa/Casablanca", "Pacific/Auckland", "America/Havana", "UTC", "Asia/Tehran",
])  # fmt: skip
QUARTERS = st.integers(0, 95).map(lambda n: time(n // 4, n % 4 * 15))
TIMES = QUARTERS | st.times().map(lambda at: at.replace(tzinfo=None, fold=0))
# Around the nights in which clocks change, and at any other time.
DATES = st.sampled_from(
    ["2026-03-08", "2026-03-29", "2026-04-05", "2026-10-04", "2026-10-25", "2026-11-01",
     "2027-03-14", "2026-09-27"]
).map(datetime.fromisoformat) | st.datetimes(datetime(2025, 1, 1), datetime(2030, 1, 1))  # fmt: skip  # noqa: DTZ001
FLAG = st.sampled_from([False] * 9 + [True])
POLICIES = st.builds(MatchPolicy, st.sampled_from(SlotPreference), st.booleans())


@st.composite
def slots(draw: st.DrawFn) -> TimeSlot:
    """Return any readable slot."""
    return TimeSlot(
        name=draw(st.sampled_from(["Guest", "Owner", ""])),
        user_level_id=draw(st.sampled_from(["1", "2", "3"])),
        prefix=draw(st.none() | st.integers(0, 3)),
        check_in=TimeOfDay(draw(TIMES)),
        check_out=TimeOfDay(draw(TIMES)),
        is_24_hour=draw(st.booleans()),
        is_biweekly_mode=draw(FLAG),
        is_one_shot=draw(FLAG),
        is_master=draw(FLAG),
    )


@st.composite
def cases(draw: st.DrawFn) -> tuple[Stay, Door]:
    """Return a stay, and a door with some slots near it."""
    zone = draw(ZONES)
    first = datetime.combine(draw(DATES), draw(TIMES))
    length = draw(
        st.timedeltas(timedelta(minutes=-30), timedelta(hours=30))
        | st.timedeltas(timedelta(0), timedelta(days=40))
        | st.integers(1, 34).map(lambda days: timedelta(days=days))
    )
    last = first + length
    kind = draw(st.sampled_from(["wall", "instant", "elsewhere"]))
    if kind == "wall":
        ends = WallTime(first), WallTime(last)
    elif kind == "instant":
        ends = Instant(first.replace(tzinfo=UTC)), Instant(last.replace(tzinfo=UTC))  # type: ignore[assignment]
    else:
        other = draw(ZONES)
        if other != zone:
            at = first.replace(tzinfo=ZoneInfo(other)), last.replace(tzinfo=ZoneInfo(other))
            ends = tuple(Instant(one.astimezone(UTC)) for one in at)  # type: ignore[assignment]
        else:
            ends = WallTime(first, other), WallTime(last, other)
    near = st.integers(-75, 75).map(lambda minutes: timedelta(minutes=minutes))
    found = draw(st.lists(slots(), max_size=4))
    for _ in range(draw(st.integers(0, 3))):
        check_in, check_out = (first + draw(near)).time(), (last + draw(near)).time()
        found.append(
            TimeSlot(
                name=draw(st.sampled_from(["Guest", "Near"])),
                user_level_id=draw(st.sampled_from(["1", "2", "3"])),
                prefix=None,
                check_in=TimeOfDay(check_in),
                check_out=TimeOfDay(check_out),
                is_24_hour=draw(st.booleans()),
            )
        )
    stay = Stay(check_in=ends[0], check_out=ends[1], granularity=draw(st.sampled_from(Granularity)))
    return stay, a_door(*found, time_zone=zone, can_program_offline_access_codes=not draw(FLAG))


@settings(max_examples=600)
@given(cases(), POLICIES)
def test_naive_implementation_agrees(case: tuple[Stay, Door], policy: MatchPolicy) -> None:
    """Outcome, verdicts, gaps and window are the same."""
    stay, door = case
    found, expected = match(stay, door, policy), naive_match(stay, door, policy)
    assert found.outcome.value == expected["outcome"]
    assert [one.verdict.value for one in found.considered] == expected["verdicts"]
    if found.outcome is Outcome.MATCHED:
        assert found.slot is not None
        assert (found.slot.name, found.slot.user_level_id) == expected["slot"]
        best = {
            (one.slot.name, one.slot.user_level_id, one.check_in_gap, one.check_out_gap) for one in found.considered
        }
        assert (*expected["slot"], *expected["gaps"]) in best
        if len({(one.name, one.user_level_id) for one in door.slots}) == len(door.slots):
            assert (found.starts_at, found.ends_at) == (expected["starts_at"], expected["ends_at"])


@given(cases(), POLICIES, st.randoms())
def test_order_of_slots_never_matters(case: tuple[Stay, Door], policy: MatchPolicy, shuffling: random.Random) -> None:
    """The same slots in any order give the same code."""
    stay, door = case
    shuffled = list(door.slots)
    shuffling.shuffle(shuffled)
    one = match(stay, door, policy).as_json()
    other = match(stay, a_door(
        *shuffled,
        time_zone=door.time_zone,
        can_program_offline_access_codes=door.can_program_offline_access_codes,
    ), policy).as_json()  # fmt: skip
    assert {**one, "considered": 0} == {**other, "considered": 0}


@settings(max_examples=300)
@given(cases(), POLICIES)
def test_a_match_obeys_the_rules(case: tuple[Stay, Door], policy: MatchPolicy) -> None:
    """Within an hour, within 31 days, end after start; and read back, the window has the slot's times."""
    stay, door = case
    found = match(stay, door, policy)
    if found.outcome is not Outcome.MATCHED:
        return
    assert found.slot is not None
    assert found.starts_at is not None
    assert found.ends_at is not None
    assert found.check_in_gap is not None
    assert found.check_out_gap is not None
    assert found.starts_at < found.ends_at
    assert not found.slot.is_master
    assert not found.slot.is_one_shot
    if stay.granularity is Granularity.HOURLY:
        assert abs(found.check_in_gap) <= timedelta(hours=1)
        assert abs(found.check_out_gap) <= timedelta(hours=1)
    else:
        assert found.slot.is_24_hour
        assert found.check_in_gap <= timedelta() <= found.check_out_gap
    zone = ZoneInfo(door.time_zone or "")
    assert found.ends_at - found.starts_at <= timedelta(days=31, hours=2)
    for at, of_day in ((found.starts_at, found.slot.check_in), (found.ends_at, found.slot.check_out)):
        assert of_day is not None
        assert at.utcoffset() == at.astimezone(zone).utcoffset()
        shown = at.astimezone(zone).time()
        if shown != of_day.at:  # only where the clock skips that time
            wall = datetime.combine(at.astimezone(zone), of_day.at)
            there_and_back = wall.replace(tzinfo=zone).astimezone(UTC).astimezone(zone)
            assert there_and_back.replace(tzinfo=None) != wall


@given(cases(), POLICIES)
def test_fit_is_what_the_gaps_say(case: tuple[Stay, Door], policy: MatchPolicy) -> None:
    """With `covers` the guest never stands before a locked door."""
    found = match(*case, policy)
    if found.check_in_gap is not None and found.check_out_gap is not None:
        locks_out = found.check_in_gap > timedelta() or found.check_out_gap < timedelta()
        assert (found.fit == "locks_out") == locks_out
        assert (found.fit == "exact") == (not found.check_in_gap and not found.check_out_gap)


@given(TIMES, st.timedeltas(timedelta(microseconds=-5), timedelta(microseconds=5)), st.booleans())
def test_nothing_fits_beyond_the_hour(at: time, more: timedelta, early: bool) -> None:  # noqa: FBT001
    """60:00 fits, a microsecond more doesn't, at either end."""
    hour = timedelta(hours=-1) - more if early else timedelta(hours=1) + more
    check_in = datetime(2026, 7, 15) + timedelta(hours=at.hour, minutes=at.minute)  # noqa: DTZ001
    stay = Stay(check_in=WallTime(check_in), check_out=WallTime(check_in + timedelta(days=2)))
    moved = (check_in + hour).time()
    door = a_door(a_slot(check_in=TimeOfDay(moved), check_out=TimeOfDay(check_in.time())))
    fits = match(stay, door, MatchPolicy()).outcome is Outcome.MATCHED
    assert fits == (more <= timedelta())


@settings(max_examples=300)
@given(cases(), POLICIES)
def test_following_a_suggestion_makes_it_fit(case: tuple[Stay, Door], policy: MatchPolicy) -> None:
    """The match then has the window that the suggestion names, and the code works at a moved time; smallest first."""
    stay, door = case
    found = match(stay, door, policy)
    suggestions = suggest(stay, door, policy, found)
    assert not (suggestions and found.outcome is Outcome.MATCHED)
    moves = []
    for one in suggestions:
        then = match(*one.change.applied_to(stay, door), policy)
        assert then.outcome is Outcome.MATCHED
        assert (then.starts_at, then.ends_at) == (one.starts_at, one.ends_at)
        assert one.change.check_in is None or one.change.check_in >= one.starts_at
        assert one.change.check_out is None or one.change.check_out <= one.ends_at
        if one.kind.startswith("move"):
            moves.append(abs(one.change.check_in_moved) + abs(one.change.check_out_moved))
    assert moves == sorted(moves)


@settings(max_examples=300)
@given(cases(), POLICIES, st.integers(0, 300))
def test_long_stays_have_no_hole(case: tuple[Stay, Door], policy: MatchPolicy, more_days: int) -> None:
    """Each code is one that a match would make, and starts before the previous one ends."""
    stay, door = case
    later = stay.check_out.at + timedelta(days=more_days)
    stay = Stay(
        check_in=stay.check_in,
        check_out=type(stay.check_out)(later),
        granularity=stay.granularity,
    )
    codes = plan(stay, door, policy).codes
    for before, after in pairwise(codes):
        assert before.starts_at < after.starts_at <= before.ends_at < after.ends_at
        assert after.hand_over_by == before.ends_at
    for code in codes:
        exactly = Stay(
            check_in=Instant(code.starts_at),
            check_out=Instant(code.ends_at),
            granularity=stay.granularity,
            slot=code.slot.user_level_id,
        )
        assert code.starts_at < code.ends_at
        assert code.ends_at - code.starts_at <= timedelta(days=31, hours=2)
        if code.slot.check_in is not None and code.starts_at.time() == code.slot.check_in.at:
            assert match(exactly, door, MatchPolicy(allow_biweekly=True)).outcome in (
                Outcome.MATCHED,
                Outcome.INVALID_BOOKING,
            )
    if match(stay, door, policy).outcome is Outcome.TOO_LONG and door.slots:
        assert codes
