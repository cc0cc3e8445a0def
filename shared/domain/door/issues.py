"""The errors and warnings that Seam reports on a door (a device) and on its connected account. Pure.

Read defensively: what is malformed is left out, what is too long is cut, unknown codes are kept. What an issue means
is said by `shared.domain.seam_issues`.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from shared.domain.masking import mask_digits
from shared.domain.quoting import shown
from shared.domain.seam_issues import (
    DELETING,
    IssueKind,
    IssueMeaning,
    SeamIssue,
    issue_in_words,
    meaning_of,
    meaning_of_issue,
)

MOST_ISSUES: Final = 20
"""So many errors, and so many warnings, are read of one object."""
LONGEST_CODE: Final = 80
LONGEST_MESSAGE: Final = 300
_LONGEST_ID: Final = 200
_UNKNOWN: Final = "unknown"
REPEATED_WARNINGS: Final = frozenset({"third_party_integration_detected"})
"""Warnings that mean the same on a door and on its codes (Seam SDK 3.18). They keep no code from opening it."""
# Seam reports these on the device. The door is gone then, as it is when Seam answers 404.
REMOVED: Final = "device_removed"


@dataclass(frozen=True, slots=True, kw_only=True)
class Issue:
    """One error or warning. `message` is Seam's own, digits masked.

    `is_of_account`: it is the connected account's, and so the same for all doors of the account.
    """

    kind: IssueKind
    code: str
    message: str = ""
    is_of_account: bool = False

    @property
    def meaning(self) -> IssueMeaning:
        """What the issue means."""
        return meaning_of_issue(self.kind, self.code)

    @property
    def text(self) -> str:
        """What the issue means for people, with Seam's own words behind it."""
        return issue_in_words(self.kind, self.code, self.message).rstrip(".")

    @property
    def shown_kind(self) -> str:
        """Where Seam reports it: `door error`, `door warning`, `account error`, `account warning`."""
        return "account error" if self.is_of_account and self.kind is IssueKind.DOOR_ERROR else self.kind.value

    def as_json(self) -> dict[str, object]:
        """Return the issue as `--json` shows it."""
        words = self.meaning.words or self.message or self.code
        return {
            "kind": self.shown_kind,
            "code": self.code,
            "message": self.message,
            "words": words,
            "blocks": self.meaning.blocks,
        }


def issues_of_device(device: Mapping[str, Any]) -> tuple[Issue, ...]:
    """Return the issues of a device object; its `errors` repeat those of its account (Seam API reference, "Device")."""
    errors = _read(device.get("errors"), "error_code", IssueKind.DOOR_ERROR)
    return merge_issues(errors, _read(device.get("warnings"), "warning_code", IssueKind.DOOR_WARNING))


def issues_of_account(account: Mapping[str, Any]) -> tuple[Issue, ...]:
    """Return the issues of a connected account object."""
    errors = _read(account.get("errors"), "error_code", IssueKind.DOOR_ERROR, is_of_account=True)
    warnings = _read(account.get("warnings"), "warning_code", IssueKind.ACCOUNT_WARNING, is_of_account=True)
    return merge_issues(errors, warnings)


def account_id_of(device: Mapping[str, Any]) -> str:
    """Return the id of the device's connected account; empty where it has none that can be used."""
    account_id = device.get("connected_account_id")
    is_usable = isinstance(account_id, str) and len(account_id) <= _LONGEST_ID and account_id.isprintable()
    return account_id if isinstance(account_id, str) and is_usable else ""


def merge_issues(*several: Iterable[Issue]) -> tuple[Issue, ...]:
    """Return these issues in a fixed order, each kind and code once (the first one). Those that block come first."""
    found: dict[tuple[str, str], Issue] = {}
    for issues in several:
        for issue in issues:
            found.setdefault((issue.shown_kind, issue.code), issue)
    return tuple(sorted(found.values(), key=lambda issue: (not issue.meaning.blocks, issue.shown_kind, issue.code)))


def as_seam_writes(issues: Iterable[Issue]) -> dict[str, list[dict[str, Any]]]:
    """Return issues as `errors` and `warnings` of an object of Seam's: `issues_of_…` reads them back alike."""
    errors, warnings = [], []
    for issue in issues:
        if issue.kind is IssueKind.DOOR_ERROR:
            error: dict[str, Any] = {"error_code": issue.code, "message": issue.message}
            errors.append(error | ({"is_connected_account_error": True} if issue.is_of_account else {}))
        else:
            warnings.append({"warning_code": issue.code, "message": issue.message})
    return {"errors": errors, "warnings": warnings}


def inherited_code(
    errors: Collection[SeamIssue], warnings: Collection[SeamIssue], pending: Collection[str], *, cause: str = ""
) -> str:
    """Return Seam's code of the door's or account's issue, if an access code's problem is only that issue; else "".

    As a rule it is an error of the door that Seam repeats in the code's `errors`. If the code repeats none, it is
    `cause`: the issue that explains why Seam doesn't know the code's state.

    The result is "" if the access code also has a problem of its own: an error or warning that blocks, a pending
    deletion, or (if nothing blocks) anything else that people are told. Then its alert must not be inhibited.
    """
    blocking = [issue.code for issue in errors if meaning_of(IssueKind.CODE_ERROR, issue).blocks]
    if DELETING in pending or any(meaning_of(IssueKind.CODE_WARNING, issue).blocks for issue in warnings):
        return ""
    if blocking or cause:
        return next(iter(blocking), cause) if all(map(is_inherited, blocking)) else ""
    told = [issue.code for issue in errors if meaning_of(IssueKind.CODE_ERROR, issue).is_told]
    told += [issue.code for issue in warnings if meaning_of(IssueKind.CODE_WARNING, issue).is_told]
    return told[0] if told and REPEATED_WARNINGS.issuperset(told) else ""


def is_inherited(code: str) -> bool:
    """Say whether an access code's error is one of its door or its account."""
    is_known_of_doors = meaning_of_issue(IssueKind.DOOR_ERROR, code).words
    return bool(is_known_of_doors) and meaning_of_issue(IssueKind.CODE_ERROR, code).words == is_known_of_doors


def _read(listed: Any, name: str, kind: IssueKind, *, is_of_account: bool = False) -> Iterator[Issue]:
    for each in listed[:MOST_ISSUES] if isinstance(listed, list) else ():
        if isinstance(each, Mapping):
            # Seam Bridge serves a whole account (Seam SDK 3.18, `connected_account.py`).
            flags = (each.get("is_connected_account_error"), each.get("is_bridge_error"))
            is_account = is_of_account or (kind is IssueKind.DOOR_ERROR and any(flag is True for flag in flags))
            code = _text(each.get(name), LONGEST_CODE) or _UNKNOWN
            message = _text(each.get("message"), LONGEST_MESSAGE)
            yield Issue(kind=kind, code=code, message=message, is_of_account=is_account)


def _text(value: Any, longest: int) -> str:
    return mask_digits(shown(value[:longest])[:longest]) if isinstance(value, str) else ""
