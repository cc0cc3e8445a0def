"""The units of DOORS_FILE, for `POST /bookings`: one that isn't there is refused at once, not parked afterwards.

The file may be changed while `web` runs. While it can't be read, a unit that the last good file didn't have isn't
refused: the worker decides about the message.
"""

from collections.abc import Iterator
from pathlib import Path

from shared.current_units import CurrentUnits


class KnownUnits:
    """A container of units, as the file has them now."""

    def __init__(self, path: Path) -> None:
        self._units = CurrentUnits(path)

    def __contains__(self, unit: object) -> bool:
        """Say whether the unit is in the file; True where nobody can say."""
        return unit in self._units or bool(self._units.problem)

    def __iter__(self) -> Iterator[str]:
        """Yield the units that the file has."""
        return iter(self._units)

    def __len__(self) -> int:
        """Return how many the file has."""
        return len(self._units)
