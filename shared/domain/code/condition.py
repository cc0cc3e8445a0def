"""What Seam's report of an access code means for the guest: confirmed, pending, or faulty.

Seam deprecates `status`: pending mutations, errors, warnings and times replace it. So `status` counts only while Seam
sends it. A code without it is confirmed when nothing is pending and nothing blocks it. A code without a PIN is never
confirmed: there is nothing to give to the guest. `shared.domain.seam_issues` says what each error and warning means. If
there are several findings, the worst decides, and all are named.
"""

from collections.abc import Collection, Iterator
from dataclasses import dataclass
from typing import Final

from shared.domain.seam_issues import (
    CATALOGUE,
    CODE_PROBLEM,
    DELETING,
    PENDING,
    IssueKind,
    SeamIssue,
    is_awaited,
    issue_in_words,
    meaning_of,
)

_BEING_DELETED: Final = "being_deleted"
# Seam SDK 3.18, `AccessCode.status`. If a code is late, any other status is told as the cause.
_USUAL_STATUS: Final = ("", "set", "setting", "unset", "unknown", "removing")
_MOST_TOLD: Final = 5
# An operator who reads the alert asks this first.
_MAY_NOT_OPEN: Final = "The code may not open the door when it should."
_WITHOUT_PIN: Final = {
    False: "Seam shows no PIN for it.",
    True: "Seam is waiting for its PIN to be assigned (is_waiting_for_code_assignment).",
}
_OPENS: Final = "The code opens the door all the same."


@dataclass(frozen=True, slots=True)
class Finding:
    """One thing that people are told of a code: a reason and a whole sentence.

    `blocks`: the code may not open the door. `is_retried`: Seam is still trying.
    """

    reason: str
    text: str
    blocks: bool = False
    is_retried: bool = False


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The code opens the door in its window; `reason` and `detail` say what people should know nevertheless."""

    reason: str = ""
    detail: str = ""


@dataclass(frozen=True, slots=True)
class Pending:
    """Seam is still setting the code, and nothing is wrong so far; `cause` is told if it takes too long."""

    reason: str = ""
    detail: str = ""
    cause: str = ""


@dataclass(frozen=True, slots=True)
class Faulty:
    """The code may not open the door. `is_final` unless Seam is still trying.

    `detail` names everything that is wrong, the worst first, in Seam's words (PINs masked).
    """

    reason: str
    detail: str
    is_final: bool


Condition = Confirmed | Pending | Faulty


def condition_of(
    *,
    status: str,
    has_pin: bool,
    pending: Collection[str],
    errors: Collection[SeamIssue],
    warnings: Collection[SeamIssue],
    differences: Collection[Finding] = (),
    is_waiting_for_pin: bool = False,
    known_cause: str = "",
) -> Condition:
    """Judge a code by Seam's report of it, and by its `differences` from what was asked for.

    `is_waiting_for_pin` is Seam's `is_waiting_for_code_assignment`. `known_cause` is an issue of the door or account
    that may explain why Seam doesn't know the code's status.
    """
    issues = [
        *((IssueKind.CODE_ERROR, each) for each in errors),
        *((IssueKind.CODE_WARNING, each) for each in warnings),
    ]
    told = [
        *_told(issues),
        *_of_deletion(status, pending, warnings),
        *_of_unknown_state(status, errors, known_cause),
        *differences,
    ]
    # A stable sort: equally bad findings stay in this order, Seam's issues first.
    told.sort(key=lambda it: (not it.blocks, it.is_retried, it.reason == CODE_PROBLEM))
    detail = _sentences([it.text for it in told])
    reason = told[0].reason if told else ""
    is_general = reason == CODE_PROBLEM
    if told and told[0].blocks:
        detail = f"{detail} {_MAY_NOT_OPEN}" if is_general else detail
        return Faulty(reason, detail, is_final=not told[0].is_retried)
    is_there = status in ("set", "") and has_pin and not is_waiting_for_pin
    is_held_up = any(map(is_awaited, pending)) or any(meaning_of(*each).blocks for each in issues)
    if is_there and not is_held_up:
        return Confirmed(reason, f"{detail} {_OPENS}" if is_general else detail)
    without_pin = "" if has_pin and not is_waiting_for_pin else _WITHOUT_PIN[is_waiting_for_pin]
    return Pending(reason, detail, f"{without_pin} {_cause(status, pending, warnings)}".strip())


def _told(issues: Collection[tuple[IssueKind, SeamIssue]]) -> Iterator[Finding]:
    for kind, issue in issues:
        meaning = meaning_of(kind, issue)
        if meaning.is_told:
            yield Finding(meaning.reason, _sentence(kind, issue), blocks=meaning.blocks, is_retried=meaning.is_retried)


def _of_deletion(status: str, pending: Collection[str], warnings: Collection[SeamIssue]) -> Iterator[Finding]:
    """Yield a finding if Seam is deleting the code, unless a warning says so already."""
    is_said = any(each.code == _BEING_DELETED for each in warnings)
    if (DELETING in pending or status == "removing") and not is_said:
        yield Finding(CODE_PROBLEM, "Seam is deleting the code.", blocks=True, is_retried=True)


def _of_unknown_state(status: str, errors: Collection[SeamIssue], known_cause: str) -> Iterator[Finding]:
    """Yield a finding if Seam doesn't know the code's status; with the cause, unless an error of the code names it.

    Seam docs, "Lifecycle of Access Codes": the status is `unknown` while the account is disconnected.
    """
    if status != "unknown":
        return
    text = "Seam does not know the state of the code"
    if any(each.code in CATALOGUE[IssueKind.DOOR_ERROR] for each in errors):
        text = f"{text}."
    elif known_cause:
        text = f"{text}. {known_cause.rstrip('.')}."
    else:
        text = f"{text}: as a rule its connection to the dormakaba account is lost; see Seam's console."
    yield Finding(CODE_PROBLEM, text, blocks=True, is_retried=True)


def _cause(status: str, pending: Collection[str], warnings: Collection[SeamIssue]) -> str:
    """Return why a code isn't set, from what Seam says and no finding tells; empty if Seam says nothing."""
    untold = [
        _sentence(IssueKind.CODE_WARNING, each)
        for each in warnings
        if not meaning_of(IssueKind.CODE_WARNING, each).is_told
    ]
    causes = [*untold, *(f"Pending at Seam: {PENDING.get(each, each)}." for each in pending)]
    if status not in _USUAL_STATUS:
        causes.append(f"Its status at Seam is {status}.")
    return _sentences(causes)


def _sentence(kind: IssueKind, issue: SeamIssue) -> str:
    words = issue_in_words(
        kind, issue.code, issue.message, change_type=issue.change_type, modified_fields=issue.modified_fields
    )
    return f"{words.rstrip('.')}."


def _sentences(texts: list[str]) -> str:
    more = len(texts) - _MOST_TOLD
    return " ".join([*texts[:_MOST_TOLD], *([f"And {more} more."] if more > 0 else [])])
