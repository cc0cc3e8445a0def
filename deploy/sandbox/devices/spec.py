"""A door described briefly by a person or a test, and the Seam device object that it becomes."""

from datetime import datetime
from typing import Literal
from uuid import NAMESPACE_URL, uuid4, uuid5
from zoneinfo import ZoneInfo

from pydantic import Field, NonNegativeFloat, NonNegativeInt, PositiveInt

from deploy.sandbox.encoding import JsonObject, format_timestamp
from deploy.sandbox.ids import CONNECTED_ACCOUNT_ID, WORKSPACE_ID
from deploy.sandbox.models import ClockTime, StrictModel, Uuid, ZoneName

SITE_NAME = "Ocean Beach Vacations"
DEVICE_TYPE = "dormakaba_oracode_door"


class SlotSpec(StrictModel):
    """One time slot; times are ``HH:MM`` in the door's zone, unless another zone is named."""

    name: str
    check_in: ClockTime
    check_out: ClockTime
    is_24_hour: bool = False
    is_master: bool = False
    is_one_shot: bool = False
    is_biweekly_mode: bool = False
    time_zone: ZoneName | None = None
    user_level_id: str | None = None
    prefix: int = 0


class CodeFlags(StrictModel):
    """What the provider lets be done to a code once it exists; by default nothing."""

    is_cancellable: bool = False
    is_extendable: bool = False
    is_early_checkin_able: bool = False
    is_overridable: bool = False


class Behaviour(StrictModel):
    """How the sandbox treats a door's codes; the device object says nothing of it.

    `override_budget` is how often codes of the door can be overridden (none: without limit); only codes with the flag
    ``is_overridable`` can be at all. With `updates_fail` and `removals_fail` the device takes no updates, or keeps
    codes that are to be removed: Seam shows an error and goes on trying.
    """

    program_lead_seconds: NonNegativeFloat | None = None
    no_slot_behaviour: Literal["refuse", "fail_later"] = "refuse"
    pin_at_create: bool = False
    retry_after_on_429: NonNegativeFloat | None = None
    code_flags: CodeFlags = CodeFlags()
    override_budget: NonNegativeInt | None = None
    updates_fail: bool = False
    removals_fail: bool = False


class DoorSpec(Behaviour):
    """A door in a few words."""

    device_id: Uuid = Field(default_factory=lambda: str(uuid4()))
    connected_account_id: Uuid = CONNECTED_ACCOUNT_ID
    online: bool = True
    custom_metadata: dict[str, str | bool] = Field(default_factory=dict)
    name: str = "Door"
    time_zone: ZoneName = "America/Los_Angeles"
    slots: tuple[SlotSpec, ...] = ()
    offline_codes: bool | None = True
    max_active_codes: PositiveInt | None = None
    tod_style: Literal["zone", "offset_zone", "bare"] = "zone"
    prefix_field: Literal["schema", "ext"] = "schema"

    def behaviour(self) -> Behaviour:
        """Return the part that no device object shows."""
        return Behaviour(**{name: getattr(self, name) for name in Behaviour.model_fields})


def described_device(spec: DoorSpec, door_id: int, made_at: datetime) -> JsonObject:
    """Return the device as Seam's "Device" resource describes it."""
    properties: JsonObject = {
        "online": spec.online,
        "name": spec.name,
        "manufacturer": "dormakaba_oracode",
        "appearance": {"name": spec.name},
        "model": {"display_name": "Oracode Lock", "manufacturer_display_name": "dormakaba Oracode"},
        "has_native_entry_events": False,
        "code_constraints": [{"constraint_type": "cannot_specify_pin_code"}],
        "dormakaba_oracode_metadata": {
            "door_id": door_id,
            "door_name": spec.name,
            "device_id": str(door_id),
            "door_is_wireless": False,
            "site_id": 1,
            "site_name": SITE_NAME,
            "iana_timezone": spec.time_zone,
            "predefined_time_slots": [_slot_object(spec, slot, made_at) for slot in spec.slots],
        },
    }
    if spec.max_active_codes is not None:
        properties["max_active_codes_supported"] = spec.max_active_codes
    capable = {} if spec.offline_codes is None else {"can_program_offline_access_codes": spec.offline_codes}
    return {
        "device_id": spec.device_id,
        "device_type": DEVICE_TYPE,
        "display_name": spec.name,
        "capabilities_supported": ["access_code"],
        "properties": properties,
        "location": {
            "time_zone": spec.time_zone,
            "timezone": spec.time_zone,
            "location_name": SITE_NAME,
        },
        "workspace_id": WORKSPACE_ID,
        "connected_account_id": spec.connected_account_id,
        "created_at": format_timestamp(made_at),
        "errors": [],
        "warnings": [],
        "is_managed": True,
        "custom_metadata": spec.custom_metadata,
        "space_ids": [],
        "can_remotely_unlock": False,
        "can_remotely_lock": False,
        "can_program_online_access_codes": False,
        "can_simulate_connection": True,
        "can_simulate_disconnection": True,
        "can_simulate_removal": True,
        **capable,
    }


def _slot_object(spec: DoorSpec, slot: SlotSpec, made_at: datetime) -> JsonObject:
    level_id = slot.user_level_id or str(uuid5(NAMESPACE_URL, f"{spec.device_id}/{slot.name}"))
    prefix = "" if spec.prefix_field == "schema" else "ext_"
    return {
        "name": slot.name,
        "prefix": slot.prefix,
        "is_master": slot.is_master,
        "is_24_hour": slot.is_24_hour,
        "is_one_shot": slot.is_one_shot,
        "check_in_time": _time_of_day(spec, slot, slot.check_in, made_at),
        "check_out_time": _time_of_day(spec, slot, slot.check_out, made_at),
        "is_biweekly_mode": slot.is_biweekly_mode,
        "dormakaba_oracode_user_level_id": level_id,
        f"{prefix}dormakaba_oracode_user_level_prefix": slot.prefix,
    }


def _time_of_day(spec: DoorSpec, slot: SlotSpec, at: str, made_at: datetime) -> str:
    zone = slot.time_zone or spec.time_zone
    seconds = at if at.count(":") > 1 else f"{at}:00"
    if spec.tod_style == "bare":
        return seconds
    offset = ""
    if spec.tod_style == "offset_zone":
        offset = made_at.astimezone(ZoneInfo(zone)).isoformat()[-len("+00:00") :]
    return f"{seconds}{offset}[{zone}]"
