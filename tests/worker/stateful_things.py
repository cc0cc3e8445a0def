"""What the fake Seam has: doors with time slots, and codes."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Final

SLOTS: Final[Mapping[str, tuple[str, str]]] = {
    "usual": ("16:00", "10:00"),
    "early": ("15:00", "11:00"),
    "night": ("21:00", "08:00"),
}


@dataclass
class Code:
    """An access code, for as long as the test runs; `deleted` ones too."""

    access_code_id: str
    device_id: str
    name: str
    starts_at: datetime
    ends_at: datetime
    made_at: datetime
    pin: str
    is_set: bool = False
    trouble: bool = False
    deleted: bool = False

    @property
    def booking_id(self) -> str:
        """Whose it is, by its name."""
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
