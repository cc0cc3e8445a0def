"""What time does to an alert: its severity rises, it is told again at growing intervals, and groups remind together."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.alerting.alert import Alert, News, mark_handled, record_notice
from shared.domain.alerting.causes import Cause, Member, raise_cause
from shared.domain.alerting.escalation import escalate, escalate_group, next_change_at
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.timing_policy import REMINDERS, AlertPolicy
from shared.domain.booking.record import AlertNotice
from tests.shared.stories import NOW

POLICY = AlertPolicy()
HOUR = timedelta(hours=1)


def opened(check_in: datetime | None = None, *, key: str = "booking/BK-1/no_slot/d", problem: str = "no_slot") -> Alert:
    """Return an alert that opens now."""
    notice = AlertNotice(
        at=NOW,
        raised=True,
        key=key,
        problem=problem,
        check_in=check_in,
        check_out=check_in + 48 * HOUR if check_in else None,
    )
    alert = record_notice(None, notice, level=POLICY.severity(notice, NOW))
    assert alert is not None
    return alert


def life(alert: Alert, until: timedelta) -> list[tuple[timedelta, str, Severity]]:
    """Return when and why the alert is told over its life, driven by `next_change_at` alone, as by the due-set."""
    told = [(timedelta(), str(alert.news), alert.severity)]
    now = NOW
    while (moment := next_change_at(alert, POLICY, now)) is not None and moment <= NOW + until:
        now = max(now, moment)
        after = escalate(alert, POLICY, now)
        if after.sequence > alert.sequence:
            told.append((now - NOW, str(after.news), after.severity))
        assert after != alert or moment > now or alert.notice.check_out == now, (
            "it must move, or it is looked at for ever"
        )
        alert = after
    return told


def test_a_problem_found_early_is_quiet_until_it_matters() -> None:
    """Ten days ahead: told once; at 24 hours, with reminders; at two hours, a page; until check-out."""
    told = life(opened(NOW + 240 * HOUR), 243 * HOUR)
    assert told[:4] == [
        (timedelta(), "opened", Severity.INFO),
        (216 * HOUR, "rose", Severity.WARNING),
        (220 * HOUR, "reminder", Severity.WARNING),
        (232 * HOUR, "reminder", Severity.WARNING),
    ]
    assert told[4:] == [
        (238 * HOUR, "rose", Severity.PAGE),
        (238.25 * HOUR, "reminder", Severity.PAGE),
        (238.75 * HOUR, "reminder", Severity.PAGE),
        (239.75 * HOUR, "reminder", Severity.PAGE),
        (241.75 * HOUR, "reminder", Severity.PAGE),
    ]


def test_after_check_out_nothing_is_told_any_more() -> None:
    """A problem that is still open then isn't urgent."""
    told = life(opened(NOW + HOUR), 500 * HOUR)
    assert told[-1][0] < 49 * HOUR
    assert next_change_at(escalate(opened(NOW + HOUR), POLICY, NOW + 49 * HOUR), POLICY, NOW + 49 * HOUR) is None


def test_a_handled_alert_sends_no_reminders_but_still_pages() -> None:
    """The person may have forgotten it by then: shortly before check-in it is told again."""
    told = life(mark_handled(opened(NOW + 20 * HOUR), "ann"), 30 * HOUR)
    assert told == [(timedelta(), "opened", Severity.WARNING), (18 * HOUR, "rose", Severity.PAGE)]


def test_a_stay_that_is_moved_to_later_is_less_urgent() -> None:
    """That is no news. When check-in comes near again, that is."""
    alert = opened(NOW + HOUR)
    moved = record_notice(alert, replace(alert.notice, check_in=NOW + 240 * HOUR, check_out=NOW + 288 * HOUR))
    assert moved is not None
    calmed = escalate(moved, POLICY, NOW)
    assert (calmed.severity, calmed.sequence) == (Severity.INFO, alert.sequence)
    assert escalate(calmed, POLICY, NOW + 239 * HOUR).news is News.ROSE


@pytest.mark.parametrize("problem", ["seam_unavailable", "in_doubt", "seam_unauthorized"])
def test_an_inhibited_alert_never_changes_by_itself(problem: str) -> None:
    """Its parent escalates and reminds instead."""
    child = opened(NOW + HOUR, problem=problem)
    assert next_change_at(child, POLICY, NOW) is None
    assert escalate(child, POLICY, NOW + HOUR) is child


