"""Control of the errors and warnings of doors and connected accounts, and of the accounts themselves."""

from collections.abc import Callable, Mapping

from pydantic import Field

from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.control.routes import ControlEndpoint, ControlRequest
from deploy.sandbox.devices.accounts import account_object
from deploy.sandbox.devices.issues import (
    ACCOUNT_ERRORS,
    ACCOUNT_WARNINGS,
    DEVICE_ERRORS,
    DEVICE_WARNINGS,
    device_issue_object,
)
from deploy.sandbox.devices.objects import device_issues
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import ControlError, unknown
from deploy.sandbox.issues import (
    clear_account_issue,
    clear_device_issue,
    open_account_issue,
    open_device_issue,
)
from deploy.sandbox.models import StrictModel, Uuid

_OF_DEVICES = {**DEVICE_ERRORS, **DEVICE_WARNINGS}
_OF_ACCOUNTS = {**ACCOUNT_ERRORS, **ACCOUNT_WARNINGS}


class _NewIssue(StrictModel):
    code: str
    message: str | None = None


class _NewAccount(StrictModel):
    connected_account_id: Uuid
    display_name: str = Field(default="jane", min_length=1)
    email: str = "jane@example.com"
    customer_key: str | None = None


def _issues_of_device(sandbox: Sandbox, device_id: str) -> JsonObject:
    door = sandbox.doors.control(device_id)
    issues = device_issues(door, sandbox.accounts.find(door.connected_account_id))
    return {
        "device_id": door.device_id,
        "errors": [device_issue_object(issue) for issue in issues if issue.is_error],
        "warnings": [device_issue_object(issue) for issue in issues if not issue.is_error],
    }


def _open_of_device(request: ControlRequest) -> JsonObject:
    wanted = _read(request, _OF_DEVICES)
    door = request.sandbox.doors.control(request.path["device_id"])
    open_device_issue(request.sandbox, door, wanted.code, wanted.message)
    return _issues_of_device(request.sandbox, door.device_id)


def _clear_of_device(request: ControlRequest) -> JsonObject:
    door = request.sandbox.doors.control(request.path["device_id"])
    _need(door.has, request.path["code"])
    clear_device_issue(request.sandbox, door, request.path["code"])
    return _issues_of_device(request.sandbox, door.device_id)


def _list_accounts(request: ControlRequest) -> JsonObject:
    return {"connected_accounts": [account_object(account) for account in request.sandbox.accounts]}


def _add_account(request: ControlRequest) -> JsonObject:
    wanted = _NewAccount.model_validate(request.body).model_dump(exclude_none=True)
    return account_object(request.sandbox.accounts.add(**wanted))


def _open_of_account(request: ControlRequest) -> JsonObject:
    wanted = _read(request, _OF_ACCOUNTS)
    account = request.sandbox.accounts.control(request.path["connected_account_id"])
    return account_object(open_account_issue(request.sandbox, account, wanted.code, wanted.message))


def _clear_of_account(request: ControlRequest) -> JsonObject:
    account = request.sandbox.accounts.control(request.path["connected_account_id"])
    _need(account.has, request.path["code"])
    return account_object(clear_account_issue(request.sandbox, account, request.path["code"]))


def _read(request: ControlRequest, known: Mapping[str, str]) -> _NewIssue:
    wanted = _NewIssue.model_validate(request.body)
    if wanted.code not in known:
        raise ControlError(f"code: {wanted.code!r} is none of {', '.join(sorted(known))}")
    return wanted


def _need(has: Callable[[str], bool], code: str) -> None:
    if not has(code):
        raise unknown("issue", code)


ENDPOINTS = (
    ControlEndpoint(
        "POST",
        "/sandbox/devices/{device_id}/issues",
        f"Let a door have an error or a warning: {{code, message?}}; code: {', '.join(_OF_DEVICES)}.",
        _open_of_device,
        ({"code": "device_disconnected"}, {"code": "time_zone_mismatch", "message": "Check the site's time zone."}),
    ),
    ControlEndpoint(
        "DELETE",
        "/sandbox/devices/{device_id}/issues/{code}",
        "Clear an error or a warning of a door; codes that waited for it go on.",
        _clear_of_device,
    ),
    ControlEndpoint("GET", "/sandbox/connected_accounts", "All connected accounts.", _list_accounts),
    ControlEndpoint(
        "POST",
        "/sandbox/connected_accounts",
        "Add an account: {connected_account_id, display_name?, email?, customer_key?}.",
        _add_account,
        ({"connected_account_id": "88888888-8888-4888-8888-000000000001", "display_name": "joe"},),
    ),
    ControlEndpoint(
        "POST",
        "/sandbox/connected_accounts/{connected_account_id}/issues",
        f"Let an account have an error or a warning: {{code, message?}}; code: {', '.join(_OF_ACCOUNTS)}.",
        _open_of_account,
        ({"code": "account_disconnected"}, {"code": "dormakaba_sites_unapproved"}),
    ),
    ControlEndpoint(
        "DELETE",
        "/sandbox/connected_accounts/{connected_account_id}/issues/{code}",
        "Clear an error or a warning of an account.",
        _clear_of_account,
    ),
)
