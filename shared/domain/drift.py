"""Whether a code that exists still fits its door, after somebody changed the door's time slots or zone. Pure."""

from shared.domain.planning import Alter, Plan
from shared.domain.records import BookedDoor


def drift_of(booked: BookedDoor, plan: Plan | None) -> str:
    """Say how the door drifted from under the code, empty where it didn't; `plan` is that of the door as it is now.

    The code was made for a slot that the stay was matched to. If the same stay would now get other times, or none, that
    slot was changed or taken away; what the lock does with codes made before is for the installer to say.
    """
    if booked.code is None or plan is None or booked.code.window != booked.asked:
        return ""
    match plan.decision:
        case Alter(None):
            return "None of its slots fits this stay any more."
        case Alter(window) if window is not None:
            times = f"{window.starts_at:%Y-%m-%d %H:%M} to {window.ends_at:%Y-%m-%d %H:%M}"
            return f"The same stay would get {times} now."
        case _:
            return ""
