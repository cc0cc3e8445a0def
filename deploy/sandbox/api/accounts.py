"""``/connected_accounts``: the accounts through which Seam reaches the doors."""

from dataclasses import replace
from typing import Literal

from deploy.sandbox.api.metadata import merged_metadata, metadata_matches
from deploy.sandbox.api.pages import one_page
from deploy.sandbox.api.parameters import (
    Limit,
    Metadata,
    Page,
    Parameters,
    SearchText,
)
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.devices.accounts import Account, account_object
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import invalid_input, not_found
from deploy.sandbox.issues import delete_account, open_account_issue
from deploy.sandbox.models import Uuid

DEFAULT_LIMIT = 11_000


class GetAccount(Parameters):
    """An account, by its id or its login."""

    connected_account_id: Uuid | None = None
    email: str | None = None


class OfAccount(Parameters):
    """An account."""

    connected_account_id: Uuid


class ListAccounts(Page):
    """Which accounts to list."""

    custom_metadata_has: Metadata | None = None
    customer_key: str | None = None
    limit: Limit | None = None
    search: SearchText | None = None
    space_id: Uuid | None = None
    user_identifier_key: str | None = None


class UpdateAccount(OfAccount):
    """What to change of an account; what isn't given stays."""

    accepted_capabilities: (
        list[Literal["lock", "thermostat", "noise_sensor", "access_control", "camera", "speaker"]] | None
    ) = None
    automatically_manage_new_devices: bool | None = None
    custom_metadata: Metadata | None = None
    customer_key: str | None = None
    display_name: str | None = None


def get(sandbox: Sandbox, asked: GetAccount) -> JsonObject:
    """Return one account."""
    if asked.connected_account_id is not None:
        return {"connected_account": account_object(sandbox.accounts.get(asked.connected_account_id))}
    if asked.email is None:
        raise invalid_input("connected_account_id", "Required, or email")
    for account in sandbox.accounts:
        if account.email == asked.email:
            return {"connected_account": account_object(account)}
    raise not_found("connected_account", asked.email)


def list_accounts(sandbox: Sandbox, asked: ListAccounts) -> JsonObject:
    """Return a page of accounts."""
    found = [account for account in sandbox.accounts if _passes(asked, account)]
    page, pagination = one_page(
        found, asked, lambda account: account.seq, path="/connected_accounts/list", default_limit=DEFAULT_LIMIT
    )
    return {"connected_accounts": [account_object(account) for account in page], "pagination": pagination}


def update(sandbox: Sandbox, asked: UpdateAccount) -> JsonObject:
    """Change an account."""
    account = sandbox.accounts.get(asked.connected_account_id)
    if asked.customer_key is not None and account.customer_key not in {None, asked.customer_key}:
        raise invalid_input("customer_key", "The connected account is already associated with a customer")
    changed = replace(
        account,
        display_name=asked.display_name or account.display_name,
        customer_key=asked.customer_key or account.customer_key,
        custom_metadata=account.custom_metadata
        if asked.custom_metadata is None
        else merged_metadata({}, asked.custom_metadata),
        accepted_capabilities=tuple(asked.accepted_capabilities or account.accepted_capabilities),
        automatically_manage_new_devices=account.automatically_manage_new_devices
        if asked.automatically_manage_new_devices is None
        else asked.automatically_manage_new_devices,
    )
    return {"connected_account": account_object(sandbox.accounts.put(changed))}


def sync(sandbox: Sandbox, asked: OfAccount) -> JsonObject:
    """Ask for a sync: there is nothing that the sandbox doesn't know already."""
    sandbox.accounts.get(asked.connected_account_id)
    return {}


def delete(sandbox: Sandbox, asked: OfAccount) -> JsonObject:
    """Delete an account with its devices and codes; an event tells of each."""
    delete_account(sandbox, sandbox.accounts.get(asked.connected_account_id))
    return {}


def simulate_disconnect(sandbox: Sandbox, asked: OfAccount) -> JsonObject:
    """Disconnect an account."""
    open_account_issue(sandbox, sandbox.accounts.get(asked.connected_account_id), "account_disconnected")
    return {}


def _passes(asked: ListAccounts, account: Account) -> bool:
    if asked.space_id is not None or asked.user_identifier_key is not None:
        return False
    if asked.customer_key not in {None, account.customer_key}:
        return False
    if asked.custom_metadata_has is not None and not metadata_matches(
        account.custom_metadata, asked.custom_metadata_has
    ):
        return False
    return asked.search is None or _is_found(account, asked.search.lower())


def _is_found(account: Account, search: str) -> bool:
    """Whether a search finds an account: the API reference names the fields."""
    metadata = (str(value) for value in account.custom_metadata.values())
    texts = (
        account.connected_account_id,
        "dormakaba_oracode",
        account.customer_key or "",
        account.display_name,
        account.email,
        *metadata,
    )
    return any(search in text.lower() for text in texts)
