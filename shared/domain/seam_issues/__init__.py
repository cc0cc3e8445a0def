"""What each error and warning of Seam means: one row each, for access codes, doors and connected accounts.

A row says what the issue is in plain words, whether it blocks (the code may not open the door when it should), whether
people are told, and whether Seam goes on trying by itself. Nothing else decides it. The rows are in one module for each
subject: `codes`, `doors`, `accounts`. The pending mutations of an access code are listed at the end of this module.

Codes are those of Seam's Python SDK 3.18 (`resources/access_code.py`, `device.py`, `connected_account.py`), whose
docstrings say what Seam retries, and older names that Seam may still send. Seam adds and renames codes often: one that
is not listed is told, and blocks if it is an error. `tests/domain/test_seam_issues.py` compares the rows with the SDK.
"""

import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from shared.domain.seam_issues import accounts, codes, doors
from shared.domain.seam_issues.row import CODE_PROBLEM, IssueMeaning, harmless

__all__ = [
    "CATALOGUE",
    "CODE_PROBLEM",
    "DELETING",
    "PENDING",
    "IssueKind",
    "IssueMeaning",
    "ModifiedField",
    "SeamIssue",
    "fields_in_words",
    "is_awaited",
    "issue_in_words",
    "meaning_of",
    "meaning_of_issue",
]


class IssueKind(StrEnum):
    """Where Seam reports an issue. The same code may mean different things in two places."""

    CODE_ERROR = "access code error"
    CODE_WARNING = "access code warning"
    DOOR_ERROR = "door error"
    """An error of the device or its account. Seam repeats it in the `errors` of the device and of its access codes."""
    DOOR_WARNING = "door warning"
    ACCOUNT_WARNING = "account warning"
    """A warning of the connected account. Only the account itself lists it."""


@dataclass(frozen=True, slots=True)
class ModifiedField:
    """One field of an access code that somebody changed outside Seam: its name, and no value of it.

    `moment` is the time that stands there now, in UTC, where the field holds one.
    """

    name: str
    moment: datetime | None = None


@dataclass(frozen=True, slots=True)
class SeamIssue:
    """One error or warning as Seam reports it.

    `change_type`, `modified_fields` and `created_at` are Seam's fields of those names; empty or None where it has none.
    """

    code: str
    message: str = ""
    change_type: str = ""
    modified_fields: tuple[ModifiedField, ...] = ()
    created_at: datetime | None = None


CATALOGUE: Final[Mapping[IssueKind, Mapping[str, IssueMeaning]]] = {
    # Seam repeats the errors of the device and the account in those of the access code.
    IssueKind.CODE_ERROR: {**doors.ERRORS, **codes.ERRORS},
    IssueKind.CODE_WARNING: codes.WARNINGS,
    IssueKind.DOOR_ERROR: doors.ERRORS,
    IssueKind.DOOR_WARNING: doors.WARNINGS,
    IssueKind.ACCOUNT_WARNING: accounts.WARNINGS,
}

_UNKNOWN_ERROR: Final = IssueMeaning("")
_UNKNOWN_WARNING: Final = harmless("", is_told=True)


def meaning_of_issue(kind: IssueKind, code: str, *, change_type: str = "") -> IssueMeaning:
    """Return the row of an error or a warning; `change_type` is Seam's field of that name, where the issue has one.

    A code that is not listed has no `words`. It is told, and it blocks if it is an error.
    """
    rows = CATALOGUE[kind]
    known = rows.get(f"{code}/{change_type}") or rows.get(code)
    if known is not None:
        return known
    return _UNKNOWN_ERROR if kind in (IssueKind.CODE_ERROR, IssueKind.DOOR_ERROR) else _UNKNOWN_WARNING


def meaning_of(kind: IssueKind, issue: SeamIssue) -> IssueMeaning:
    """Return the row of an error or a warning of an access code."""
    return meaning_of_issue(kind, issue.code, change_type=issue.change_type)


def issue_in_words(
    kind: IssueKind,
    code: str,
    message: str,
    *,
    change_type: str = "",
    modified_fields: Collection[ModifiedField] = (),
) -> str:
    """Return what an issue means for people, with Seam's own words behind it: Seam may know more."""
    own = f"{code}: {message}".strip(": ")
    words = meaning_of_issue(kind, code, change_type=change_type).words
    changed = f"; changed: {fields_in_words(modified_fields)}" if modified_fields else ""
    return f"{words[0].upper()}{words[1:]}{changed} (Seam says: {own})" if words else f"Seam says: {own}{changed}"


# Seam SDK 3.18, `ModifiedFields.field`: "e.g. `code`, `starts_at`, `ends_at`".
_FIELDS: Final = {"code": "its PIN", "starts_at": "its start", "ends_at": "its end", "name": "its name"}
# A field that is not listed is named if it looks like one of Seam's names: no digits, since they may be a PIN's.
_FIELD_NAME: Final = re.compile(r"[a-z]+(?:_[a-z]+)*", re.ASCII)


def fields_in_words(fields: Collection[ModifiedField]) -> str:
    """Return changed fields of an access code for people, each once."""
    return ", ".join(dict.fromkeys(map(_field_in_words, fields)))


def _field_in_words(changed: ModifiedField) -> str:
    is_name = _FIELD_NAME.fullmatch(changed.name) is not None
    words = _FIELDS.get(changed.name, changed.name if is_name else "another field")
    return words if changed.moment is None else f"{words} (now {changed.moment:%Y-%m-%d %H:%M} UTC)"


# What Seam is still doing to an access code, as it says in `pending_mutations`.
PENDING: Final[Mapping[str, str]] = {
    "creating": "it is being made",
    "deferring_creation": "Seam makes it later",
    "updating_time_frame": "its times are being changed",
    "updating_code": "its PIN is being changed",
    "updating_name": "its name is being changed",
    "deleting": "it is being deleted",
}
DELETING: Final = "deleting"
# The one mutation that leaves PIN and times as they are. An unknown mutation may change them.
_OF_THE_NAME_ALONE: Final = "updating_name"


def is_awaited(mutation_code: str) -> bool:
    """Say whether a code with this pending mutation is not yet as it was asked for."""
    return mutation_code not in (DELETING, _OF_THE_NAME_ALONE)
