"""The units of DOORS_FILE as the file has them now: it may be changed while a process runs.

The file is read again when it is asked for a unit after a change. One that can't be read then changes nothing: the last
good one counts, and `problem` says what is wrong.
"""

import os
from collections.abc import Iterator, Mapping
from pathlib import Path
from threading import Lock

import structlog

from shared.domain.stay.stay import UnitRules

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class CurrentUnits(Mapping[str, UnitRules]):
    """A mapping of units to their rules. Safe for threads; a look at the file is one `stat`."""

    def __init__(self, path: Path, *, is_required: bool = False) -> None:
        """Read the file. One that can't be read leaves the mapping empty, and `problem` says why.

        Raises InvalidDoorsFile instead where it `is_required`.
        """
        self._path = path
        self._lock = Lock()
        self._state: tuple[int, ...] | None = None
        self._units: Mapping[str, UnitRules] | None = None
        self._problem = ""
        if is_required:
            self._read()
        else:
            self._read_if_changed()

    @classmethod
    def load(cls, path: Path) -> "CurrentUnits":
        """Return the units of a file that can be read. Raises InvalidDoorsFile."""
        return cls(path, is_required=True)

    @property
    def problem(self) -> str:
        """What is wrong with the file as it is now; empty where it can be read."""
        self._read_if_changed()
        return self._problem

    @property
    def is_known(self) -> bool:
        """Whether the file could ever be read."""
        self._read_if_changed()
        return self._units is not None

    def current(self) -> Mapping[str, UnitRules]:
        """Return the units as they are now: the same object for as long as the file isn't changed."""
        self._read_if_changed()
        return self._units or {}

    def __getitem__(self, unit: str) -> UnitRules:
        """Return the unit's rules. Raises KeyError for one that isn't in the file."""
        return self.current()[unit]

    def __iter__(self) -> Iterator[str]:
        """Yield the names of the units."""
        return iter(self.current())

    def __len__(self) -> int:
        """Return how many units there are."""
        return len(self.current())

    def _read_if_changed(self) -> None:
        with self._lock:
            state = _state_of(self._path)
            if state == self._state:
                return
            try:
                self._read()
            except ValueError as invalid:
                self._problem = str(invalid)
                log.warning("doors_file.unreadable", error=type(invalid).__name__)
            self._state = state

    def _read(self) -> None:
        """Take over what the file says. Raises InvalidDoorsFile, having changed nothing."""
        from shared.doors_file import load_doors_file  # noqa: PLC0415 - YAML is read where there is a file

        # Before the file: what is written while it is read is read again.
        state = _state_of(self._path)
        units = load_doors_file(self._path)
        self._units, self._state, self._problem = units, state, ""
        log.info("doors_file.read", units=len(units))


def _state_of(path: Path) -> tuple[int, ...]:
    """Return what changes with the file; a file that is replaced in the same moment is another inode."""
    try:
        found = os.stat(path)  # noqa: PTH116 - called for each booking
    except OSError:
        return ()
    return found.st_mtime_ns, found.st_size, found.st_ino
