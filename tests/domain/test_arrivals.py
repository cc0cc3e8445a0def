"""The pre-arrival check: who arrives, and whether the door will open."""

from dataclasses import replace
from datetime import UTC, datetime, time, timedelta
from typing import Any

import pytest

from shared.domain.alerting.arrivals import Readiness, arrivals_of, first_check_in
from shared.domain.alerting.door_problems import KnownIssues
from shared.domain.booking.record import State
from shared.domain.door.issues import issues_of_account, issues_of_device, merge_issues
from shared.domain.times.daily import DailyTime, parse_daily_time
from tests.shared.stories import CHECK_IN, DOOR, NOW, SECOND, accepted, booking, issued, with_door

STANDS: list[Any] = [
    pytest.param({"state": State.READY}, Readiness.READY, id="confirmed"),
    pytest.param({}, Readiness.ON_ITS_WAY, id="made, and Seam is on it"),
    pytest.param({"state": State.SCHEDULED, "reason": "door_budget"}, Readiness.ON_ITS_WAY, id="its turn comes"),
    pytest.param({"state": State.WAITING, "reason": "no_slot"}, Readiness.AT_RISK, id="no slot"),
    pytest.param({"state": State.FAILED, "reason": "refused_by_seam"}, Readiness.AT_RISK, id="refused"),
    pytest.param({"reason": "late_set"}, Readiness.AT_RISK, id="late"),
    pytest.param({"state": State.READY, "reason": "window_differs"}, Readiness.AT_RISK, id="other times"),
    pytest.param({"state": State.READY, "drift": "Its slot is gone."}, Readiness.AT_RISK, id="drifted"),
    pytest.param({"state": State.READY, "pin_changed_at": NOW}, Readiness.AT_RISK, id="another PIN"),
    pytest.param(
        {"state": State.READY, "pin_changed_at": NOW, "pin_revealed_at": NOW}, Readiness.READY, id="which was given out"
    ),
]


@pytest.mark.parametrize(("fields", "readiness"), STANDS)
def test_readiness_of_an_arrival(fields: dict[str, Any], readiness: Readiness) -> None:
    """It is at risk only if a person must act; then it says what to do."""
    (arrival,) = arrivals_of([with_door(issued(), **fields)], since=NOW, until=CHECK_IN)
    assert arrival.readiness is readiness
    assert bool(arrival.next_step) == (readiness is Readiness.AT_RISK)


@pytest.mark.parametrize(
    "it",
    [
        replace(issued(), cancelled=True),
        with_door(issued(), state=State.ENDED),
        with_door(issued(), wanted=False),
        with_door(issued(), part=2),
        with_door(issued(), check_in=CHECK_IN + timedelta(seconds=1)),
        accepted(kind="cancelled").booking,
    ],
    ids=["cancelled", "ended", "dropped", "a later code of a split stay", "after the time", "a mere cancellation"],
)
def test_who_does_not_arrive(it: Any) -> None:
    """These guests aren't in the list."""
    assert arrivals_of([it], since=NOW, until=CHECK_IN) == []


def test_the_nearest_comes_first_and_each_door_is_an_arrival() -> None:
    """A guest with two doors needs both."""
    early = with_door(issued(DOOR, SECOND), SECOND, check_in=CHECK_IN - timedelta(hours=1))
    late = replace(issued(), booking_id="BK-2")
    assert [each.booking_id for each in arrivals_of([late, early], since=NOW, until=CHECK_IN)] == ["BK-1"] * 2 + [
        "BK-2"
    ]
    assert first_check_in(early) == CHECK_IN - timedelta(hours=1)
    assert first_check_in(booking()) == CHECK_IN


DAILY: list[Any] = [
    pytest.param("07:00", "2036-11-21T12:00Z", "2036-11-22T07:00Z", id="tomorrow"),
    pytest.param("13:30", "2036-11-21T12:00Z", "2036-11-21T13:30Z", id="today"),
    pytest.param("12:00", "2036-11-21T12:00Z", "2036-11-22T12:00Z", id="strictly after"),
    pytest.param("07:00 America/Los_Angeles", "2036-11-21T12:00Z", "2036-11-21T15:00Z", id="on another clock"),
    pytest.param("02:30 Europe/Vienna", "2036-03-29T12:00Z", "2036-03-30T01:30Z", id="skipped by a clock change"),
]


