"""The issues of a door and its account as Seam reports them: read leniently, bounded, without PINs."""

import json
import re
from typing import Any

import pytest
from hypothesis import given

from shared.domain.door.door import door_from_device
from shared.domain.door.issues import (
    LONGEST_CODE,
    LONGEST_MESSAGE,
    MOST_ISSUES,
    Issue,
    account_id_of,
    as_seam_writes,
    inherited_code,
    issues_of_account,
    issues_of_device,
    merge_issues,
)
from shared.domain.quoting import is_showable
from shared.domain.seam_issues import CATALOGUE, IssueKind, SeamIssue
from tests.domain.building import device, vendor_slot
from tests.support.hostile import JSON

DISCONNECTED = {"error_code": "account_disconnected", "message": "Reconnect it.", "is_connected_account_error": True}
MISMATCH = {"warning_code": "time_zone_mismatch", "message": "The zones differ."}


def codes(issues: tuple[Issue, ...]) -> list[str]:
    """Return the codes."""
    return [issue.code for issue in issues]


def test_a_door_has_its_errors_and_warnings() -> None:
    """With the place where each was reported, Seam's message, and whether it is the account's."""
    door = door_from_device(device(vendor_slot("16:00", "10:00"), errors=[DISCONNECTED], warnings=[MISMATCH]))
    assert door.issues == (
        Issue(kind=IssueKind.DOOR_ERROR, code="account_disconnected", message="Reconnect it.", is_of_account=True),
        Issue(kind=IssueKind.DOOR_WARNING, code="time_zone_mismatch", message="The zones differ."),
    )
    assert [issue.shown_kind for issue in door.issues] == ["account error", "door warning"]


def test_an_account_has_its_errors_and_warnings() -> None:
    """Both belong to the account, whether Seam says so or not."""
    account = {
        "errors": [{"error_code": "dormakaba_sites_disconnected", "message": "x"}],
        "warnings": [{"warning_code": "dormakaba_sites_unapproved", "message": "y"}],
    }
    issues = issues_of_account(account)
    assert [(issue.shown_kind, issue.code, issue.meaning.blocks) for issue in issues] == [
        ("account error", "dormakaba_sites_disconnected", True),
        ("account warning", "dormakaba_sites_unapproved", True),
    ]


READ: list[Any] = [
    pytest.param({}, [], id="nothing"),
    pytest.param({"errors": None, "warnings": "none"}, [], id="no lists"),
    pytest.param({"errors": [None, 7, "account_disconnected", []]}, [], id="no objects"),
    pytest.param({"errors": [{"message": "?"}]}, ["unknown"], id="without a code"),
    pytest.param({"errors": [{"error_code": 7}]}, ["unknown"], id="a code that is no text"),
    pytest.param({"errors": [{"error_code": "not_yet_invented"}]}, ["not_yet_invented"], id="a new code"),
    pytest.param({"errors": [DISCONNECTED, DISCONNECTED]}, ["account_disconnected"], id="twice"),
    pytest.param({"errors": [{"error_code": "x\x1b[31m"}]}, ["x\\x1b[31m"], id="control characters"),
    pytest.param({"errors": [{"error_code": "pin 4711 0815"}]}, ["pin #########"], id="digits that may be a PIN"),
    pytest.param(
        {"warnings": [{"warning_code": "power_saving_mode"}, MISMATCH]},
        ["time_zone_mismatch", "power_saving_mode"],
        id="what blocks comes first",
    ),
]


@pytest.mark.parametrize(("found", "expected"), READ)
def test_what_is_read(found: dict[str, Any], expected: list[str]) -> None:
    """Malformed issues are left out; unknown ones are kept."""
    assert codes(issues_of_device(found)) == expected


def test_issues_are_bounded() -> None:
    """In number and in length. Of a message the beginning is kept, without digits."""
    names = [f"c{'x' * number}{'y' * 999}" for number in range(99)]
    errors = [{"error_code": name, "message": "m" * 9_999} for name in names]
    warnings = [{"warning_code": name, "message": "m" * 9_999} for name in names]
    issues = issues_of_device({"errors": errors, "warnings": warnings})
    assert len(issues) == 2 * MOST_ISSUES
    assert {len(issue.code) for issue in issues} == {LONGEST_CODE}
    assert {len(issue.message) for issue in issues} == {LONGEST_MESSAGE}
    (issue,) = issues_of_device({"errors": [{"error_code": "e", "message": "The PIN is 123456."}]})
    assert issue.message == "The PIN is ######."


