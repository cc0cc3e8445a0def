"""What to do for a door that needs a code: the plan is a value, decided from the booking, the door and the moment."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain.bookings import Stay
from shared.domain.doors import Door
from shared.domain.matching import Match, MatchPolicy, Outcome, match
from shared.domain.records import BookedDoor, Window
from shared.domain.retries import next_wait
from shared.domain.stay_times import instants_of
from shared.domain.suggestions import suggest

# What can't get better by waiting, only by a person.
_FINAL: Final = (Outcome.TOO_LONG, Outcome.INVALID_BOOKING)
_MOST_ADVICE: Final = 3


@dataclass(frozen=True, slots=True)
class Wait:
    """Nothing fits now; try again at `until`."""

    reason: str
    advice: str
    until: datetime


@dataclass(frozen=True, slots=True)
class Refuse:
    """Nothing will ever fit; a person must act."""

    reason: str
    advice: str


@dataclass(frozen=True, slots=True)
class Over:
    """Check-out has passed before anything was made: a code would serve nobody."""


@dataclass(frozen=True, slots=True)
class Postpone:
    """It fits, but its time hasn't come: codes that can't be taken back aren't spent on stays that may change."""

    until: datetime


@dataclass(frozen=True, slots=True)
class Keep:
    """The code at hand has exactly the wanted window."""

    window: Window


@dataclass(frozen=True, slots=True)
class Alter:
    """There is a code for another window: change it if its flags allow it, else set it aside."""

    window: Window | None


@dataclass(frozen=True, slots=True)
class Make:
    """Make a code for `window` now."""

    window: Window
    user_level_id: str
    max_time_rounding: str


Decision = Wait | Refuse | Over | Postpone | Keep | Alter | Make


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """The decision, with what the door itself told on the way, and the whole match for the booking's story."""

    decision: Decision
    door_name: str
    time_zone: str | None
    check_in: datetime
    check_out: datetime
    match: Mapping[str, Any]


def plan_for(
    stay: Stay,
    booked: BookedDoor,
    door: Door,
    *,
    policy: MatchPolicy,
    lead_time: timedelta,
    longest_wait: timedelta,
    now: datetime,
) -> Plan:
    """Decide what is to be done for one door of a booking. Pure."""
    found = match(stay, door, policy)
    zone = found.time_zone or door.time_zone
    check_in, check_out = instants_of(stay, zone)
    window = _window(found)
    decision: Decision
    if now >= check_out and booked.code is None:
        decision = Over()
    elif booked.code is not None:
        decision = Keep(window) if window == booked.code.window and window is not None else Alter(window)
    elif window is None:
        advice = " ".join(each.text for each in suggest(stay, door, policy, found)[:_MOST_ADVICE])
        if found.outcome in _FINAL:
            decision = Refuse(found.outcome, advice)
        else:
            decision = Wait(found.outcome, advice, next_wait(now=now, check_in=check_in, longest=longest_wait))
    elif now < check_in - lead_time:
        decision = Postpone(check_in - lead_time)
    else:
        level = found.slot.user_level_id if found.slot else ""
        decision = Make(window, level, found.max_time_rounding or "")
    return Plan(
        decision=decision,
        door_name=door.name,
        time_zone=zone,
        check_in=check_in,
        check_out=check_out,
        match=dict(found.as_json()),
    )


def _window(found: Match) -> Window | None:
    return Window(found.starts_at, found.ends_at) if found.starts_at is not None and found.ends_at is not None else None
