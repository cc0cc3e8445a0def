"""What people are told of a problem of a door or an account: which issues, which bookings, how urgent."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.alerting.alert import Alert, News
from shared.domain.alerting.causes import MOST_SUBJECTS, Cause, raise_cause, resolve_cause
from shared.domain.alerting.door_problems import (
    KnownIssues,
    account_problem_cause,
    door_problem_cause,
    issue_behind_unknown_status,
    issues_for_door_alert,
    key_of_inhibiting_alert,
)
from shared.domain.alerting.severity import Severity
from shared.domain.booking.record import State
from shared.domain.door.issues import Issue, issues_of_account, issues_of_device
from tests.shared.stories import CHECK_IN, CHECK_OUT, DOOR, NOW, SECOND, booking, issued, with_door

ACCOUNT = "acc-1"
MISMATCH = {"warning_code": "time_zone_mismatch", "message": "The zones differ."}
THIRD_PARTY = {"warning_code": "third_party_integration_detected", "message": "Another one."}
DISCONNECTED = {"error_code": "account_disconnected", "message": "Log in.", "is_connected_account_error": True}


def issues(*errors: dict[str, Any], warnings: tuple[dict[str, Any], ...] = ()) -> tuple[Issue, ...]:
    """Return a device's issues."""
    return issues_of_device({"errors": list(errors), "warnings": list(warnings)})


WARNED = issues(warnings=(MISMATCH,))


def test_the_alert_of_a_door() -> None:
    """The catalogue's text, Seam's message, the next step, the actor, and the affected bookings."""
    cause = door_problem_cause(DOOR, "Room 101", WARNED, [issued()], NOW)
    assert cause is not None
    notice = cause.notice
    assert (notice.problem, notice.key, notice.device_id) == ("door_trouble", f"door/{DOOR}/trouble", DOOR)
    assert notice.subject == f"Door Room 101 ({DOOR})"
    assert "codes may work at the wrong hour (Seam says: time_zone_mismatch: The zones differ.)." in notice.happened
    assert (notice.actor, notice.look_closer) == ("installer", "oracode arrivals")
    assert "lock's clock" in notice.next_step
    assert (notice.check_in, notice.check_out) == (CHECK_IN, CHECK_OUT)
    assert (cause.hit, cause.subjects) == (1, (f"Booking BK-1 on {DOOR}, check-in {CHECK_IN:%a %Y-%m-%d %H:%M} UTC",))


def test_nobody_is_told_of_a_door_without_stays_or_without_issues() -> None:
    """`oracode doctor` shows its issues nevertheless."""
    assert door_problem_cause(DOOR, "", WARNED, [replace(issued(), cancelled=True)], NOW) is None
    assert door_problem_cause(DOOR, "", (), [issued()], NOW) is None
    assert door_problem_cause(DOOR, "", WARNED, [with_door(issued(), check_out=NOW)], NOW) is None
    assert door_problem_cause(DOOR, "", WARNED, [issued("another")], NOW) is None


def test_an_issue_that_blocks_no_code_does_not_page() -> None:
    """However near check-in is; the bookings are named."""
    near = with_door(issued(), check_in=NOW + timedelta(minutes=5))
    cause = door_problem_cause(DOOR, "", issues(warnings=(THIRD_PARTY,)), [near], NOW)
    assert cause is not None
    assert (cause.notice.check_in, cause.hit) == (None, 1)
    both = door_problem_cause(DOOR, "", issues(warnings=(THIRD_PARTY, MISMATCH)), [near], NOW)
    assert both is not None
    assert both.notice.check_in == NOW + timedelta(minutes=5)
    assert (both.notice.actor, "third_party" in both.notice.happened) == ("installer", True)