@given(JSON, JSON)
def test_any_content_can_be_read(errors: Any, warnings: Any) -> None:
    """Nothing raises, no run of digits is kept, and what is stored reads back unchanged."""
    found = {"errors": errors, "warnings": warnings, "connected_account_id": errors}
    issues = issues_of_device(found)
    assert issues_of_device(json.loads(json.dumps(as_seam_writes(issues)))) == issues
    assert not any(re.search(r"\d{4}", issue.code + issue.message) for issue in issues)
    assert all(is_showable(issue.text) for issue in issues)
    assert account_id_of(found) in (errors, "")


def test_merged_issues_are_told_once() -> None:
    """The device repeats the account's issues; a warning with the same code elsewhere is another issue."""
    of_device = issues_of_device({"errors": [DISCONNECTED]})
    of_account = issues_of_account({"errors": [{"error_code": "account_disconnected", "message": "other words"}]})
    assert merge_issues(of_device, of_account) == of_device
    maintenance = [{"warning_code": "scheduled_maintenance_window"}]
    both = merge_issues(issues_of_device({"warnings": maintenance}), issues_of_account({"warnings": maintenance}))
    assert [issue.shown_kind for issue in both] == ["account warning", "door warning"]


INHERITED: list[Any] = [
    pytest.param([], "", id="nothing"),
    pytest.param(["account_disconnected"], "account_disconnected", id="the account's"),
    pytest.param(["device_removed", "account_disconnected"], "device_removed", id="the door's and the account's"),
    pytest.param(["failed_to_set_on_device"], "", id="its own"),
    pytest.param(["account_disconnected", "failed_to_set_on_device"], "", id="its own beside the account's"),
    pytest.param(["account_disconnected", "failed_to_delete"], "account_disconnected", id="its own is harmless"),
    pytest.param(["auxiliary_heat_running"], "", id="the door's is harmless"),
    pytest.param(["not_yet_invented"], "", id="nobody knows"),
    pytest.param(["provider_issue"], "", id="of the code and, as a warning, of doors"),
]


@pytest.mark.parametrize(("errors", "expected"), INHERITED)
def test_what_a_code_only_repeats(errors: list[str], expected: str) -> None:
    """A code's problem is inherited if every error that blocks it is one of its door or account."""
    assert inherited_code([SeamIssue(code) for code in errors], (), ()) == expected
    # A warning or a deletion of the code itself has to be told by itself.
    assert inherited_code([SeamIssue(code) for code in errors], [SeamIssue("being_deleted")], ()) == ""
    assert inherited_code([SeamIssue(code) for code in errors], (), ("deleting",)) == ""
    assert (
        inherited_code([SeamIssue(code) for code in errors], [SeamIssue("delay_in_removing_from_device")], ())
        == expected
    )


THIRD_PARTY = SeamIssue("third_party_integration_detected")


@pytest.mark.parametrize(
    ("errors", "warnings", "cause", "expected"),
    [
        pytest.param([], [THIRD_PARTY], "", THIRD_PARTY.code, id="a warning that the door has too"),
        pytest.param([], [THIRD_PARTY, SeamIssue("management_transferred")], "", "", id="beside one of its own"),
        pytest.param([], [SeamIssue("delay_in_removing_from_device")], "", "", id="one that is not told"),
        pytest.param(
            [SeamIssue("device_removed")], [THIRD_PARTY], "", "device_removed", id="beside an error of the door"
        ),
        pytest.param([], [], "account_disconnected", "account_disconnected", id="the cause of an unknown state"),
        pytest.param([SeamIssue("access_code_inactive")], [], "account_disconnected", "", id="and trouble of its own"),
        pytest.param(
            [SeamIssue("device_removed")], [], "account_disconnected", "device_removed", id="an error says it already"
        ),
    ],
)
def test_what_else_a_code_only_repeats(
    errors: list[SeamIssue], warnings: list[SeamIssue], cause: str, expected: str
) -> None:
    """A warning that means the same at the door, and the known cause why Seam doesn't know the code's status."""
    assert inherited_code(errors, warnings, (), cause=cause) == expected


@pytest.mark.parametrize("kind", [IssueKind.DOOR_ERROR, IssueKind.DOOR_WARNING, IssueKind.ACCOUNT_WARNING])
def test_every_next_step_has_an_actor(kind: IssueKind) -> None:
    """People read both."""
    for code, meaning in CATALOGUE[kind].items():
        assert bool(meaning.next_step) == bool(meaning.actor), code


def test_json_says_what_blocks() -> None:
    """`--json` has five fields; an issue that isn't in the catalogue has Seam's own text."""
    known, unknown = issues_of_device({"errors": [DISCONNECTED, {"error_code": "new", "message": "Hm."}]})
    assert known.as_json() == {
        "kind": "account error",
        "code": "account_disconnected",
        "message": "Reconnect it.",
        "words": CATALOGUE[IssueKind.DOOR_ERROR]["account_disconnected"].words,
        "blocks": True,
    }
    assert unknown.as_json()["words"] == "Hm."
