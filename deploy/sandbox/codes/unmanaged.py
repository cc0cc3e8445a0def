"""Codes that Seam found on a lock and didn't make (``/access_codes/simulate/create_unmanaged_access_code``)."""

from dataclasses import dataclass
from datetime import datetime

from deploy.sandbox.store import Collection, Store


@dataclass(frozen=True, slots=True)
class FoundCode:
    """A code without a window: it was programmed at the lock, and Seam knows none."""

    access_code_id: str
    seq: int
    device_id: str
    name: str
    pin: str
    created_at: datetime


class FoundCodes:
    """All found codes by id."""

    def __init__(self, store: Store) -> None:
        """Load the codes."""
        self._kept = Collection(store, "found_codes", FoundCode)

    def put(self, code: FoundCode) -> FoundCode:
        """Insert a code."""
        self._kept.put(code.access_code_id, code)
        return code

    def find(self, access_code_id: str) -> FoundCode | None:
        """Return one code."""
        return self._kept.get(access_code_id)

    def of_door(self, device_id: str) -> list[FoundCode]:
        """Return a door's codes."""
        return [code for code in self._kept.values() if code.device_id == device_id]

    def everything(self) -> list[FoundCode]:
        """Return all codes."""
        return self._kept.values()

    def remove(self, access_code_id: str) -> None:
        """Delete a code."""
        self._kept.remove(access_code_id)
