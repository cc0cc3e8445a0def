"""The ids of the one workspace, and of the connected account of a new sandbox."""

WORKSPACE_ID = "99999999-9999-4999-8999-000000000001"
CONNECTED_ACCOUNT_ID = "99999999-9999-4999-8999-000000000002"
