"""Errors and warnings that Seam reports on an access code itself."""

from collections.abc import Mapping
from typing import Final

from shared.domain.seam_issues.row import IssueMeaning, delayed, harmless, retried

ERRORS: Final[Mapping[str, IssueMeaning]] = {
    "provider_issue": IssueMeaning("dormakaba reported a problem"),
    "failed_to_set_on_device": retried("the code could not be programmed so far, and Seam goes on trying"),
    "failed_to_issue": retried("dormakaba has not issued the code yet, and Seam goes on trying"),
    "failed_to_update": retried(
        "the lock has not taken the last change of the code and keeps it as it was; Seam goes on trying"
    ),
    "conflicting_external_modification": retried("somebody changed the code outside Seam, and Seam sets it again"),
    "conflicting_external_modification/removed": retried(
        "somebody removed the code from the lock, and Seam sets it again"
    ),
    "failed_to_remove_from_device": harmless("the code could not be removed from the lock", is_told=True),
    "failed_to_delete": harmless(
        "the code still opens the door although its time is over; Seam goes on trying to delete it",
        is_told=True,
        is_retried=True,
    ),
    "duplicate_code_on_device": IssueMeaning("another code on this door has the same PIN"),
    "no_space_for_access_code_on_device": IssueMeaning("the lock holds as many codes as it can"),
    "access_code_inactive": IssueMeaning("the code is disabled at the lock"),
    "code_constraints_violated": IssueMeaning("the lock does not take codes like this one"),
    # Names that Seam used before SDK 3.18.
    "failed_to_expire": harmless(
        "the code still opens the door although its time is over; Seam goes on trying to delete it",
        is_told=True,
        is_retried=True,
    ),
    "failed_to_remove": harmless("the code could not be removed from the lock", is_told=True),
    "dormakaba_oracode_invalid_time_range": IssueMeaning("no user level of the lock fits these times"),
    "code_modified_external_to_seam": retried("somebody changed the code outside Seam, and Seam sets it again"),
}

WARNINGS: Final[Mapping[str, IssueMeaning]] = {
    "delay_in_setting_on_device": delayed("programming takes longer than usual"),
    "delay_in_issuing": delayed("issuing takes longer than usual"),
    "delay_in_removing_from_device": harmless("removing takes longer than usual", is_retried=True),
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
    "being_deleted": retried("the code is being deleted"),
    "management_transferred": harmless("another Seam workspace manages this code now", is_told=True),
    "using_backup_access_code": IssueMeaning("a backup code took this one's place, so the guest's PIN is not in use"),
    "unknown_issue_with_access_code": harmless("something is wrong that Seam has no name for", is_told=True),
    "time_frame_adjusted_for_unknown_time_zone": harmless(
        "Seam does not know the door's time zone and lets the code work for up to an hour longer", is_told=True
    ),
    # Where the door lists it too, the door's alert inhibits that of the code.
    "third_party_integration_detected": harmless(
        "another system programs this lock too and may change or remove codes", is_told=True
    ),
    # Codes of other makes of locks: Oracode's PINs neither rotate nor expire after a day.
    "code_rotates_periodically": harmless("the PIN changes from time to time", is_told=True),
    "igloo_algopin_must_be_used_within_24_hours": harmless("the PIN must be used within 24 hours", is_told=True),
}
