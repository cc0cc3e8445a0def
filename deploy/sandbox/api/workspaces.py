"""``/workspaces``: the one workspace that the API key belongs to."""

from deploy.sandbox.api.parameters import Parameters
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.ids import WORKSPACE_ID

_WORKSPACE = {
    "workspace_id": WORKSPACE_ID,
    "name": "Sandbox",
    "company_name": "Sandbox",
    "connect_partner_name": "Sandbox",
    "is_sandbox": True,
    "is_suspended": False,
    "is_publishable_key_auth_enabled": False,
}


class NoParameters(Parameters):
    """Nothing."""


def get(sandbox: Sandbox, asked: NoParameters) -> JsonObject:
    """Return the workspace."""
    del sandbox, asked
    return {"workspace": _WORKSPACE}


def list_workspaces(sandbox: Sandbox, asked: NoParameters) -> JsonObject:
    """Return the workspace as the only one."""
    del sandbox, asked
    return {"workspaces": [_WORKSPACE]}
