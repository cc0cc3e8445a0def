"""What time does to an alert: it rises, it is told again at growing intervals, and a group falls into step."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.alerting.alert import Alert, News, handled, heard
from shared.domain.alerting.causes import Cause, Member, raised
from shared.domain.alerting.escalation import escalated, escalated_together, next_change_at
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
    alert = heard(None, notice, level=POLICY.severity(notice, NOW))
    assert alert is not None
    return alert


def life(alert: Alert, until: timedelta) -> list[tuple[timedelta, str, Severity]]:
    """Return when the alert is told over its life, and why: driven by `next_change_at` alone, as the due-set does."""
    told = [(timedelta(), str(alert.news), alert.severity)]
    now = NOW
    while (moment := next_change_at(alert, POLICY, now)) is not None and moment <= NOW + until:
        now = max(now, moment)
        after = escalated(alert, POLICY, now)
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


def test_after_check_out_it_is_told_no_more() -> None:
    """Whatever is still open then hurries nobody."""
    told = life(opened(NOW + HOUR), 500 * HOUR)
    assert told[-1][0] < 49 * HOUR
    assert next_change_at(escalated(opened(NOW + HOUR), POLICY, NOW + 49 * HOUR), POLICY, NOW + 49 * HOUR) is None


def test_who_handles_it_is_spared_reminders_but_not_the_page() -> None:
    """What was asked of the installer days ago may have been forgotten: shortly before check-in it is told."""
    told = life(handled(opened(NOW + 20 * HOUR), "ann"), 30 * HOUR)
    assert told == [(timedelta(), "opened", Severity.WARNING), (18 * HOUR, "rose", Severity.PAGE)]


def test_a_stay_that_is_moved_away_hurries_less() -> None:
    """That is no news; when it nears again, it is."""
    alert = opened(NOW + HOUR)
    moved = heard(alert, replace(alert.notice, check_in=NOW + 240 * HOUR, check_out=NOW + 288 * HOUR))
    assert moved is not None
    calmed = escalated(moved, POLICY, NOW)
    assert (calmed.severity, calmed.sequence) == (Severity.INFO, alert.sequence)
    assert escalated(calmed, POLICY, NOW + 239 * HOUR).news is News.ROSE


@pytest.mark.parametrize("problem", ["seam_unavailable", "in_doubt", "seam_unauthorized"])
def test_a_child_does_nothing_by_itself(problem: str) -> None:
    """Its parent rises and reminds for it."""
    child = opened(NOW + HOUR, problem=problem)
    assert next_change_at(child, POLICY, NOW) is None
    assert escalated(child, POLICY, NOW + HOUR) is child


def test_a_group_falls_into_step() -> None:
    """One reminder takes along those that would follow soon; not the ones that were just told, nor other levels."""
    due = opened(key="booking/1/no_slot/d")
    soon = replace(opened(key="booking/2/no_slot/d"), news_at=NOW + HOUR)
    fresh = replace(opened(key="booking/3/no_slot/d"), news_at=NOW + 3 * HOUR)
    info = replace(opened(NOW + 240 * HOUR, key="booking/4/no_slot/d"), news_at=NOW)
    changed = escalated_together([due, soon, fresh, info], POLICY, NOW + 4 * HOUR)
    assert set(changed) == {due.key, soon.key}


@given(st.integers(0, 30 * 24 * 60), st.integers(0, 40 * 24 * 60))
def test_levels_never_miss_check_in(minutes_ahead: int, lasts: int) -> None:
    """However early the problem is found: if it is open two hours before check-in, there has been a page."""
    told = life(opened(NOW + timedelta(minutes=minutes_ahead)), timedelta(minutes=lasts))
    has_page = any(level is Severity.PAGE for _, _, level in told)
    assert has_page == (lasts >= minutes_ahead - 120)
    assert [at for at, _, _ in told] == sorted(at for at, _, _ in told)


def test_reminders_grow() -> None:
    """No level reminds faster the longer it lasts."""
    for pauses in REMINDERS.values():
        assert list(pauses) == sorted(pauses)


def joined(alert: Alert, *members: str, check_in: datetime | None = None, happened: str = "") -> Alert:
    """Return the alert as its cause stands with these members, each parked at the entry of its name."""
    notice = replace(alert.notice, check_in=check_in or alert.notice.check_in, happened=happened)
    cause = Cause(notice, hit=len(members), members=tuple(Member(each, f"Booking {each}") for each in members))
    after = raised(alert, cause, group=alert.group, level=alert.severity)
    assert after is not None
    return after


def test_who_joins_a_cause_is_told_after_a_pause_that_grows() -> None:
    """One an hour for two days: a few messages, each with the names of those since the last; a reminder tells, too."""
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
            after = escalated(alert, POLICY, now)
            if after.news == "changed":
                told.append(((now - NOW) / HOUR, after.joined))
            alert = after
    assert [round(at, 2) for at, _ in told[:4]] == [0.25, 1.25, 5.25, 21.25]
    assert len(told) == 6
    assert told[0][1] == ("Booking 1-1",)
    assert len(told[2][1]) == 4
    assert (told[3][1][0], len(told[3][1])) == ("Booking 22-1", 10)


def test_nobody_is_new_who_was_there_or_sent_again() -> None:
    """Nor somebody of a record that an older version wrote: who was there then isn't known."""
    alert = joined(opened(), "5-1", "3-1")
    assert joined(alert, "3-1", "5-1").newcomers == 0
    assert joined(alert, "3-1").newcomers == 0
    assert joined(joined(alert, "3-1"), "3-1", "5-1").newcomers == 0
    after = joined(alert, "3-1", "5-1", "5-2")
    assert (after.newcomers, after.joined) == (1, ("Booking 5-2",))


def test_any_word_tells_who_joined() -> None:
    """Once; who handles the cause hears of them, and still handles it."""
    alert = joined(joined(opened(), "1-1"), "1-1", "2-1")
    rose = escalated(joined(alert, "1-1", "2-1", "3-1", check_in=NOW + HOUR), POLICY, NOW)
    assert (rose.news, rose.newcomers, rose.joined) == ("rose", 0, ("Booking 3-1", "Booking 2-1"))
    reminder = escalated(rose, POLICY, NOW + HOUR)
    assert (reminder.news, reminder.joined) == ("reminder", ())
    changed = joined(alert, "1-1", "2-1", happened="Something else.")
    assert (changed.news, changed.newcomers, changed.joined) == ("changed", 0, ("Booking 2-1",))
    taken = escalated(handled(alert, "ann"), POLICY, NOW + HOUR)
    assert (taken.news, taken.handled_by, taken.joins) == ("changed", "ann", 1)