def test_affected_bookings_are_named_nearest_first_and_counted() -> None:
    """Guests who are inside come last. A booking on several doors counts once, and so do the parts of a stay."""
    inside = replace(with_door(issued(), check_in=NOW - timedelta(days=1)), booking_id="BK-inside")
    late = replace(with_door(booking(), check_in=NOW - timedelta(hours=1), state=State.WAITING), booking_id="BK-late")
    coming = [
        replace(with_door(issued(), check_in=NOW + timedelta(hours=number)), booking_id=f"BK-{number}")
        for number in range(1, 20)
    ]
    both = replace(issued(DOOR, SECOND), booking_id="BK-both")
    cause = account_problem_cause(ACCOUNT, issues(DISCONNECTED), {DOOR, SECOND}, [inside, both, *coming, late], NOW)
    assert cause is not None
    assert cause.hit == 22
    names = [subject.split()[1] for subject in cause.subjects]
    assert (names[0], names[1], names[-1]) == ("BK-late", "BK-1", "BK-inside")
    assert cause.subjects[-1].endswith("guest inside")


def test_an_account_is_told_for_all_its_doors() -> None:
    """With its own key, and nothing about a single door."""
    unapproved = issues_of_account({"warnings": [{"warning_code": "dormakaba_sites_unapproved", "message": "Wait."}]})
    cause = account_problem_cause(ACCOUNT, unapproved, {DOOR}, [issued()], NOW)
    assert cause is not None
    notice = cause.notice
    assert (notice.key, notice.problem, notice.device_id) == ("account/acc-1/trouble", "account_trouble", "")
    assert (notice.actor, "support@getseam.com" in notice.next_step) == ("seam", True)


def test_an_unknown_issue_is_told() -> None:
    """With Seam's text, and the next step of the problem's own row."""
    cause = door_problem_cause(DOOR, "", issues({"error_code": "new", "message": "Hm."}), [issued()], NOW)
    assert cause is not None
    assert "Seam says: new: Hm." in cause.notice.happened
    assert (cause.notice.actor, "Seam's console" in cause.notice.next_step) == ("ops", True)


TOLD_AT_DOOR: list[Any] = [
    pytest.param(issues(DISCONNECTED), ACCOUNT, [], id="the account's is told there"),
    pytest.param(issues(DISCONNECTED), "", ["account_disconnected"], id="unless nobody knows the account"),
    pytest.param(issues({"error_code": "device_removed"}, warnings=(MISMATCH,)), ACCOUNT, [], id="a door that is gone"),
    pytest.param(issues(warnings=({"warning_code": "power_saving_mode"},)), ACCOUNT, [], id="nothing to tell"),
    pytest.param(WARNED, ACCOUNT, ["time_zone_mismatch"], id="its own"),
]


@pytest.mark.parametrize(("found", "account_id", "expected"), TOLD_AT_DOOR)
def test_what_is_told_at_the_door(found: tuple[Issue, ...], account_id: str, expected: list[str]) -> None:
    """Each issue is told in one place only."""
    assert [issue.code for issue in issues_for_door_alert(found, account_id)] == expected


TELLING: list[Any] = [
    pytest.param(KnownIssues(), "account_disconnected", "", id="nothing is known"),
    pytest.param(
        KnownIssues(of_door=issues(DISCONNECTED), account_id=ACCOUNT),
        "account_disconnected",
        "account/acc-1/trouble",
        id="the account's",
    ),
    pytest.param(
        KnownIssues(of_door=issues(DISCONNECTED)), "account_disconnected", f"door/{DOOR}/trouble", id="of no account"
    ),
    pytest.param(
        KnownIssues(of_door=issues({"error_code": "hub_disconnected"}), account_id=ACCOUNT),
        "hub_disconnected",
        f"door/{DOOR}/trouble",
        id="the door's",
    ),
    pytest.param(
        KnownIssues(of_door=issues({"error_code": "device_removed"})), "device_removed", f"door/{DOOR}/gone", id="gone"
    ),
    pytest.param(
        KnownIssues(of_door=issues({"error_code": "hub_disconnected"})), "account_disconnected", "", id="another one"
    ),
    pytest.param(
        KnownIssues(of_door=issues({"error_code": "auxiliary_heat_running"})),
        "auxiliary_heat_running",
        "",
        id="harmless",
    ),
    pytest.param(
        KnownIssues(of_door=issues(warnings=({"warning_code": "third_party_integration_detected"},))),
        "third_party_integration_detected",
        f"door/{DOOR}/trouble",
        id="a warning that means the same on a code",
    ),
    pytest.param(
        KnownIssues(of_door=issues(warnings=({"warning_code": "provider_issue"},))),
        "provider_issue",
        "",
        id="a warning that means less than the code's error",
    ),
]