@pytest.mark.parametrize(("text", "now", "following"), DAILY)
def test_a_daily_time(text: str, now: str, following: str) -> None:
    """The next moment at which that clock shows this time."""
    assert parse_daily_time(text).after(datetime.fromisoformat(now)) == datetime.fromisoformat(following)


@pytest.mark.parametrize("text", ["", "7 o'clock", "25:00", "07:00+01:00", "07:00 Nowhere/City", "07:00 PST"])
def test_invalid_daily_times(text: str) -> None:
    """They are refused at start, with an example of a valid one."""
    with pytest.raises(ValueError, match=r"day|zone"):
        parse_daily_time(text)


def test_a_daily_time_is_in_utc_by_default() -> None:
    """Like the clocks of most servers."""
    assert parse_daily_time("07:15") == DailyTime(time(7, 15), "UTC")
    assert parse_daily_time("07:15").after(NOW).tzinfo is not None
    assert parse_daily_time("07:15").after(NOW).astimezone(UTC).hour == 7


MISMATCH = issues_of_device({"warnings": [{"warning_code": "time_zone_mismatch", "message": "They differ."}]})
THIRD_PARTY = issues_of_device({"warnings": [{"warning_code": "third_party_integration_detected", "message": "x"}]})
UNAPPROVED = issues_of_account({"warnings": [{"warning_code": "dormakaba_sites_unapproved", "message": "Wait."}]})
REMOVED = issues_of_device({"errors": [{"error_code": "device_removed", "message": "Gone."}]})
HELD_BACK: list[Any] = [
    pytest.param(KnownIssues(of_door=MISMATCH), Readiness.AT_RISK, "door_trouble", id="the door's"),
    pytest.param(KnownIssues(of_account=UNAPPROVED), Readiness.AT_RISK, "account_trouble", id="the account's"),
    pytest.param(KnownIssues(of_door=MISMATCH, of_account=UNAPPROVED), Readiness.AT_RISK, "door_trouble", id="both"),
    pytest.param(KnownIssues(of_door=REMOVED), Readiness.AT_RISK, "door_gone", id="the door is gone"),
    pytest.param(KnownIssues(of_door=THIRD_PARTY), Readiness.READY, "", id="what keeps no code from working"),
    pytest.param(KnownIssues(), Readiness.READY, "", id="nothing"),
]


@pytest.mark.parametrize(("known", "readiness", "reason"), HELD_BACK)
def test_a_confirmed_code_at_a_door_in_trouble(known: KnownIssues, readiness: Readiness, reason: str) -> None:
    """It is at risk if the door's issue keeps codes from working; what Seam reports is told in any case."""
    ready = with_door(issued(), state=State.READY)
    (arrival,) = arrivals_of([ready], since=NOW, until=CHECK_IN, known={DOOR: known})
    assert (arrival.readiness, arrival.reason) == (readiness, reason)
    assert arrival.issues == merge_issues(known.of_door, known.of_account)
    if reason in ("door_trouble", "account_trouble"):
        assert "Seam says" in arrival.why
        assert arrival.next_step


def test_a_problem_of_the_code_goes_before_one_of_the_door() -> None:
    """The door's problem is told beside it."""
    it = with_door(issued(), state=State.FAILED, reason="code_gone")
    (arrival,) = arrivals_of([it], since=NOW, until=CHECK_IN, known={DOOR: KnownIssues(of_door=MISMATCH)})
    assert (arrival.reason, arrival.issues) == ("code_gone", MISMATCH)


def test_issues_that_people_are_not_told_are_not_listed() -> None:
    """An Oracode lock has no network: warnings about its connection mean nothing."""
    quiet = issues_of_device({"warnings": [{"warning_code": "device_has_flaky_connection"}]})
    (arrival,) = arrivals_of([issued()], since=NOW, until=CHECK_IN, known={DOOR: KnownIssues(of_door=quiet)})
    assert (arrival.readiness, arrival.issues) == (Readiness.ON_ITS_WAY, ())
