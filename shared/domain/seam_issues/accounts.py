"""Warnings that Seam reports on a connected account."""

from collections.abc import Mapping
from typing import Final

from shared.domain.seam_issues.row import RECONNECT, IssueMeaning, harmless, retried

WARNINGS: Final[Mapping[str, IssueMeaning]] = {
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
    "account_reauthorization_requested": harmless(
        "the connected account must be authorized again soon, or Seam loses it",
        is_told=True,
        next_step=RECONNECT,
        actor="ops",
    ),
    "being_deleted": IssueMeaning(
        "the connected account is being deleted, with all its doors and codes",
        next_step="Find out who deletes the account in Seam's console and why; connect it again.",
        actor="ops",
    ),
    "provider_service_unavailable": retried(
        "dormakaba's service does not answer Seam",
        next_step="Wait: Seam goes on trying by itself.",
        actor="seam",
    ),
    "scheduled_maintenance_window": harmless(
        "maintenance is planned", is_told=True, next_step="Nothing, unless guests arrive in that time.", actor="ops"
    ),
    "unknown_issue_with_connected_account": harmless("something is wrong that Seam has no name for", is_told=True),
    "salto_ks_subscription_limit_almost_reached": harmless("the site has nearly as many users as it may", is_told=True),
}
