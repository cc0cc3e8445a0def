"""What each endpoint takes, by Seam's schema (Python SDK 3.18, `routes/`; npm `@seamapi/types` 1.977)."""

import re
from collections.abc import Callable, Mapping
from datetime import datetime
from typing import Any, Final

_UUID: Final = re.compile(r"[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}")
# The name of a parameter, `!` if it is required, and its type.
ENDPOINTS: Final = {
    "/devices/get": "device_id:uuid name:str",
    "/devices/list": "connected_account_id:uuid connected_account_ids:uuids device_ids:uuids device_type:str"
    " device_types:strs manufacturer:str limit:num page_cursor:str search:str customer_key:str space_id:uuid",
    "/access_codes/create": "device_id!:uuid name:str starts_at:time ends_at:time code:str is_offline_access_code:bool"
    " use_offline_access_code:bool max_time_rounding:rounding is_one_time_use:bool attempt_for_offline_device:bool"
    " common_code_key:str preferred_code_length:num prefer_native_scheduling:bool use_backup_access_code_pool:bool"
    " is_external_modification_allowed:bool allow_external_modification:bool sync:bool",
    "/access_codes/get": "access_code_id:uuid device_id:uuid code:str",
    "/access_codes/list": "device_id:uuid access_code_ids:uuids access_grant_id:uuid access_method_id:uuid"
    " customer_key:str limit:num page_cursor:str search:str user_identifier_key:str",
    "/access_codes/update": "access_code_id!:uuid device_id:uuid name:str starts_at:time ends_at:time code:str type:str"
    " is_managed:bool attempt_for_offline_device:bool is_external_modification_allowed:bool",
    "/access_codes/delete": "access_code_id!:uuid device_id:uuid sync:bool",
    "/access_codes/unmanaged/get": "access_code_id:uuid device_id:uuid code:str",
    "/access_codes/unmanaged/list": "device_id!:uuid limit:num page_cursor:str search:str user_identifier_key:str",
    "/action_attempts/get": "action_attempt_id!:uuid",
    "/connected_accounts/get": "connected_account_id:uuid email:str",
    "/events/list": "since:time between:strs event_type:str event_types:strs device_id:uuid access_code_id:uuid"
    " access_code_ids:uuids connected_account_id:uuid limit:num unstable_offset:num",
    "/webhooks/list": "",
}
# A list of codes is of something; the SDK refuses a call without.
_ONE_OF: Final = {
    "/devices/get": ("device_id", "name"),
    "/access_codes/get": ("access_code_id", "device_id", "code"),
    "/access_codes/list": ("device_id", "access_code_ids", "access_grant_id", "access_method_id", "customer_key"),
    "/access_codes/unmanaged/get": ("access_code_id", "device_id", "code"),
    "/events/list": ("since", "between"),
}


class Refusal(Exception):
    """An error of Seam."""

    def __init__(self, status: int, error_type: str, message: str) -> None:
        super().__init__(message)
        self.status, self.error_type = status, error_type


def checked(path: str, asked: Any) -> dict[str, Any]:
    """Return what was asked of an endpoint, as the schema has it. Raises Refusal."""
    if path not in ENDPOINTS:
        raise Refusal(404, "not_found", f"Could not find a route for POST {path}")
    known = dict(each.split(":") for each in ENDPOINTS[path].split())
    kinds = {name.rstrip("!"): kind for name, kind in known.items()}
    for name, value in asked.items():
        if name not in kinds:
            raise Refusal(400, "invalid_input", f"Unrecognized key(s) in object: '{name}'")
        if not _KINDS[kinds[name]](value):
            raise Refusal(400, "invalid_input", f"Invalid {kinds[name]} for '{name}'")
    if missing := [name[:-1] for name in known if name.endswith("!") and name[:-1] not in asked]:
        raise Refusal(400, "invalid_input", f"Required: {', '.join(missing)}")
    if path in _ONE_OF and not any(name in asked for name in _ONE_OF[path]):
        raise Refusal(400, "invalid_input", f"Must provide one of: {', '.join(_ONE_OF[path])}")
    return dict(asked)


def _is_uuid(value: Any) -> bool:
    return isinstance(value, str) and _UUID.fullmatch(value) is not None


def _is_time(value: Any) -> bool:
    try:
        return datetime.fromisoformat(value).tzinfo is not None
    except (TypeError, ValueError):
        return False


_KINDS: Final[Mapping[str, Callable[[Any], bool]]] = {
    "uuid": _is_uuid,
    "uuids": lambda it: isinstance(it, list) and all(map(_is_uuid, it)),
    "str": lambda it: isinstance(it, str),
    "strs": lambda it: isinstance(it, list) and all(isinstance(each, str) for each in it),
    "bool": lambda it: isinstance(it, bool),
    "num": lambda it: isinstance(it, int | float) and not isinstance(it, bool) and it >= 0,
    "rounding": lambda it: it in ("1hour", "1day", "1h", "1d"),
    "time": _is_time,
}
