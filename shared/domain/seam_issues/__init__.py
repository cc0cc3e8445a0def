"""What each error and warning of Seam means: one row each, for access codes, doors and connected accounts.

A row says what the issue is in plain words, whether it blocks (the code may not open the door when it should), whether
people are told, and whether Seam goes on trying by itself. Nothing else decides it. The pending mutations of an access
code have their rows at the end.

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

# The reason of a booking whose code has an issue that has no reason of its own.
CODE_PROBLEM: Final = "code_problem"


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


@dataclass(frozen=True, slots=True)
class IssueMeaning:
    """One row of the catalogue.

    `words` say for people what the issue means. `blocks`: the code may not open the door, or not at the booked times.
    `is_told`: people get an alert, under `reason` if the issue is one of an access code. `is_retried`: Seam is still at
    work on it, so it may end without anybody's doing.
    `next_step` and `actor` (`ops`, `installer`, `seam`, `dormakaba`) are for issues of doors and accounts: what is to
    be done, and by whom. Where they are empty, the row of the alert's problem says it.
    """

    words: str
    blocks: bool = True
    is_told: bool = True
    is_retried: bool = False
    reason: str = CODE_PROBLEM
    next_step: str = ""
    actor: str = ""


def _harmless(
    words: str, *, is_told: bool = False, is_retried: bool = False, next_step: str = "", actor: str = ""
) -> IssueMeaning:
    """Return a row for an issue that keeps no code from opening its door."""
    return IssueMeaning(words, blocks=False, is_told=is_told, is_retried=is_retried, next_step=next_step, actor=actor)


def _retried(words: str, *, next_step: str = "", actor: str = "") -> IssueMeaning:
    """Return a row for an issue that blocks for as long as Seam has not succeeded."""
    return IssueMeaning(words, is_retried=True, next_step=next_step, actor=actor)


def _delayed(words: str) -> IssueMeaning:
    """Return a row for a code that is not there yet. The clock decides when that is told (LATE_SET_AFTER)."""
    return IssueMeaning(words, is_told=False, is_retried=True)


_CODE_ERRORS: Final[Mapping[str, IssueMeaning]] = {
    "provider_issue": IssueMeaning("dormakaba reported a problem"),
    "failed_to_set_on_device": _retried("the code could not be programmed so far, and Seam goes on trying"),
    "failed_to_issue": _retried("dormakaba has not issued the code yet, and Seam goes on trying"),
    "failed_to_update": _retried(
        "the lock has not taken the last change of the code and keeps it as it was; Seam goes on trying"
    ),
    "conflicting_external_modification": _retried("somebody changed the code outside Seam, and Seam sets it again"),
    "conflicting_external_modification/removed": _retried(
        "somebody removed the code from the lock, and Seam sets it again"
    ),
    "failed_to_remove_from_device": _harmless("the code could not be removed from the lock", is_told=True),
    "failed_to_delete": _harmless(
        "the code still opens the door although its time is over; Seam goes on trying to delete it",
        is_told=True,
        is_retried=True,
    ),
    "duplicate_code_on_device": IssueMeaning("another code on this door has the same PIN"),
    "no_space_for_access_code_on_device": IssueMeaning("the lock holds as many codes as it can"),
    "access_code_inactive": IssueMeaning("the code is disabled at the lock"),
    "code_constraints_violated": IssueMeaning("the lock does not take codes like this one"),
    # Names that Seam used before SDK 3.18.
    "failed_to_expire": _harmless(
        "the code still opens the door although its time is over; Seam goes on trying to delete it",
        is_told=True,
        is_retried=True,
    ),
    "failed_to_remove": _harmless("the code could not be removed from the lock", is_told=True),
    "dormakaba_oracode_invalid_time_range": IssueMeaning("no user level of the lock fits these times"),
    "code_modified_external_to_seam": _retried("somebody changed the code outside Seam, and Seam sets it again"),
}

_CODE_WARNINGS: Final[Mapping[str, IssueMeaning]] = {
    "delay_in_setting_on_device": _delayed("programming takes longer than usual"),
    "delay_in_issuing": _delayed("issuing takes longer than usual"),
    "delay_in_removing_from_device": _harmless("removing takes longer than usual", is_retried=True),
    # Without its `change_type`, which Seam's schema lets be missing, or with a new one, it may be a removal.
    "external_modification_in_effect": IssueMeaning(
        "somebody changed the code outside Seam, and that change stays; Seam does not say whether it was removed",
        is_retried=True,
        reason="changed_outside",
    ),
    "external_modification_in_effect/modified": IssueMeaning(
        "somebody changed the code outside Seam, and that change stays", blocks=False, reason="changed_outside"
    ),
    "external_modification_in_effect/removed": IssueMeaning(
        "somebody removed the code from the lock, and Seam does not set it again", reason="removed_outside"
    ),
    # Not final: what comes of it is that Seam has no such code any more.
    "being_deleted": _retried("the code is being deleted"),
    "management_transferred": _harmless("another Seam workspace manages this code now", is_told=True),
    "using_backup_access_code": IssueMeaning("a backup code took this one's place, so the guest's PIN is not in use"),
    "unknown_issue_with_access_code": _harmless("something is wrong that Seam has no name for", is_told=True),
    "time_frame_adjusted_for_unknown_time_zone": _harmless(
        "Seam does not know the door's time zone and lets the code work for up to an hour longer", is_told=True
    ),
    # Where the door lists it too, the door's alert inhibits that of the code.
    "third_party_integration_detected": _harmless(
        "another system programs this lock too and may change or remove codes", is_told=True
    ),
    # Codes of other makes of locks: Oracode's PINs neither rotate nor expire after a day.
    "code_rotates_periodically": _harmless("the PIN changes from time to time", is_told=True),
    "igloo_algopin_must_be_used_within_24_hours": _harmless("the PIN must be used within 24 hours", is_told=True),
}

_RECONNECT: Final = "Connect the account again in Seam's console, under Connected Accounts."
_ZONE: Final = (
    "Compare the lock's clock with the door's time zone at Seam; have the installer or Seam's support correct it."
)
_ASK_FOR_ZONE: Final = "Ask Seam's support to set the door's time zone."

_DOOR_ERRORS: Final[Mapping[str, IssueMeaning]] = {
    "account_disconnected": _retried(
        "Seam has lost its connection to the dormakaba account; connect it again in Seam's console",
        next_step=_RECONNECT,
        actor="ops",
    ),
    "dormakaba_sites_disconnected": _retried(
        "dormakaba has cut the site off from Seam; only dormakaba's support can undo that",
        next_step="Ask dormakaba's support to connect the site again.",
        actor="dormakaba",
    ),
    "device_disconnected": _retried("Seam has lost the door"),
    "device_offline": _retried("the door counts as offline"),
    "hub_disconnected": _retried("Seam has lost the door's hub"),
    "bridge_disconnected": _retried(
        "Seam cannot reach Seam Bridge, over which it speaks to this account",
        next_step="Check that the computer with Seam Bridge runs and is online.",
        actor="ops",
    ),
    "device_removed": IssueMeaning("the door was removed from the connected account"),
    # Seam SDK 3.18: rights, a suspended user, a subscription at the provider, or the hub's credential.
    "insufficient_permissions": IssueMeaning(
        "the provider's system does not let Seam act on this door",
        next_step="Read which cause Seam names: give Seam's user at dormakaba its rights back, renew the subscription"
        " there, or authorize the account again in Seam's console.",
        actor="ops",
    ),
    "missing_device_credentials": IssueMeaning("Seam lacks the door's credentials"),
    "subscription_required": IssueMeaning("the account's subscription does not cover this"),
    # Of other makes of locks, or not about codes that exist.
    "salto_ks_subscription_limit_exceeded": IssueMeaning("the site has as many users as its subscription allows"),
    "august_lock_not_authorized": IssueMeaning("the account may not use this lock"),
    "empty_backup_access_code_pool": _harmless("there are no backup codes left"),
    "auxiliary_heat_running": _harmless("the auxiliary heat is running"),
}

_DOOR_WARNINGS: Final[Mapping[str, IssueMeaning]] = {
    "time_zone_mismatch": IssueMeaning(
        "the door's clock does not run in the time zone that is configured: codes may work at the wrong hour",
        next_step=_ZONE,
        actor="installer",
    ),
    "time_zone_unknown": IssueMeaning(
        "Seam does not know the door's time zone: codes may work at the wrong hour",
        next_step=_ASK_FOR_ZONE,
        actor="seam",
    ),
    "max_access_codes_reached": IssueMeaning(
        "the lock holds as many codes as it can",
        next_step="Make no codes by hand: the next one that ends makes room.",
        actor="ops",
    ),
    "privacy_mode": IssueMeaning(
        "the door is in privacy mode: codes do not open it until that is switched off",
        next_step="Have the privacy mode switched off at the door.",
        actor="ops",
    ),
    "provider_issue": _harmless("dormakaba reported a problem with the door", is_told=True),
    "third_party_integration_detected": _harmless(
        "another system programs this lock too and may change or remove codes",
        is_told=True,
        next_step="Find out which system that is, and take the lock away from one of the two.",
        actor="ops",
    ),
    "scheduled_maintenance_window": _harmless(
        "maintenance is planned", is_told=True, next_step="Nothing, unless guests arrive in that time.", actor="ops"
    ),
    "device_communication_degraded": _harmless(
        "Seam finds the door unresponsive; codes that the lock has open it all the same", is_told=True
    ),
    # An Oracode lock has no network, so what Seam says of its connection means nothing.
    "unreliable_online_status": _harmless("the door may count as online although it is not"),
    "device_has_flaky_connection": _harmless("the door's connection comes and goes"),
    "power_saving_mode": _harmless("the door saves power"),
    "hub_required_for_additional_capabilities": _harmless("a hub would let Seam do more with this door"),
    "accessory_keypad_low_battery": _harmless("the keypad's battery is low", is_told=True),
    "accessory_keypad_setup_required": IssueMeaning("the keypad is not linked yet"),
    "partial_backup_access_code_pool": _harmless("some backup codes are missing"),
    "many_active_backup_codes": _harmless("many backup codes are in use"),
    "temperature_threshold_exceeded": _harmless("it is too warm or too cold"),
    "unknown_issue_with_phone": _harmless("something is wrong with the phone"),
    # Of other makes of locks.
    "salto_ks_office_mode": IssueMeaning("the door is in office mode: codes do not open it"),
    "salto_ks_privacy_mode": IssueMeaning("the door is in privacy mode: codes do not open it"),
    "salto_ks_subscription_limit_almost_reached": _harmless(
        "the site has nearly as many users as it may", is_told=True
    ),
    "salto_ks_lock_access_code_support_removed": IssueMeaning("the lock may not take codes any more"),
    "ttlock_lock_gateway_unlocking_not_enabled": _harmless("unlocking from afar is not enabled"),
    "ttlock_weak_gateway_signal": _harmless("the gateway's signal is weak"),
    "lockly_time_zone_not_configured": IssueMeaning("the door has no time zone: codes may work at the wrong hour"),
    "ultraloq_time_zone_unknown": IssueMeaning("Seam does not know the door's time zone"),
    "two_n_device_missing_timezone": IssueMeaning("the door has no time zone"),
    "keynest_unsupported_locker": IssueMeaning("the locker does not take codes"),
}

_ACCOUNT_WARNINGS: Final[Mapping[str, IssueMeaning]] = {
    "dormakaba_sites_unapproved": IssueMeaning(
        "a dormakaba site of the account is not approved yet; Seam's support (support@getseam.com) has to finish it",
        next_step="Write to Seam's support (support@getseam.com): they have to finish connecting the site.",
        actor="seam",
    ),
    "setup_required": IssueMeaning(
        "the connected account is not set up completely",
        next_step="Finish setting up the account in Seam's console, under Connected Accounts.",
        actor="ops",
    ),
    "account_reauthorization_requested": _harmless(
        "the connected account must be authorized again soon, or Seam loses it",
        is_told=True,
        next_step=_RECONNECT,
        actor="ops",
    ),
    "being_deleted": IssueMeaning(
        "the connected account is being deleted, with all its doors and codes",
        next_step="Find out who deletes the account in Seam's console and why; connect it again.",
        actor="ops",
    ),
    "provider_service_unavailable": _retried(
        "dormakaba's service does not answer Seam",
        next_step="Wait: Seam goes on trying by itself.",
        actor="seam",
    ),
    "scheduled_maintenance_window": _harmless(
        "maintenance is planned", is_told=True, next_step="Nothing, unless guests arrive in that time.", actor="ops"
    ),
    "unknown_issue_with_connected_account": _harmless("something is wrong that Seam has no name for", is_told=True),
    "salto_ks_subscription_limit_almost_reached": _harmless(
        "the site has nearly as many users as it may", is_told=True
    ),
}

CATALOGUE: Final[Mapping[IssueKind, Mapping[str, IssueMeaning]]] = {
    # Seam repeats the errors of the device and the account in those of the access code.
    IssueKind.CODE_ERROR: {**_DOOR_ERRORS, **_CODE_ERRORS},
    IssueKind.CODE_WARNING: _CODE_WARNINGS,
    IssueKind.DOOR_ERROR: _DOOR_ERRORS,
    IssueKind.DOOR_WARNING: _DOOR_WARNINGS,
    IssueKind.ACCOUNT_WARNING: _ACCOUNT_WARNINGS,
}

_UNKNOWN_ERROR: Final = IssueMeaning("")
_UNKNOWN_WARNING: Final = _harmless("", is_told=True)


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
# The one mutation that leaves the PIN and the times as they are. Of one that is not listed nobody knows.
_OF_THE_NAME_ALONE: Final = "updating_name"


def is_awaited(mutation_code: str) -> bool:
    """Say whether a code with this pending mutation is not yet as it was asked for."""
    return mutation_code not in (DELETING, _OF_THE_NAME_ALONE)
