"""Counting which stays fit, and the fewest slots to ask for."""

import random
from datetime import UTC, datetime, timedelta
from itertools import combinations

import pytest

from shared.domain.door.door import Door
from shared.domain.matching.coverage import Lack, survey
from shared.domain.matching.match import MatchPolicy, Outcome, match
from shared.domain.matching.slot_planning import MOST_SLOTS, propose
from shared.domain.stay.stay import Instant, Stay, WallTime
from tests.domain.building import daily, day_slot, door, slot, stay, time_of_day

ANY = MatchPolicy()


def stays(*times: str, count: int = 1) -> list[Stay]:
    """Return `count` stays of three nights of each `16:00-10:00`."""
    first = datetime(2026, 12, 1)  # noqa: DTZ001
    found = []
    for written in times:
        check_in, check_out = (time_of_day(one).at for one in written.split("-"))
        for place in range(count):
            start = first + timedelta(days=place)
            found.append(
                Stay(
                    check_in=WallTime(datetime.combine(start, check_in)),
                    check_out=WallTime(datetime.combine(start + timedelta(days=3), check_out)),
                )
            )
    return found


def at(one: Door, *asked: Stay) -> list[tuple[Stay, Door]]:
    """Return the stays, all at one door."""
    return [(each, one) for each in asked]


def test_shares_and_lacks() -> None:
    """For each door and in total; and what the other stays lacked."""
    first = door(slot(), name="first")
    second = door(name="second")
    coverage = survey(
        at(first, *stays("16:00-10:00", count=3), *stays("13:10-10:20", count=2))
        + at(first, daily("2026-12-01T16:00", "2026-12-05T10:00"))
        + at(second, *stays("16:00-10:00")),
        ANY,
    )
    assert (coverage.stays, coverage.fitting) == (7, 3)
    assert [(one.stays, one.fitting) for one in coverage.doors] == [(6, 3), (1, 0)]
    assert coverage.lacks == {
        Lack(Outcome.NO_SLOT, "13:00-10:30"): 2,
        Lack(Outcome.NO_SLOT, "24 hours"): 1,
        Lack(Outcome.NO_SLOTS_CONFIGURED, "16:00-10:00"): 1,
    }
    whole = coverage.as_json()
    assert whole["lacks"][0] == {"outcome": "no_slot", "needs": "13:00-10:30", "stays": 2}
    assert whole["doors"][0]["share"] == 0.5


@pytest.mark.parametrize(
    ("asked", "where", "lack"),
    [
        pytest.param(stay("2026-12-05T16:00", "2026-12-01T10:00"), door(slot()), "invalid_booking", id="order"),
        pytest.param(stay("2026-12-01T16:00", "2026-12-05T10:00", "X"), door(slot()), "invalid_booking", id="zone"),
        pytest.param(stay("2026-12-01T16:00", "2026-12-05T10:00"), door(slot(), time_zone=None), "no_time_zone",
                     id="no zone"),
        pytest.param(stay("2026-12-01T16:00", "2027-12-05T10:00"), door(slot()), "too_long", id="too long"),
        pytest.param(stay("2026-12-01T13:00", "2027-12-05T10:00"), door(slot()), "too_long", id="too long, no slot"),
        pytest.param(stay("2026-12-01T16:00", "2027-12-05T10:00"), door(), "too_long", id="too long, no slots"),
        pytest.param(daily("2026-12-01T16:00", "2027-01-02T10:00"), door(slot()), "too_long", id="too long, daily"),
        pytest.param(stay("2026-12-01T13:00", "2027-01-01T14:00"), door(slot()), "no_slot", id="an hour too long"),
        pytest.param(stay("2026-12-01T13:00", "2027-01-01T15:00:01"), door(slot()), "too_long", id="two too long"),
        pytest.param(stay("2026-12-01T16:00", "2026-12-05T10:00", slot="x"), door(slot()), "no_slot", id="prescribed"),
        pytest.param(stay("2026-12-01T16:00", "2026-12-05T10:00"), door(time_zone=None), "no_slots_configured",
                     id="no zone, no slots"),
    ],
)  # fmt: skip
def test_reasons_that_no_new_slot_would_solve(asked: Stay, where: Door, lack: str) -> None:
    """They are counted, and no slot is proposed for them."""
    coverage = survey(at(where, asked), ANY)
    assert list(coverage.lacks) == [Lack(Outcome(lack))]
    proposal = propose(coverage, 1, ANY)
    assert proposal.slots == ()
    assert not proposal.is_reached


