"""Errors and warnings that Seam reports on a device. Its errors include those of its connected account."""

from collections.abc import Mapping
from typing import Final

from shared.domain.seam_issues.row import RECONNECT, IssueMeaning, harmless, retried

_ZONE: Final = (
    "Compare the lock's clock with the door's time zone at Seam; have the installer or Seam's support correct it."
)
_ASK_FOR_ZONE: Final = "Ask Seam's support to set the door's time zone."

ERRORS: Final[Mapping[str, IssueMeaning]] = {
    "account_disconnected": retried(
        "Seam has lost its connection to the dormakaba account; connect it again in Seam's console",
        next_step=RECONNECT,
        actor="ops",
    ),
    "dormakaba_sites_disconnected": retried(
        "dormakaba has cut the site off from Seam; only dormakaba's support can undo that",
        next_step="Ask dormakaba's support to connect the site again.",
        actor="dormakaba",
    ),
    "device_disconnected": retried("Seam has lost the door"),
    "device_offline": retried("the door counts as offline"),
    "hub_disconnected": retried("Seam has lost the door's hub"),
    "bridge_disconnected": retried(
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
    "empty_backup_access_code_pool": harmless("there are no backup codes left"),
    "auxiliary_heat_running": harmless("the auxiliary heat is running"),
}

WARNINGS: Final[Mapping[str, IssueMeaning]] = {
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
    "provider_issue": harmless("dormakaba reported a problem with the door", is_told=True),
    "third_party_integration_detected": harmless(
        "another system programs this lock too and may change or remove codes",
        is_told=True,
        next_step="Find out which system that is, and take the lock away from one of the two.",
        actor="ops",
    ),
    "scheduled_maintenance_window": harmless(
        "maintenance is planned", is_told=True, next_step="Nothing, unless guests arrive in that time.", actor="ops"
    ),
    "device_communication_degraded": harmless(
        "Seam finds the door unresponsive; codes that the lock has open it all the same", is_told=True
    ),
    # An Oracode lock has no network, so what Seam says of its connection means nothing.
    "unreliable_online_status": harmless("the door may count as online although it is not"),
    "device_has_flaky_connection": harmless("the door's connection comes and goes"),
    "power_saving_mode": harmless("the door saves power"),
    "hub_required_for_additional_capabilities": harmless("a hub would let Seam do more with this door"),
    "accessory_keypad_low_battery": harmless("the keypad's battery is low", is_told=True),
    "accessory_keypad_setup_required": IssueMeaning("the keypad is not linked yet"),
    "partial_backup_access_code_pool": harmless("some backup codes are missing"),
    "many_active_backup_codes": harmless("many backup codes are in use"),
    "temperature_threshold_exceeded": harmless("it is too warm or too cold"),
    "unknown_issue_with_phone": harmless("something is wrong with the phone"),
    # Of other makes of locks.
    "salto_ks_office_mode": IssueMeaning("the door is in office mode: codes do not open it"),
    "salto_ks_privacy_mode": IssueMeaning("the door is in privacy mode: codes do not open it"),
    "salto_ks_subscription_limit_almost_reached": harmless("the site has nearly as many users as it may", is_told=True),
    "salto_ks_lock_access_code_support_removed": IssueMeaning("the lock may not take codes any more"),
    "ttlock_lock_gateway_unlocking_not_enabled": harmless("unlocking from afar is not enabled"),
    "ttlock_weak_gateway_signal": harmless("the gateway's signal is weak"),
    "lockly_time_zone_not_configured": IssueMeaning("the door has no time zone: codes may work at the wrong hour"),
    "ultraloq_time_zone_unknown": IssueMeaning("Seam does not know the door's time zone"),
    "two_n_device_missing_timezone": IssueMeaning("the door has no time zone"),
    "keynest_unsupported_locker": IssueMeaning("the locker does not take codes"),
}
