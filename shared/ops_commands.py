"""What people order by a button: one JSON object an entry of the stream `ops-commands`, consumed by the worker."""

import json
from dataclasses import asdict, dataclass
from typing import Any, Final

from shared.domain import versions
from shared.domain.versions import OfNewerVersion, is_incompatible, is_newer, schema_in

RETRY: Final = "retry_booking"
HANDLE: Final = "handle_alert"
ACTIONS: Final = (RETRY, HANDLE)
COMMAND_FIELD: Final = "command"
LONGEST_TARGET: Final = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class OpsCommand:
    """One order: what (`action`), about what (`target`: a booking's id or an alert's key), and who gave it."""

    action: str
    target: str
    by: str

    def encoded(self) -> str:
        """Return the entry's text."""
        return json.dumps({"schema": versions.ORDER, **asdict(self)})


def command_from(text: str) -> OpsCommand:
    """Return the order that an entry holds. Raises ValueError, saying what is wrong; OfNewerVersion."""
    try:
        content = json.loads(text)
    except RecursionError:
        content = None
    if _is_for_a_newer_version(content):
        raise OfNewerVersion("an order", schema_in(content), versions.ORDER)
    if not isinstance(content, dict) or content.get("action") not in ACTIONS:
        raise ValueError(f"is no order of {', '.join(ACTIONS)}")
    target, by = content.get("target"), content.get("by")
    if not isinstance(target, str) or not 0 < len(target) <= LONGEST_TARGET:
        raise ValueError("names no target")
    return OpsCommand(action=content["action"], target=target, by=by if isinstance(by, str) else "")


def _is_for_a_newer_version(content: Any) -> bool:
    schema = schema_in(content)
    is_unknown = isinstance(content, dict) and content.get("action") not in ACTIONS
    return is_incompatible(schema, versions.ORDER) or (is_unknown and is_newer(schema, versions.ORDER))
