"""What Seam's error and warning codes mean, in plain words for whoever stands before the door.

Seam's own message is always quoted beside them: it may know more, and wording and codes change (Seam SDK 3.18,
`resources/access_code.py`; older names that are still sent are kept). A code that isn't listed is quoted alone.
"""

from collections.abc import Mapping
from typing import Final

_WORDS: Final[Mapping[str, str]] = {
    "provider_issue": "dormakaba reported a problem",
    "failed_to_set_on_device": "the code could not be programmed so far, and Seam goes on trying",
    "failed_to_issue": "dormakaba has not issued the code yet, and Seam goes on trying",
    "duplicate_code_on_device": "another code on this door has the same PIN",
    "no_space_for_access_code_on_device": "the lock holds as many codes as it can",
    "conflicting_external_modification": "somebody changed or removed the code outside Seam",
    "external_modification_in_effect": "somebody changed the code outside Seam, and that change holds",
    "access_code_inactive": "the code is disabled at the lock",
    "code_constraints_violated": "the lock doesn't take codes like this one",
    "account_disconnected": "Seam has lost its connection to the dormakaba account; connect it again in Seam's console",
    "dormakaba_sites_disconnected": "dormakaba has cut the site off from Seam; only dormakaba's support can mend that",
    "insufficient_permissions": "the connected account may not make codes for this door",
    "device_disconnected": "Seam has lost the door",
    "device_removed": "the door was removed from the connected account",
    "device_offline": "the door counts as offline",
    "missing_device_credentials": "Seam lacks the door's credentials",
    "subscription_required": "the account's subscription doesn't cover this",
    "dormakaba_oracode_invalid_time_range": "no user level of the lock fits these times",
    "delay_in_setting_on_device": "programming takes longer than usual",
    "delay_in_issuing": "issuing takes longer than usual",
    "time_frame_adjusted_for_unknown_time_zone": "Seam doesn't know the door's time zone and moved the times",
    "third_party_integration_detected": "another system programs this lock too",
    "management_transferred": "another workspace manages this code now",
    "being_deleted": "the code is being deleted",
    "using_backup_access_code": "a backup code took this one's place",
    "unknown_issue_with_access_code": "something is wrong that Seam has no name for",
}
PENDING: Final[Mapping[str, str]] = {
    "creating": "it is being made",
    "deferring_creation": "Seam makes it later",
    "updating_time_frame": "its times are being changed",
    "updating_code": "its PIN is being changed",
    "updating_name": "its name is being changed",
    "deleting": "it is being deleted",
}


def in_words(code: str, message: str) -> str:
    """Return what an error or warning means, with Seam's own words behind it."""
    own = f"{code}: {message}".strip(": ")
    meaning = _WORDS.get(code)
    return f"Seam says: {own}" if meaning is None else f"{meaning[0].upper()}{meaning[1:]} (Seam says: {own})"


def why_not_yet(pending: tuple[str, ...], warnings: tuple[tuple[str, str], ...]) -> str:
    """Return why a code isn't set, as far as Seam tells; empty where it tells nothing."""
    causes = [in_words(code, message) for code, message in warnings]
    causes += [f"Pending at Seam: {PENDING.get(each, each)}" for each in pending]
    return "".join(f"{cause.rstrip('.')}. " for cause in causes).strip()
