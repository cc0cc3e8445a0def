"""What Seam's report of a code means for the guest."""

import re
from pathlib import Path
from typing import Any

import pytest

from shared.domain.booking.problem_catalogue import PROBLEMS
from shared.domain.code.condition import Condition, Confirmed, Faulty, Finding, Pending, condition_of
from shared.domain.seam_issues import CATALOGUE, PENDING, IssueKind, SeamIssue, meaning_of_issue

_DOCUMENT = (Path(__file__).parents[2] / "docs" / "lifecycle.md").read_text()
_YES = r"(yes|no) \| "
_ROW = re.compile(
    rf"^\| (error|warning) \| `([\w/]+)`(?: \(older\))? \| {_YES * 3}`(\w+)` \|(?: `(\w+)`)? \|$", re.MULTILINE
)
ROWS = _ROW.findall(_DOCUMENT)
KINDS = {"error": IssueKind.CODE_ERROR, "warning": IssueKind.CODE_WARNING}
MAY_NOT_OPEN = "The code may not open the door when it should."
OPENS = "The code opens the door all the same."
DELETING = "Seam is deleting the code."
NOT_KNOWN = "Seam does not know the state of the code."
NO_PIN = "Seam shows no PIN for it."
WAITING_FOR_PIN = "Seam is waiting for its PIN to be assigned (is_waiting_for_code_assignment)."
OTHER_TIMES = Finding("window_differs", "Asked for this, got that.")


def issue(code: str, message: str = "") -> SeamIssue:
    """Return an issue; the part after a slash is its change type."""
    code, _, change_type = code.partition("/")
    return SeamIssue(code, message, change_type)


def judged(**report: Any) -> Condition:
    """Judge a report; by default Seam calls the code set and reports nothing else."""
    whole: dict[str, Any] = {"status": "set", "has_pin": True, "pending": (), "errors": (), "warnings": ()} | report
    for kind in ("errors", "warnings"):
        whole[kind] = [issue(each) if isinstance(each, str) else each for each in whole[kind]]
    return condition_of(**whole)


def faulty(text: str, *, is_final: bool) -> Faulty:
    """Return the condition with this text."""
    return Faulty("code_problem", f"{text} {MAY_NOT_OPEN}", is_final=is_final)


def state_and_reason(condition: Condition) -> tuple[str, str]:
    """Return state and reason of the booking in this condition, before the code is late."""
    match condition:
        case Confirmed(reason, _):
            return "ready", reason
        case Faulty(reason, _, is_final):
            return "failed" if is_final else "issued", reason
        case Pending(reason, _):
            return "issued", reason


def test_the_document_has_a_row_for_every_error_and_warning() -> None:
    """And for no other."""
    for name, kind in KINDS.items():
        assert sorted(code for each, code, *_ in ROWS if each == name) == sorted(CATALOGUE[kind])


@pytest.mark.parametrize("row", ROWS, ids=[f"{row[0]} {row[1]}" for row in ROWS])
@pytest.mark.parametrize("status", ["set", ""], ids=["set", "no status"])
def test_every_error_and_warning(row: tuple[str, ...], status: str) -> None:
    """It has the effect that the document says, also if Seam leaves out `status`."""
    kind, code, *flags, state, reason = row
    it = issue(code, "Hm")
    meaning = meaning_of_issue(KINDS[kind], it.code, change_type=it.change_type)
    assert [meaning.blocks, meaning.is_told, meaning.is_retried] == [flag == "yes" for flag in flags]
    condition = judged(status=status, **{f"{kind}s": [it]})
    assert state_and_reason(condition) == (state, reason)
    assert (f"(Seam says: {it.code}: Hm)." in condition.detail) == bool(reason)
    assert bool(condition.detail) == bool(reason)
    effect = OPENS if state == "ready" else MAY_NOT_OPEN
    assert (effect in condition.detail) == (reason == "code_problem")
    assert not reason or reason in PROBLEMS


