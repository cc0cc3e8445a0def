"""The units of DOORS_FILE, for `POST /bookings`: one that isn't there is refused at once, not parked afterwards.

The file may be changed while `web` runs; it is read again when a unit is asked for after that. A file that can't be
read refuses nobody: what becomes of the message is then for the worker to say.
"""

from collections.abc import Collection
from pathlib import Path

import structlog

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class KnownUnits:
    """A container of units, as the file has them now."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changed_at: int | None = None
        self._units: Collection[str] | None = None

    def __contains__(self, unit: object) -> bool:
        """Say whether the unit is in the file; True where nobody can say."""
        self._read_if_changed()
        return self._units is None or unit in self._units

    def _read_if_changed(self) -> None:
        from shared.doors_file import load_doors_file  # noqa: PLC0415 - YAML is read where there is a file

        try:
            changed_at = self._path.stat().st_mtime_ns
            if changed_at != self._changed_at:
                self._changed_at = changed_at
                self._units = load_doors_file(self._path).keys()
        except (OSError, ValueError) as error:
            self._units = None
            log.warning("doors_file.unreadable", error=type(error).__name__)
