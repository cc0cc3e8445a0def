"""Action attempts: what became of a call that made, changed or deleted a code.

Seam's "Action Attempt" resource: ``pending``, then ``success`` with a result or ``error`` with a reason. An attempt is
stored with the code that it is about; its status is read off that code.
"""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from itertools import count
from uuid import uuid4

from deploy.sandbox.codes.codes import Code, Phase
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.store import Collection, Store


class ActionType(StrEnum):
    """What was attempted."""

    CREATE = "CREATE_ACCESS_CODE"
    UPDATE = "UPDATE_ACCESS_CODE"
    DELETE = "DELETE_ACCESS_CODE"


# Codes in these phases are not done with the attempt; these errors say that it failed.
_PENDING = {
    ActionType.CREATE: frozenset({Phase.UNSET, Phase.SETTING}),
    ActionType.UPDATE: frozenset({Phase.UPDATING}),
    ActionType.DELETE: frozenset({Phase.REMOVING}),
}
_FAILURES = {
    ActionType.UPDATE: frozenset({"failed_to_update"}),
    ActionType.DELETE: frozenset({"failed_to_remove_from_device", "failed_to_delete"}),
}


@dataclass(frozen=True, slots=True)
class ActionAttempt:
    """One attempt."""

    action_attempt_id: str
    seq: int
    action_type: ActionType
    access_code_id: str
    device_id: str
    created_at: datetime


def attempt_object(attempt: ActionAttempt, code: Code, served: JsonObject) -> JsonObject:
    """Return the attempt as Seam serves it; `served` is the code's own object."""
    shown: JsonObject = {
        "action_attempt_id": attempt.action_attempt_id,
        "action_type": attempt.action_type.value,
        "status": "success",
        "result": None,
        "error": None,
    }
    failure = _failure(attempt, code)
    if failure is not None:
        error = {"type": failure["error_code"], "message": failure["message"]}
        return {**shown, "status": "error", "error": error}
    if code.phase in _PENDING[attempt.action_type]:
        return {**shown, "status": "pending"}
    return {**shown, "result": {} if attempt.action_type is ActionType.DELETE else {"access_code": served}}


def _failure(attempt: ActionAttempt, code: Code) -> JsonObject | None:
    if attempt.action_type is ActionType.CREATE:
        return code.errors[-1] if code.phase is Phase.FAILED and code.errors else None
    failures = _FAILURES[attempt.action_type]
    return next((error for error in code.errors if error["error_code"] in failures), None)


class ActionAttempts:
    """All attempts by id."""

    def __init__(self, store: Store) -> None:
        """Load the attempts."""
        self._kept = Collection(store, "action_attempts", ActionAttempt)
        self._seq = count(max((attempt.seq for attempt in self._kept.values()), default=0) + 1)

    def add(self, action_type: ActionType, code: Code, at: datetime, action_attempt_id: str = "") -> ActionAttempt:
        """Record an attempt on a code."""
        attempt = ActionAttempt(
            action_attempt_id=action_attempt_id or str(uuid4()),
            seq=next(self._seq),
            action_type=action_type,
            access_code_id=code.access_code_id,
            device_id=code.device_id,
            created_at=at,
        )
        self._kept.put(attempt.action_attempt_id, attempt)
        return attempt

    def find(self, action_attempt_id: str) -> ActionAttempt | None:
        """Return one attempt."""
        return self._kept.get(action_attempt_id)

    def everything(self) -> list[ActionAttempt]:
        """Return all attempts, oldest first."""
        return self._kept.values()
