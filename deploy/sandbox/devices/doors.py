"""All doors by device id: added, changed, removed."""

from collections.abc import Iterator
from dataclasses import replace
from itertools import count

from deploy.sandbox.clock import Clock
from deploy.sandbox.devices.door import Door
from deploy.sandbox.devices.spec import Behaviour, DoorSpec, described_device
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import ControlError, not_found, unknown
from deploy.sandbox.models import is_uuid
from deploy.sandbox.store import Collection, Store


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

    def find(self, device_id: str) -> Door | None:
        """Return one door."""
        return self._kept.get(device_id)

    def get(self, device_id: str, *, is_managed: bool = True) -> Door:
        """Return a managed or an unmanaged door to the API.

        Raises:
            ApiError: 404, as Seam answers.

        """
        door = self._kept.get(device_id)
        if door is None or door.is_managed is not is_managed:
            raise not_found("device", device_id)
        return door

    def control(self, device_id: str) -> Door:
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
        device = described_device(spec, seq, self._clock())
        return self._replace(Door(seq, device, spec.behaviour(), spec))

    def put_raw(self, device: JsonObject, behaviour: Behaviour | None = None) -> Door:
        """Add or replace a door by the very object that Seam shall serve.

        Raises:
            ControlError: its ``device_id`` is no UUID: the API would refuse every question about it.

        """
        device_id = device.get("device_id")
        if not isinstance(device_id, str) or not is_uuid(device_id):
            raise ControlError("device.device_id: a UUID is needed")
        return self._replace(Door(self._seq_of(device_id), device, behaviour or Behaviour()))

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
        return self.put(replace(door, behaviour=behaviour))

    def put(self, door: Door) -> Door:
        """Insert or replace a door."""
        self._kept.put(door.device_id, door)
        return door

    def remove(self, device_id: str) -> None:
        """Take a door away."""
        self._kept.remove(device_id)

    def _replace(self, door: Door) -> Door:
        """Store a door anew; what happened to the door before still stands."""
        known = self._kept.get(door.device_id)
        if known is not None:
            door = replace(
                door,
                issues=known.issues,
                is_managed=known.is_managed,
                nickname=known.nickname,
                metadata=known.metadata,
                overrides=known.overrides,
            )
        return self.put(door)

    def _seq_of(self, device_id: str) -> int:
        known = self._kept.get(device_id)
        return known.seq if known else next(self._seq)
