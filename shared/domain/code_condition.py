"""What Seam's report of an access code means for the guest: confirmed, still to come, or in trouble.

The vendor deprecates `status` and asks to decide from pending mutations, errors, warnings and times; so `status` only
counts while it is there, and a code without one is confirmed when nothing is pending and nothing is wrong.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

# Seam goes on trying by itself after these (Seam docs, access code errors); a person is told, and the code may come.
SEAM_KEEPS_TRYING: Final = frozenset({"failed_to_set_on_device", "failed_to_issue", "account_disconnected"})
# Problems of taking a code away, or of its name; it opens the door all the same.
HARMLESS: Final = frozenset(
    {"failed_to_remove_from_device", "failed_to_delete", "failed_to_expire", "failed_to_update"}
)
_NOT_THERE_YET: Final = frozenset({"creating", "deferring_creation", "updating_time_frame"})


@dataclass(frozen=True, slots=True)
class Confirmed:
    """The code opens the door in its window."""


@dataclass(frozen=True, slots=True)
class StillToCome:
    """Seam is on it, and nothing is wrong so far."""


@dataclass(frozen=True, slots=True)
class InTrouble:
    """Something is wrong; `error_code` and `message` are Seam's own (PINs masked)."""

    error_code: str
    message: str
    is_final: bool


Condition = Confirmed | StillToCome | InTrouble


def condition_of(
    *, status: str, has_pin: bool, pending: Collection[str], errors: Collection[tuple[str, str]]
) -> Condition:
    """Judge a code by what Seam says of it. Unknown error codes are trouble: somebody should read them."""
    for error_code, message in errors:
        if error_code not in HARMLESS:
            return InTrouble(error_code, message, is_final=error_code not in SEAM_KEEPS_TRYING)
    is_pending = bool(_NOT_THERE_YET.intersection(pending))
    if status == "set" and not is_pending:
        return Confirmed()
    if not status and has_pin and not is_pending:
        return Confirmed()
    return StillToCome()
