"""How alerts behave: counted while open, told again only with news, resolved once; and how much they hurry."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.alerts import Alert, Severity, delivered, due_at, heard, severity, undelivered
from shared.domain.records import AlertNotice
from tests.shared.stories import NOW

NOTICE = AlertNotice(at=NOW, raised=True, key="k", problem="no_slot", happened="Nothing fits.")
LATER = replace(NOTICE, at=NOW + timedelta(hours=1))
NEWS = replace(LATER, happened="Something else.")
GONE = replace(LATER, raised=False)


def story(*notices: AlertNotice) -> Alert:
    """Return the alert after these notices."""
    alert: Alert | None = None
    for notice in notices:
        alert = heard(alert, notice)
    assert alert is not None
    return alert


STORIES = [
    #            notices                        open  count told how often
    pytest.param([NOTICE], True, 1, 1, id="raised"),
    pytest.param([NOTICE, LATER], True, 2, 1, id="the same again is counted"),
    pytest.param([NOTICE, LATER, LATER, LATER], True, 4, 1, id="however often"),
    pytest.param([NOTICE, NEWS], True, 2, 2, id="news is told"),
    pytest.param([NOTICE, GONE], False, 1, 2, id="resolved"),
    pytest.param([NOTICE, GONE, GONE], False, 1, 2, id="resolved once"),
    pytest.param([NOTICE, GONE, LATER], True, 1, 3, id="raised anew"),
    pytest.param([NOTICE, GONE, LATER, GONE], False, 1, 4, id="and resolved anew"),
]


@pytest.mark.parametrize(("notices", "is_open", "count", "sequence"), STORIES)
def test_stories(notices: list[AlertNotice], *, is_open: bool, count: int, sequence: int) -> None:
    """What is heard of one problem over its life."""
    alert = story(*notices)
    assert (alert.is_open, alert.count, alert.sequence) == (is_open, count, sequence)


def test_resolving_what_was_never_raised_is_nothing() -> None:
    """Nobody is told of the end of a problem that they never heard of."""
    assert heard(None, GONE) is None


def test_a_problem_that_comes_back_is_told_to_those_who_know_the_first() -> None:
    """What each channel was told goes on; the numbers never start over."""
    alert = delivered(story(NOTICE, GONE), "slack", 2)
    again = heard(alert, LATER)
    assert again is not None
    assert (again.told_to("slack").sequence, again.sequence, again.opened_at) == (2, 3, LATER.at)


def test_a_resolved_alert_still_says_what_it_was() -> None:
    """People read "resolved: …", not an empty message."""
    assert story(NOTICE, GONE).notice.happened == "Nothing fits."


def test_a_channel_is_due_while_it_is_behind() -> None:
    """At once, or when its next try is; the earliest of several channels counts."""
    alert = story(NOTICE)
    assert due_at(alert, ("a", "b"), NOW) == NOW
    failed = undelivered(alert, "a", error="HTTP 500", now=NOW, jitter=0.5, retry_after=timedelta(minutes=5))
    assert due_at(failed, ("a",), NOW) == NOW + timedelta(minutes=5)
    assert due_at(failed, ("a", "b"), NOW) == NOW
    assert due_at(delivered(delivered(alert, "a", 1), "b", 1), ("a", "b"), NOW) is None
    assert due_at(alert, (), NOW) is None


def test_a_late_confirmation_takes_nothing_back() -> None:
    """Two workers that deliver at once: the higher number stands, and news stays to be told."""
    alert = delivered(delivered(story(NOTICE, NEWS), "a", 2), "a", 1)
    assert alert.told_to("a").sequence == 2
    behind = delivered(story(NOTICE, NEWS), "a", 1)
    assert due_at(behind, ("a",), NOW) == NOW


def test_a_failed_delivery_backs_off_and_a_good_one_forgets_it() -> None:
    """Tries come further apart; the error is kept for whoever asks."""
    alert, pauses = story(NOTICE), []
    for _ in range(4):
        alert = undelivered(alert, "a", error="HTTP 500", now=NOW, jitter=0.0, retry_after=None)
        next_at = alert.told_to("a").next_at
        assert next_at is not None
        pauses.append(next_at - NOW)
    assert pauses == sorted(pauses)
    assert len(set(pauses)) > 2
    assert (alert.told_to("a").attempts, alert.told_to("a").error) == (4, "HTTP 500")
    done = delivered(alert, "a", 1).told_to("a")
    assert (done.attempts, done.next_at, done.error) == (0, None, "")


HURRY = [
    pytest.param(None, Severity.WARNING, id="no check-in"),
    pytest.param(timedelta(days=3), Severity.INFO, id="days away"),
    pytest.param(timedelta(hours=24, seconds=1), Severity.INFO, id="more than a day"),
    pytest.param(timedelta(hours=24), Severity.WARNING, id="a day"),
    pytest.param(timedelta(hours=2, seconds=1), Severity.WARNING, id="more than two hours"),
    pytest.param(timedelta(hours=2), Severity.PAGE, id="two hours"),
    pytest.param(timedelta(), Severity.PAGE, id="now"),
    pytest.param(timedelta(hours=-5), Severity.PAGE, id="the guest is there"),
]


@pytest.mark.parametrize(("left", "hurry"), HURRY)
def test_severity(left: timedelta | None, hurry: Severity) -> None:
    """It follows from the time that is left until check-in."""
    assert severity(None if left is None else NOW + left, NOW) is hurry
