"""A door described briefly by a person or a test, and the Seam device object that it becomes."""

from datetime import datetime
from typing import Annotated, Literal
from uuid import NAMESPACE_URL, uuid4, uuid5
from zoneinfo import ZoneInfo

from pydantic import AfterValidator, BaseModel, ConfigDict, Field, NonNegativeFloat, PositiveInt

from deploy.sandbox.wire import JsonObject, instant

WORKSPACE_ID = "99999999-9999-4999-8999-000000000001"
CONNECTED_ACCOUNT_ID = "99999999-9999-4999-8999-000000000002"
SITE_NAME = "Ocean Beach Vacations"
DEVICE_TYPE = "dormakaba_oracode_door"


def _known_zone(name: str) -> str:
    try:
        ZoneInfo(name)
    except (OSError, KeyError) as problem:
        raise ValueError(f"unknown time zone {name!r}") from problem
    return name


ZoneName = Annotated[str, AfterValidator(_known_zone)]
ClockTime = Annotated[str, Field(pattern=r"^([01]\d|2[0-3]):[0-5]\d(:[0-5]\d)?$")]


class Strict(BaseModel):
    """A body in which every unknown field is a mistake."""

    model_config = ConfigDict(frozen=True, extra="forbid", allow_inf_nan=False)


class SlotSpec(Strict):
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


class CodeFlags(Strict):
    """What the provider lets be done to a code once it exists; by default nothing."""

    is_cancellable: bool = False
    is_extendable: bool = False
    is_early_checkin_able: bool = False
    is_overridable: bool = False


class Behaviour(Strict):
    """How the sandbox treats a door's codes, whatever the device object says."""

    program_lead_seconds: NonNegativeFloat | None = None
    no_slot_behaviour: Literal["refuse", "fail_later"] = "refuse"
    pin_at_create: bool = False
    retry_after_on_429: NonNegativeFloat | None = None
    code_flags: CodeFlags = CodeFlags()


class DoorSpec(Behaviour):
    """A door in a few words."""

    device_id: str = Field(default_factory=lambda: str(uuid4()), min_length=1)
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


def device_object(spec: DoorSpec, door_id: int, made_at: datetime) -> JsonObject:
    """Return the device as Seam's "Device" resource describes it."""
    properties: JsonObject = {
        "online": False,
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
        "connected_account_id": CONNECTED_ACCOUNT_ID,
        "created_at": instant(made_at),
        "errors": [],
        "warnings": [],
        "is_managed": True,
        "custom_metadata": {},
        "space_ids": [],
        "can_remotely_unlock": False,
        "can_remotely_lock": False,
        "can_program_online_access_codes": False,
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
