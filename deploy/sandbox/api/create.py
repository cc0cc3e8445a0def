"""``/access_codes/create`` for Oracode doors: Seam's own checks, then the provider's.

There is no idempotency key and names need not be unique: the same call twice makes two codes.
"""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from deploy.sandbox.api.params import Params
from deploy.sandbox.code_objects import attempt_object, code_object, mutation
from deploy.sandbox.codes import Code, Phase
from deploy.sandbox.door_spec import SITE_NAME
from deploy.sandbox.doors import Door
from deploy.sandbox.errors import refused
from deploy.sandbox.rounding import Refusal, Taken, take_slot
from deploy.sandbox.wire import JsonObject, dice, instant
from deploy.sandbox.world import World

OPERATION = "access_codes.create"
# max_time_rounding, with whether it means daily-bound slots (API reference).
ROUNDINGS = {"1hour": False, "1h": False, "1day": True, "1d": True}
_PINS = 1_000_000
_dice = dice()


@dataclass(frozen=True, slots=True)
class _Wanted:
    name: str | None
    starts_at: datetime
    ends_at: datetime
    daily: bool


def create(world: World, params: Params) -> JsonObject:
    """Create an offline access code.

    Raises:
        ApiError: 404 unknown device, 429 per-device limit, 400 everything else.

    """
    door = world.doors.get(params.required("device_id"))
    spend(world, OPERATION, door)
    wanted = _read(params, world.clock())
    if not door.offers_offline_codes:
        raise refused("The device does not support offline access codes")
    taken = take_slot(door.slots, wanted.starts_at, wanted.ends_at, daily=wanted.daily)
    failure: str | None = None
    if isinstance(taken, Refusal):
        if door.behaviour.no_slot_behaviour == "refuse":
            raise refused(taken.value)
        failure = "provider_issue"
    elif _is_full(world, door):
        failure = "no_space_for_access_code_on_device"
    code = world.lifecycle.admit(_new_code(world, door, wanted, taken, failure))
    return {"access_code": code_object(code), "action_attempt": attempt_object(code)}


def spend(world: World, operation: str, door: Door) -> None:
    """Count a call against the door's rate limit.

    Raises:
        ApiError: 429.

    """
    if not world.dials.current.rate_limits:
        return
    retry_after = door.behaviour.retry_after_on_429
    if retry_after is None:
        retry_after = world.dials.current.retry_after_on_429
    world.limits.spend(operation, door.device_id, retry_after)


def _read(params: Params, now: datetime) -> _Wanted:
    name = params.string("name")
    starts_at, ends_at = params.instant("starts_at"), params.instant("ends_at")
    is_offline = params.flag("is_offline_access_code") or params.flag("use_offline_access_code")
    rounding = params.string("max_time_rounding") or "1hour"
    for field in ("starts_at", "ends_at"):
        if field not in params.values:
            params.complain(field, "Required for an offline access code")
    if rounding not in ROUNDINGS:
        params.complain("max_time_rounding", f"Expected one of {', '.join(ROUNDINGS)}")
    if "code" in params.values:
        params.complain("code", "A custom code cannot be set for an offline access code")
    if starts_at is not None and ends_at is not None:
        if ends_at <= starts_at:
            params.complain("ends_at", "ends_at must be after starts_at")
        elif ends_at <= now:
            params.complain("ends_at", "ends_at must be in the future")
    params.check()
    if not is_offline:
        raise refused("The device only supports offline access codes")
    if starts_at is None or ends_at is None:
        raise refused("starts_at and ends_at are required")
    return _Wanted(name, starts_at, ends_at, daily=ROUNDINGS[rounding])


def _is_full(world: World, door: Door) -> bool:
    limit = door.max_active_codes
    return limit is not None and world.codes.count_of_door(door.device_id) >= limit


def _new_code(world: World, door: Door, wanted: _Wanted, taken: Taken | Refusal, failure: str | None) -> Code:
    now, seq = world.clock(), world.codes.next_seq()
    window = wanted if isinstance(taken, Refusal) else taken
    programmed_at = max(now, window.starts_at - lead) if (lead := _lead(world, door)) else now
    if programmed_at > now:
        pending = mutation(
            "deferring_creation",
            now,
            "Seam is waiting until closer to the start time to program the access code.",
            scheduled_at=instant(programmed_at),
        )
    else:
        pending = mutation("creating", now, "Seam is setting the access code on the device.")
    return Code(
        access_code_id=str(uuid4()),
        action_attempt_id=str(uuid4()),
        seq=seq,
        device_id=door.device_id,
        name=wanted.name,
        pin=_free_pin(world, door),
        is_pin_shown=door.behaviour.pin_at_create,
        created_at=now,
        starts_at=window.starts_at,
        ends_at=window.ends_at,
        phase=Phase.UNSET,
        due_at=programmed_at + world.lifecycle.step,
        metadata={
            "stay_id": seq,
            "user_level_id": None if isinstance(taken, Refusal) else taken.slot.user_level_id,
            "user_level_name": None if isinstance(taken, Refusal) else taken.slot.name,
            "site_name": SITE_NAME,
            **door.behaviour.code_flags.model_dump(),
        },
        failure=failure,
        mutations=(pending,),
    )


def _lead(world: World, door: Door) -> timedelta | None:
    seconds = door.behaviour.program_lead_seconds
    if seconds is None:
        seconds = world.dials.current.program_lead_seconds
    return None if seconds is None else timedelta(seconds=seconds)


def _free_pin(world: World, door: Door) -> str:
    """Six digits, as in Seam's get-started guide, that the door never had."""
    while True:
        pin = f"{_dice.randrange(_PINS):06}"
        if not world.codes.is_pin_used(door.device_id, pin):
            return pin