def test_the_cause_of_an_unknown_status() -> None:
    """The account's issue goes before the door's; an issue that blocks no code explains nothing."""
    hub, harmless = {"error_code": "hub_disconnected"}, {"error_code": "auxiliary_heat_running"}
    assert issue_behind_unknown_status(None) is None
    assert issue_behind_unknown_status(KnownIssues(of_door=issues(harmless))) is None
    of_door = issue_behind_unknown_status(KnownIssues(of_door=issues(harmless, hub)))
    both = issue_behind_unknown_status(KnownIssues(of_door=issues(hub, DISCONNECTED), account_id=ACCOUNT))
    assert of_door is not None
    assert both is not None
    assert (of_door.code, both.code) == ("hub_disconnected", "account_disconnected")


@pytest.mark.parametrize(("known", "code", "expected"), TELLING)
def test_which_alert_tells_an_error(known: KnownIssues, code: str, expected: str) -> None:
    """That alert inhibits the alerts of bookings that only repeat the error."""
    assert key_of_inhibiting_alert(known, DOOR, code) == expected


def cause_for(*bookings: str, hours: float = 30, warnings: tuple[dict[str, Any], ...] = (MISMATCH,)) -> Cause:
    """Return the alert of a door's problem that affects these bookings."""
    hit = [
        replace(with_door(issued(), check_in=NOW + timedelta(hours=hours + number)), booking_id=name)
        for number, name in enumerate(bookings)
    ]
    cause = door_problem_cause(DOOR, "", issues(warnings=warnings), hit, NOW)
    assert cause is not None
    return cause


def opened(cause: Cause) -> Alert:
    """Return the alert of a cause that was just raised."""
    alert = raise_cause(None, cause, group="g", level=Severity.WARNING)
    assert alert is not None
    return alert


def test_reading_a_door_again_changes_nothing() -> None:
    """However often it is read."""
    alert = opened(cause_for("BK-1"))
    assert (alert.news, alert.hit, alert.group, alert.severity) == (News.OPENED, 1, "g", Severity.WARNING)
    assert raise_cause(alert, cause_for("BK-1"), group="g", level=Severity.PAGE) is alert


def test_other_bookings_are_shown_but_no_news() -> None:
    """A nearer check-in changes the time at which the severity rises; ten bookings are named."""
    alert = opened(cause_for("BK-1"))
    grown = raise_cause(
        alert, cause_for(*(f"BK-{number}" for number in range(15)), hours=1), group="g", level=Severity.PAGE
    )
    assert grown is not None
    assert (grown.sequence, grown.look, grown.hit) == (alert.sequence, alert.look + 1, 15)
    assert len(grown.subjects) == MOST_SUBJECTS
    assert grown.notice.check_in == NOW + timedelta(hours=1)


def test_another_issue_is_news() -> None:
    """So is an issue that is gone while another one stays."""
    alert = opened(cause_for("BK-1"))
    worse = raise_cause(alert, cause_for("BK-1", warnings=(MISMATCH, THIRD_PARTY)), group="g", level=Severity.WARNING)
    assert worse is not None
    assert (worse.news, worse.sequence, worse.hit) == (News.CHANGED, 2, 1)


def test_it_is_resolved_once_and_opens_again() -> None:
    """It is the same alert, in the same conversation."""
    over = resolve_cause(opened(cause_for("BK-1")), NOW)
    assert over is not None
    assert (over.is_open, over.news, over.sequence) == (False, News.RESOLVED, 2)
    assert resolve_cause(over, NOW) is over
    assert resolve_cause(None, NOW) is None
    again = raise_cause(over, cause_for("BK-2"), group="g", level=Severity.INFO)
    assert again is not None
    assert (again.is_open, again.sequence, again.hit) == (True, 3, 1)
