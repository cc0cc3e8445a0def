"""A new access code, before it is programmed: its PIN, its window, when Seam will program it."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from uuid import uuid4

from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.codes.codes import Code, Phase
from deploy.sandbox.codes.objects import mutation
from deploy.sandbox.codes.rounding import Taken
from deploy.sandbox.devices.door import Door
from deploy.sandbox.devices.spec import SITE_NAME
from deploy.sandbox.encoding import format_timestamp
from deploy.sandbox.randomness import random_source

_PINS = 1_000_000
_random = random_source()


@dataclass(frozen=True, slots=True)
class Unmatched:
    """The window that was asked for, where no slot fits it."""

    starts_at: datetime
    ends_at: datetime


def new_code(
    sandbox: Sandbox, door: Door, window: Taken | Unmatched, *, name: str | None, failure: str | None, stands: bool
) -> Code:
    """Return a code that isn't programmed yet.

    With a `failure`, it ends with that error instead of getting set. `stands`: changes outside of Seam stay.
    """
    now, seq = sandbox.clock(), sandbox.codes.next_seq()
    programmed_at = max(now, window.starts_at - lead) if (lead := _lead(sandbox, door)) else now
    if programmed_at > now:
        pending = mutation(
            "deferring_creation",
            now,
            "Seam is waiting until closer to the start time to program the access code.",
            scheduled_at=format_timestamp(programmed_at),
        )
    else:
        pending = mutation("creating", now, "Seam is setting the access code on the device.")
    slot = window.slot if isinstance(window, Taken) else None
    level = {"user_level_id": slot.user_level_id} if slot is not None and slot.user_level_id is not None else {}
    return Code(
        access_code_id=str(uuid4()),
        action_attempt_id=str(uuid4()),
        seq=seq,
        device_id=door.device_id,
        name=name,
        pin=_free_pin(sandbox, door),
        is_pin_shown=door.behaviour.pin_at_create,
        created_at=now,
        starts_at=window.starts_at,
        ends_at=window.ends_at,
        phase=Phase.UNSET,
        due_at=programmed_at + sandbox.lifecycle.step,
        metadata={
            "stay_id": seq,
            **level,
            "user_level_name": slot.name if slot is not None else None,
            "site_name": SITE_NAME,
            **door.behaviour.code_flags.model_dump(),
        },
        failure=failure,
        mutations=(pending,),
        is_external_modification_allowed=stands,
    )


def _lead(sandbox: Sandbox, door: Door) -> timedelta | None:
    seconds = door.behaviour.program_lead_seconds
    if seconds is None:
        seconds = sandbox.settings.current.program_lead_seconds
    return None if seconds is None else timedelta(seconds=seconds)


def _free_pin(sandbox: Sandbox, door: Door) -> str:
    """Six digits, as in Seam's get-started guide, that the door never had."""
    while True:
        pin = f"{_random.randrange(_PINS):06}"
        if not sandbox.codes.is_pin_used(door.device_id, pin):
            return pin
