"""The objects of the fake Seam: doors with time slots, and codes."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

SLOTS: Final[Mapping[str, tuple[str, str]]] = {
    "usual": ("16:00", "10:00"),
    "early": ("15:00", "11:00"),
    "night": ("21:00", "08:00"),
}

# What Seam may say of a code: the fields of its answer that differ from those of a code without problems.
TROUBLES: Final[Mapping[str, Mapping[str, Any]]] = {
    "not set": {"errors": [{"error_code": "failed_to_set_on_device"}]},
    "no space": {"errors": [{"error_code": "no_space_for_access_code_on_device"}]},
    "set again": {"errors": [{"error_code": "conflicting_external_modification", "change_type": "removed"}]},
    "stays removed": {"warnings": [{"warning_code": "external_modification_in_effect", "change_type": "removed"}]},
    "not updated": {
        "errors": [{"error_code": "failed_to_update"}],
        "pending_mutations": [{"mutation_code": "updating_time_frame"}],
    },
    "account lost": {"errors": [{"error_code": "account_disconnected"}], "status": "unknown"},
    "unknown": {"status": "unknown"},
    "deleting": {"pending_mutations": [{"mutation_code": "deleting"}]},
}


@dataclass
class Code:
    """An access code, kept as long as the test runs, also after it was deleted.

    `said` are the fields of its answer that differ from those of a code without problems. `held_back` are new times
    that the lock hasn't taken.
    """

    access_code_id: str
    device_id: str
    name: str
    starts_at: datetime
    ends_at: datetime
    made_at: datetime
    pin: str
    is_set: bool = False
    said: Mapping[str, Any] = field(default_factory=dict)
    held_back: tuple[datetime, datetime] | None = None
    deleted: bool = False

    @property
    def booking_id(self) -> str:
        """The booking of the code, by the code's name."""
        return self.name.partition(" | ")[0]


@dataclass
class FakeDoor:
    """An Oracode door."""

    device_id: str
    zone: str
    slots: tuple[str, ...] = ("usual",)
    offline: bool = True
    most: int | None = None
    flags: frozenset[str] = frozenset()
