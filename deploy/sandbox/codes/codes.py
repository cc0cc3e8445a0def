"""Access codes: what is stored of each, and all of them by door.

Fields and statuses follow Seam's "Access Code" resource; the lifecycle (``unset``, ``setting``, ``set``) its dormakaba
Oracode guide. A code that was removed is kept, since its PIN was handed out, but not served.
"""

from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from itertools import count

from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.store import Collection, Store


class Phase(StrEnum):
    """Where a code is in its life; finer than Seam's status.

    A failed code is not on the lock and Seam doesn't try to set it; a code that was removed outside of Seam, where that
    is allowed, is one too.
    """

    UNSET = "unset"
    SETTING = "setting"
    SET = "set"
    UPDATING = "updating"
    FAILED = "failed"
    REMOVING = "removing"
    GONE = "gone"


@dataclass(frozen=True, slots=True)
class Code:
    """One access code; all times in UTC.

    `due_at` is when its next phase begins. `failure` is the error code it will meet instead of getting set.
    `former_pins` are PINs that it had before, or that somebody gave it outside of Seam.
    """

    access_code_id: str
    action_attempt_id: str
    seq: int
    device_id: str
    name: str | None
    pin: str
    is_pin_shown: bool
    created_at: datetime
    starts_at: datetime
    ends_at: datetime
    phase: Phase
    due_at: datetime
    metadata: JsonObject
    failure: str | None = None
    former_pins: tuple[str, ...] = ()
    is_managed: bool = True
    is_external_modification_allowed: bool = False
    gone_at: datetime | None = None
    mutations: tuple[JsonObject, ...] = ()
    errors: tuple[JsonObject, ...] = ()
    warnings: tuple[JsonObject, ...] = ()

    @property
    def is_served(self) -> bool:
        """Whether the managed endpoints know it."""
        return self.is_managed and self.phase is not Phase.GONE

    @property
    def shown_pin(self) -> str | None:
        """The PIN, once Seam shows it."""
        return self.pin if self.is_pin_shown else None

    def allows(self, flag: str) -> bool:
        """Whether a capability flag of the code is true."""
        return self.metadata.get(flag) is True


@dataclass(slots=True)
class _Door:
    living: dict[str, Code] = field(default_factory=dict)
    pins: set[str] = field(default_factory=set)


class Codes:
    """All codes, those of each door apart, so that a full door slows no other."""

    def __init__(self, store: Store) -> None:
        """Load the codes."""
        self._kept = Collection(store, "codes", Code)
        self._doors: dict[str, _Door] = {}
        for code in self._kept.values():
            self._index(code)
        self._seq = count(max((code.seq for code in self._kept.values()), default=0) + 1)

    def put(self, code: Code) -> Code:
        """Insert or replace a code."""
        self._kept.put(code.access_code_id, code)
        self._index(code)
        return code

    def next_seq(self) -> int:
        """Return a number above all before it; lists are in this order."""
        return next(self._seq)

    def find(self, access_code_id: str) -> Code | None:
        """Return a code, removed or not."""
        return self._kept.get(access_code_id)

    def of_door(self, device_id: str) -> list[Code]:
        """Return a door's codes that are not removed."""
        door = self._doors.get(device_id)
        return list(door.living.values()) if door else []

    def count_of_door(self, device_id: str) -> int:
        """Return how many codes occupy a place on the lock."""
        return sum(code.phase is not Phase.FAILED for code in self.of_door(device_id))

    def is_pin_used(self, device_id: str, pin: str) -> bool:
        """Whether a door already has, or had, this PIN."""
        door = self._doors.get(device_id)
        return door is not None and pin in door.pins

    def pins_ever(self) -> list[str]:
        """Return every PIN that a code has or had."""
        return [pin for door in self._doors.values() for pin in door.pins]

    def everything(self) -> list[Code]:
        """Return every code there ever was."""
        return self._kept.values()

    def _index(self, code: Code) -> None:
        door = self._doors.setdefault(code.device_id, _Door())
        door.pins.update((code.pin, *code.former_pins))
        if code.phase is Phase.GONE:
            door.living.pop(code.access_code_id, None)
        else:
            door.living[code.access_code_id] = code
