"""The units of DOORS_FILE, for `POST /bookings`: a message with an unknown unit is refused at once, not parked later.

The file may be changed while `web` runs. While it can't be read, no unit is refused, and the worker decides about the
message.
"""

from collections.abc import Iterator
from pathlib import Path

from shared.current_units import CurrentUnits


class KnownUnits:
    """A container of the units that are in the file now."""

    def __init__(self, path: Path) -> None:
        self._units = CurrentUnits(path)

    def __contains__(self, unit: object) -> bool:
        """Say whether the unit is in the file; True while the file can't be read."""
        return unit in self._units or bool(self._units.problem)

    def __iter__(self) -> Iterator[str]:
        """Yield the units in the file."""
        return iter(self._units)

    def __len__(self) -> int:
        """Return how many units are in the file."""
        return len(self._units)