def test_remembered_results_are_the_matchs_own() -> None:
    """For random stays in nights of a clock change: the shortcut gives the same counts as the match."""
    dice = random.Random(3)
    where = door(slot(), slot("02:30-03:15"), slot("15:00-11:00", zone="US/Pacific"), day_slot())
    asked = []
    for _ in range(3000):
        start = datetime(2027, 3, 10, tzinfo=UTC) + timedelta(minutes=15 * dice.randrange(1000))
        length = timedelta(minutes=15 * dice.choice([1, 3, 70, 72, 76, 100, 3 * 96, 31 * 96]))
        if dice.random() < 0.5:
            asked.append(Stay(check_in=Instant(start), check_out=Instant(start + length)))
        else:
            wall = start.replace(tzinfo=None)
            asked.append(Stay(check_in=WallTime(wall), check_out=WallTime(wall + length)))
    expected = sum(match(one, where, ANY).outcome is Outcome.MATCHED for one in asked)
    coverage = survey(at(where, *asked), ANY)
    assert coverage.fitting == expected
    assert sum(coverage.lacks.values()) == len(asked) - expected


def test_nothing_to_ask_for_when_enough_fits() -> None:
    """The wanted share is reached already."""
    proposal = propose(survey(at(door(slot()), *stays("16:00-10:00")), ANY), 0.95, ANY)
    assert proposal.slots == ()
    assert proposal.is_reached
    assert proposal.is_exact
    assert proposal.share == 1


def test_fewest_slots() -> None:
    """One slot serves two kinds of stays that are two hours apart; it is the better of two candidates."""
    asked = [*stays("14:00-10:00", count=4), *stays("16:00-11:00", count=4), *stays("20:00-10:00")]
    proposal = propose(survey(at(door(), *asked), ANY), 0.85, ANY)
    (one,) = proposal.slots
    assert (str(one.slot.check_in), one.stays) == ("15:00", 8)
    assert proposal.is_exact
    assert proposal.is_reached
    assert proposal.share == pytest.approx(8 / 9)


def test_new_slot_locks_out_least_and_is_round() -> None:
    """A slot for one kind of stay covers it, at a round time."""
    proposal = propose(survey(at(door(), *stays("14:10-10:20")), ANY), 1, ANY)
    (one,) = proposal.slots
    assert (str(one.slot.check_in), str(one.slot.check_out)) == ("14:00", "11:00")


def test_around_midnight() -> None:
    """Distances are measured around the clock here, too."""
    asked = [*stays("23:30-10:00"), *stays("00:30-10:00"), *stays("01:00-10:00")]
    proposal = propose(survey(at(door(), *asked), ANY), 1, ANY)
    assert [one.stays for one in proposal.slots] == [3]


def test_daily_stays_need_a_24_hour_slot() -> None:
    """Noon to noon, whatever the times of the stays are."""
    asked = [daily("2026-12-01T16:00", "2026-12-05T10:00"), daily("2026-12-01T09:00", "2026-12-05T18:00")]
    (one,) = propose(survey(at(door(slot()), *asked), ANY), 1, ANY).slots
    assert one.slot.is_24_hour
    assert one.stays == 2


def test_the_door_with_the_larger_gain_gets_its_slot_first() -> None:
    """So that all doors together need the fewest slots."""
    few, many = door(name="few"), door(name="many")
    coverage = survey(at(few, *stays("16:00-10:00", count=2)) + at(many, *stays("16:00-10:00", count=8)), ANY)
    proposal = propose(coverage, 0.8, ANY)
    assert [one.door.name for one in proposal.slots] == ["many"]
    assert proposal.as_json()["slots"][0]["door"] == "many"


def test_small_cases_are_exact() -> None:
    """Compared with a search of all sets of slots on a grid, for random stays."""
    dice = random.Random(5)
    grid = [f"{hour:02}:00" for hour in range(24)]
    for _ in range(20):
        kinds = [f"{dice.choice(grid)}-{dice.choice(grid[8:13])}" for _ in range(5)]
        asked = [one for kind in kinds for one in stays(kind, count=dice.randrange(1, 4))]
        coverage = survey(at(door(), *asked), ANY)
        proposal = propose(coverage, 0.9, ANY)
        assert proposal.is_exact
        assert proposal.is_reached
        assert proposal.share >= 0.9
        every = [slot(f"{start}-{end}") for start in grid for end in grid[8:13]]
        fewer = len(proposal.slots) - 1
        if fewer == 1:
            for tried in combinations(every, fewer):
                assert survey(at(door(*tried), *asked), ANY).fitting < 0.9 * len(asked)


def test_greedy_says_so() -> None:
    """Hundreds of kinds of stays are too many to try every combination."""
    dice = random.Random(7)
    asked = [
        one
        for _ in range(300)
        for one in stays(f"{dice.randrange(24):02}:{dice.randrange(60):02}-{dice.randrange(24):02}:00")
    ]
    proposal = propose(survey(at(door(), *asked), ANY), 0.9, ANY)
    assert not proposal.is_exact
    assert not proposal.is_reached
    assert len(proposal.slots) == MOST_SLOTS