REPORTS: list[Any] = [
    # status and PIN
    pytest.param({}, Confirmed(), id="set"),
    pytest.param({"status": "unset"}, Pending(), id="unset"),
    pytest.param({"status": "setting"}, Pending(), id="setting"),
    pytest.param({"status": "brand_new"}, Pending(cause="Its status at Seam is brand_new."), id="a new status"),
    pytest.param({"status": "", "has_pin": True}, Confirmed(), id="no status, a PIN"),
    pytest.param({"status": "", "has_pin": False}, Pending(cause=NO_PIN), id="no status, no PIN"),
    pytest.param({"status": "set", "has_pin": False}, Pending(cause=NO_PIN), id="set, no PIN"),
    pytest.param(
        {"status": "set", "has_pin": False, "is_waiting_for_pin": True},
        Pending(cause=WAITING_FOR_PIN),
        id="set, and waiting for a PIN",
    ),
    pytest.param(
        {"status": "set", "is_waiting_for_pin": True},
        Pending(cause=WAITING_FOR_PIN),
        id="waiting for a PIN, though one is shown",
    ),
    pytest.param(
        {"status": "set", "has_pin": False, "warnings": ["management_transferred"]},
        Pending(
            "code_problem",
            "Another Seam workspace manages this code now (Seam says: management_transferred).",
            NO_PIN,
        ),
        id="no PIN, and a warning",
    ),
    pytest.param({"status": "removing"}, faulty(DELETING, is_final=False), id="removing"),
    pytest.param(
        {"status": "unknown"},
        faulty(
            "Seam does not know the state of the code: as a rule its connection to the dormakaba account is lost;"
            " see Seam's console.",
            is_final=False,
        ),
        id="unknown",
    ),
    pytest.param(
        {"status": "unknown", "known_cause": "What is known of its door: It is gone."},
        faulty(f"{NOT_KNOWN} What is known of its door: It is gone.", is_final=False),
        id="unknown, and its door's trouble is known",
    ),
    pytest.param(
        {"status": "unknown", "errors": ["dormakaba_sites_disconnected"], "known_cause": "Something else."},
        faulty(
            "Dormakaba has cut the site off from Seam; only dormakaba's support can undo that (Seam says:"
            f" dormakaba_sites_disconnected). {NOT_KNOWN}",
            is_final=False,
        ),
        id="unknown, and its cause is listed",
    ),
    # pending mutations
    pytest.param({"pending": ["updating_name"]}, Confirmed(), id="a name pending"),
    pytest.param({"pending": ["deleting"]}, faulty(DELETING, is_final=False), id="a deletion pending"),
    pytest.param(
        {"pending": ["creating", "of_tomorrow"]},
        Pending(cause="Pending at Seam: it is being made. Pending at Seam: of_tomorrow."),
        id="made, and something new",
    ),
    pytest.param(
        {"pending": ["creating"], "warnings": ["delay_in_issuing", "third_party_integration_detected"]},
        Pending(
            "code_problem",
            "Another system programs this lock too and may change or remove codes (Seam says:"
            " third_party_integration_detected).",
            "Issuing takes longer than usual (Seam says: delay_in_issuing). Pending at Seam: it is being made.",
        ),
        id="late, with all that Seam names",
    ),
    pytest.param(
        {"pending": ["deleting"], "warnings": ["being_deleted"]},
        faulty("The code is being deleted (Seam says: being_deleted).", is_final=False),
        id="a deletion is told once",
    ),
    # several at once
    pytest.param(
        {"errors": ["failed_to_delete", "device_removed"]},
        faulty(
            "The door was removed from the connected account (Seam says: device_removed). The code still opens the door"
            " although its time is over; Seam goes on trying to delete it (Seam says: failed_to_delete).",
            is_final=True,
        ),
        id="what blocks goes before what does not",
    ),
    pytest.param(
        {"errors": ["failed_to_update", "access_code_inactive"]},
        faulty(
            "The code is disabled at the lock (Seam says: access_code_inactive). The lock has not taken the last change"
            " of the code and keeps it as it was; Seam goes on trying (Seam says: failed_to_update).",
            is_final=True,
        ),
        id="what is final goes before what is retried",
    ),
    pytest.param(
        {"errors": ["provider_issue"], "warnings": ["external_modification_in_effect/removed"]},
        Faulty(
            "removed_outside",
            "Somebody removed the code from the lock, and Seam does not set it again (Seam says:"
            " external_modification_in_effect). Dormakaba reported a problem (Seam says: provider_issue).",
            is_final=True,
        ),
        id="a reason of its own goes before the general one",
    ),
    pytest.param(
        {"errors": ["failed_to_update"], "pending": ["updating_time_frame"], "differences": [OTHER_TIMES]},
        faulty(
            "The lock has not taken the last change of the code and keeps it as it was; Seam goes on trying (Seam says:"
            " failed_to_update). Asked for this, got that.",
            is_final=False,
        ),
        id="an extension that the lock has not taken",
    ),
    pytest.param({"differences": [OTHER_TIMES]}, Confirmed("window_differs", OTHER_TIMES.text), id="other times"),
    pytest.param(
        {"status": "setting", "differences": [OTHER_TIMES]},
        Pending("window_differs", OTHER_TIMES.text),
        id="other times, still to come",
    ),
    pytest.param(
        {"warnings": ["management_transferred"], "differences": [OTHER_TIMES]},
        Confirmed(
            "window_differs",
            "Asked for this, got that. Another Seam workspace manages this code now (Seam says:"
            " management_transferred).",
        ),
        id="other times, and a warning",
    ),
    # unknown state
    pytest.param(
        {"errors": [SeamIssue("of_tomorrow", "It broke.")]},
        faulty("Seam says: of_tomorrow: It broke.", is_final=True),
        id="a new error",
    ),
    pytest.param(
        {"warnings": ["of_tomorrow"]}, Confirmed("code_problem", f"Seam says: of_tomorrow. {OPENS}"), id="a new warning"
    ),
    pytest.param(
        {"errors": ["conflicting_external_modification/of_tomorrow"]},
        faulty(
            "Somebody changed the code outside Seam, and Seam sets it again (Seam says:"
            " conflicting_external_modification).",
            is_final=False,
        ),
        id="a new kind of change",
    ),
]


@pytest.mark.parametrize(("report", "condition"), REPORTS)
def test_reports(report: dict[str, Any], condition: Condition) -> None:
    """Pending mutations, errors and warnings decide; `status` counts while it is there."""
    assert judged(**report) == condition


@pytest.mark.parametrize("mutation", PENDING)
@pytest.mark.parametrize("status", ["set", ""], ids=["set", "no status"])
def test_every_pending_mutation(mutation: str, status: str) -> None:
    """Only a pending change of the name leaves the code ready."""
    condition = judged(status=status, pending=[mutation])
    assert (state_and_reason(condition)[0] == "ready") == (mutation == "updating_name")
    assert (state_and_reason(condition)[1] == "code_problem") == (mutation == "deleting")


def test_a_flood_of_issues_is_told_in_a_few_lines() -> None:
    """The worst are named, and the number of the others."""
    condition = judged(errors=[*(f"new_{number}" for number in range(19)), "device_removed"])
    assert condition.detail.count("Seam says") == 5
    assert condition.detail.endswith(f"And 15 more. {MAY_NOT_OPEN}")
