"""Which unit and building a door belongs to, and the rules of the units, by DOORS_FILE as it is now.

The file may be changed while the console runs. While it can't be read, doors have the places that they had before.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import structlog

from shared.domain.stay.stay import UnitRules

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class Place:
    """Where a door is; empty where DOORS_FILE doesn't say."""

    unit: str = ""
    building: str = ""


NOWHERE: Final = Place()


class Places:
    """The places of all doors in the file; none without a file."""

    def __init__(self, path: Path | None) -> None:
        self._path = path
        self._changed_at: int | None = None
        self._of_door: Mapping[str, Place] = {}
        self._units: Mapping[str, UnitRules] | None = None

    def of(self, device_id: str) -> Place:
        """Return where the door is."""
        return self.now().get(device_id, NOWHERE)

    def doors(self, *, unit: str = "", building: str = "") -> list[str]:
        """Return the doors of a unit and a building; an empty name means any."""
        return [
            device_id
            for device_id, place in self.now().items()
            if unit in ("", place.unit) and building in ("", place.building)
        ]

    def buildings(self) -> list[str]:
        """Return the buildings that the file names."""
        return sorted({place.building for place in self.now().values() if place.building})

    def units(self) -> Mapping[str, UnitRules] | None:
        """Return what the file says of each unit; None without a file, and while it could never be read."""
        self.now()
        return self._units

    def now(self) -> Mapping[str, Place]:
        """Return where each door of the file is: for those who ask for many doors at once."""
        from shared.doors_file import load_doors_file  # noqa: PLC0415 - YAML is read where there is a file

        if self._path is None:
            return self._of_door
        try:
            changed_at = self._path.stat().st_mtime_ns
            if changed_at != self._changed_at:
                self._changed_at = changed_at
                self._units = load_doors_file(self._path)
                self._of_door = _places(self._units)
        except (OSError, ValueError) as error:
            log.warning("doors_file.unreadable", error=type(error).__name__)
        return self._of_door


def _places(units: Mapping[str, UnitRules]) -> Mapping[str, Place]:
    found: dict[str, Place] = {}
    for name, rules in units.items():
        for device_id in rules.device_ids:
            found.setdefault(device_id, Place(name, rules.building))
    return found
