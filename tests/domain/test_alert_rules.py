"""The life of an alert: counted while open, told again only with news, resolved once; and its severity."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.alerting.alert import Alert, mark_handled, record_notice
from shared.domain.alerting.receipts import record_delivery, record_failed_delivery
from shared.domain.alerting.severity import Severity, severity
from shared.domain.booking.record import AlertNotice
from tests.shared.stories import NOW

NOTICE = AlertNotice(at=NOW, raised=True, key="k", problem="no_slot", happened="Nothing fits.")
LATER = replace(NOTICE, at=NOW + timedelta(hours=1))
NEWS = replace(LATER, happened="Something else.")
GONE = replace(LATER, raised=False)


def story(*notices: AlertNotice) -> Alert:
    """Return the alert after these notices."""
    alert: Alert | None = None
    for notice in notices:
        alert = record_notice(alert, notice)
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
    """The alert after several notices of one problem."""
    alert = story(*notices)
    assert (alert.is_open, alert.count, alert.sequence) == (is_open, count, sequence)


def test_resolving_a_problem_that_was_never_raised_does_nothing() -> None:
    """Nobody is told of the end of a problem that they weren't told of."""
    assert record_notice(None, GONE) is None


def test_a_problem_that_comes_back_keeps_what_channels_were_told() -> None:
    """What each channel was told is kept; the sequences go on."""
    alert = record_delivery(story(NOTICE, GONE), "slack", 2)
    again = record_notice(alert, LATER)
    assert again is not None
    assert (again.receipt_of("slack").sequence, again.sequence, again.opened_at) == (2, 3, LATER.at)


def test_a_resolved_alert_still_says_what_it_was() -> None:
    """People read "resolved: …" with the text of the problem, not an empty message."""
    assert story(NOTICE, GONE).notice.happened == "Nothing fits."


def test_a_channel_is_behind_while_there_is_news() -> None:
    """Each channel by itself."""
    alert = record_delivery(story(NOTICE), "a", 1)
    assert (alert.is_behind("a"), alert.is_behind("b")) == (False, True)


def test_a_late_confirmation_changes_nothing() -> None:
    """If two workers deliver at once, the higher sequence counts, and later news is still told."""
    alert = record_delivery(record_delivery(story(NOTICE, NEWS), "a", 2), "a", 1)
    assert alert.receipt_of("a").sequence == 2
    assert record_delivery(story(NOTICE, NEWS), "a", 1).is_behind("a")


def test_a_channel_does_not_know_of_an_alert_that_was_given_up() -> None:
    """Its end is not told to that channel; later news is."""
    alert = record_failed_delivery(story(NOTICE), "a", 1, error="HTTP 400")
    assert (alert.is_behind("a"), alert.was_notified("a"), alert.receipt_of("a").error) == (False, False, "HTTP 400")
    assert record_delivery(alert, "a", 2).was_notified("a")
    told = record_delivery(story(NOTICE), "a", 1)
    assert record_failed_delivery(told, "a", 1, error="late").was_notified("a")


def test_news_ends_that_an_alert_is_handled() -> None:
    """A repeat doesn't; an alert that is over can't be handled."""
    alert = mark_handled(story(NOTICE), "ann")
    after = [record_notice(alert, each) for each in (LATER, NEWS)]
    assert [each.handled_by for each in after if each] == ["ann", ""]
    assert mark_handled(story(NOTICE, GONE), "ann").handled_by == ""


def test_a_conversation_lasts_as_long_as_the_problem() -> None:
    """The thread is that of the first message; a problem that comes back starts a new one."""
    alert = record_delivery(record_delivery(story(NOTICE), "a", 1, thread="t1"), "a", 1, thread="t2")
    assert alert.receipt_of("a").thread == "t1"
    again = record_notice(record_notice(alert, GONE), LATER)
    assert again is not None
    assert record_delivery(again, "a", again.sequence, thread="t3").receipt_of("a").thread == "t3"


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
    """It depends on the time until check-in."""
    assert severity(None if left is None else NOW + left, NOW) is hurry


def test_after_check_out_a_problem_is_not_urgent() -> None:
    """Even if it is still open."""
    assert severity(NOW - timedelta(days=2), NOW, check_out=NOW) is Severity.INFO
