"""The doors: what Seam serves of each, and what the sandbox does with its codes."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from itertools import count

from deploy.sandbox.clock import Clock
from deploy.sandbox.door_spec import Behaviour, DoorSpec, device_object
from deploy.sandbox.errors import ControlError, not_found, unknown
from deploy.sandbox.slots import Slot, slots_of
from deploy.sandbox.store import Collection, Store
from deploy.sandbox.wire import JsonObject


@dataclass(frozen=True, slots=True)
class Door:
    """A door; `spec` is None when it was given as a raw device object."""

    seq: int
    device: JsonObject
    behaviour: Behaviour
    spec: DoorSpec | None = None

    @property
    def device_id(self) -> str:
        """The id that Seam gave it."""
        return str(self.device["device_id"])

    @property
    def name(self) -> str:
        """The name shown to people."""
        return str(self.device.get("display_name") or self.properties.get("name") or self.device_id)

    @property
    def properties(self) -> JsonObject:
        """The device's properties, or nothing where they are malformed."""
        found = self.device.get("properties")
        return found if isinstance(found, dict) else {}

    @property
    def slots(self) -> tuple[Slot, ...]:
        """The slots that can be read from the served device object."""
        return slots_of(self.device)

    @property
    def offers_offline_codes(self) -> bool:
        """Seam's capability flags: only a present ``true`` is a yes."""
        return self.device.get("can_program_offline_access_codes") is True

    @property
    def max_active_codes(self) -> int | None:
        """How many codes fit on the lock; None is no known limit."""
        found = self.properties.get("max_active_codes_supported")
        return int(found) if isinstance(found, int | float) else None


class Doors:
    """All doors by device id."""

    def __init__(self, store: Store, clock: Clock) -> None:
        """Load the doors."""
        self._kept = Collection(store, "doors", Door)
        self._clock = clock
        self._seq = count(max((door.seq for door in self._kept.values()), default=0) + 1)

    def __iter__(self) -> Iterator[Door]:
        return iter(self._kept.values())

    def __len__(self) -> int:
        return len(self._kept)

    def get(self, device_id: str) -> Door:
        """Return a door.

        Raises:
            ApiError: 404, as Seam answers.

        """
        door = self._kept.get(device_id)
        if door is None:
            raise not_found("device", device_id)
        return door

    def find(self, device_id: str) -> Door:
        """Return a door to a control endpoint.

        Raises:
            ControlError: there is none.

        """
        door = self._kept.get(device_id)
        if door is None:
            raise unknown("door", device_id)
        return door

    def describe(self, spec: DoorSpec) -> Door:
        """Add or replace a door by its short description."""
        seq = self._seq_of(spec.device_id)
        return self._keep(Door(seq, device_object(spec, seq, self._clock()), spec.behaviour(), spec))

    def put_raw(self, device: JsonObject, behaviour: Behaviour | None = None) -> Door:
        """Add or replace a door by the very object that Seam shall serve.

        Raises:
            ControlError: it has no ``device_id``.

        """
        device_id = device.get("device_id")
        if not isinstance(device_id, str) or not device_id:
            raise ControlError("device.device_id: a non-empty string is needed")
        return self._keep(Door(self._seq_of(device_id), device, behaviour or Behaviour()))

    def change(self, door: Door, changes: JsonObject) -> Door:
        """Change some of a door's fields; this is how an installer changes its slots.

        Raises:
            ControlError: a field of the short description, on a door that was given raw.
            pydantic.ValidationError: an unknown field or an impossible value.

        """
        if door.spec is not None:
            merged = {**door.spec.model_dump(), **changes, "device_id": door.device_id}
            return self.describe(DoorSpec.model_validate(merged))
        foreign = sorted(set(changes) - set(Behaviour.model_fields))
        if foreign:
            names = ", ".join(foreign)
            raise ControlError(f"this door was given as a raw device: send it again to change {names}")
        behaviour = Behaviour.model_validate({**door.behaviour.model_dump(), **changes})
        return self._keep(replace(door, behaviour=behaviour))

    def remove(self, device_id: str) -> None:
        """Take a door away."""
        self._kept.remove(device_id)

    def _keep(self, door: Door) -> Door:
        self._kept.put(door.device_id, door)
        return door

    def _seq_of(self, device_id: str) -> int:
        known = self._kept.get(device_id)
        return known.seq if known else next(self._seq)