def test_a_group_reminds_together() -> None:
    """A reminder includes alerts of the same level that are due soon, but none that were just told."""
    due = opened(key="booking/1/no_slot/d")
    soon = replace(opened(key="booking/2/no_slot/d"), news_at=NOW + HOUR)
    fresh = replace(opened(key="booking/3/no_slot/d"), news_at=NOW + 3 * HOUR)
    info = replace(opened(NOW + 240 * HOUR, key="booking/4/no_slot/d"), news_at=NOW)
    changed = escalate_group([due, soon, fresh, info], POLICY, NOW + 4 * HOUR)
    assert set(changed) == {due.key, soon.key}


@given(st.integers(0, 30 * 24 * 60), st.integers(0, 40 * 24 * 60))
def test_levels_never_miss_check_in(minutes_ahead: int, lasts: int) -> None:
    """However early the problem is found: if it is open two hours before check-in, it has paged."""
    told = life(opened(NOW + timedelta(minutes=minutes_ahead)), timedelta(minutes=lasts))
    has_page = any(level is Severity.PAGE for _, _, level in told)
    assert has_page == (lasts >= minutes_ahead - 120)
    assert [at for at, _, _ in told] == sorted(at for at, _, _ in told)


def test_pauses_between_reminders_grow() -> None:
    """At every level."""
    for pauses in REMINDERS.values():
        assert list(pauses) == sorted(pauses)


def joined(alert: Alert, *members: str, check_in: datetime | None = None, happened: str = "") -> Alert:
    """Return the alert of a cause with these members, each parked at the entry of its name."""
    notice = replace(alert.notice, check_in=check_in or alert.notice.check_in, happened=happened)
    cause = Cause(notice, hit=len(members), members=tuple(Member(each, f"Booking {each}") for each in members))
    after = raise_cause(alert, cause, group=alert.group, level=alert.severity)
    assert after is not None
    return after


def test_new_members_of_a_cause_are_told_after_a_growing_pause() -> None:
    """One new member an hour for two days: a few messages with the names since the last one, also in reminders."""
    alert = joined(opened(), "0-1")
    assert (alert.newcomers, alert.joined) == (0, ())
    told: list[tuple[float, tuple[str, ...]]] = []
    now = NOW
    for minute in range(48 * 60):
        now = NOW + minute * HOUR / 60
        if minute % 60 == 1:
            alert = joined(alert, "0-1", *(f"{number}-1" for number in range(1, minute // 60 + 2)))
        moment = next_change_at(alert, POLICY, now)
        if moment is not None and moment <= now:
            after = escalate(alert, POLICY, now)
            if after.news == "changed":
                told.append(((now - NOW) / HOUR, after.joined))
            alert = after
    assert [round(at, 2) for at, _ in told[:4]] == [0.25, 1.25, 5.25, 21.25]
    assert len(told) == 6
    assert told[0][1] == ("Booking 1-1",)
    assert len(told[2][1]) == 4
    assert (told[3][1][0], len(told[3][1])) == ("Booking 22-1", 10)


def test_known_members_are_never_new() -> None:
    """Neither if their message comes again, nor those of a record of an older version: it doesn't say who was there."""
    alert = joined(opened(), "5-1", "3-1")
    assert joined(alert, "3-1", "5-1").newcomers == 0
    assert joined(alert, "3-1").newcomers == 0
    assert joined(joined(alert, "3-1"), "3-1", "5-1").newcomers == 0
    after = joined(alert, "3-1", "5-1", "5-2")
    assert (after.newcomers, after.joined) == (1, ("Booking 5-2",))


def test_any_news_tells_the_new_members() -> None:
    """Once. A person who handles the cause is told, and still handles it."""
    alert = joined(joined(opened(), "1-1"), "1-1", "2-1")
    rose = escalate(joined(alert, "1-1", "2-1", "3-1", check_in=NOW + HOUR), POLICY, NOW)
    assert (rose.news, rose.newcomers, rose.joined) == ("rose", 0, ("Booking 3-1", "Booking 2-1"))
    reminder = escalate(rose, POLICY, NOW + HOUR)
    assert (reminder.news, reminder.joined) == ("reminder", ())
    changed = joined(alert, "1-1", "2-1", happened="Something else.")
    assert (changed.news, changed.newcomers, changed.joined) == ("changed", 0, ("Booking 2-1",))
    taken = escalate(mark_handled(alert, "ann"), POLICY, NOW + HOUR)
    assert (taken.news, taken.handled_by, taken.joins) == ("changed", "ann", 1)
