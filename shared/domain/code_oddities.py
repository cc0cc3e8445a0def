"""What Seam made against what it was asked for: a difference is told, with both sides, on the lock's clock.

A code that opens the door at other times, or at another user level (which may be another door), than the booking was
matched to is not the code that this booking needs, however happily Seam reports it.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Final

from shared.domain.records import BookedDoor, Window, on_clock_of
from shared.domain.seam_words import in_words

_CHANGED_OUTSIDE: Final = "external_modification_in_effect"


@dataclass(frozen=True, slots=True)
class Oddity:
    """What is odd about a code that Seam reports as well: a reason and its detail, both empty where nothing is."""

    reason: str = ""
    detail: str = ""


def oddity_of(
    door: BookedDoor,
    *,
    made: Window,
    user_level_id: str | None,
    pending: Collection[str],
    warnings: Collection[tuple[str, str]],
) -> Oddity:
    """Compare the code with what the door's code was asked for. What isn't known on either side isn't compared."""
    asked, asked_level = door.asked, door.asked_user_level_id
    # A window that is being changed differs because it is being changed.
    if asked is not None and asked != made and "updating_time_frame" not in pending:
        return Oddity("window_differs", f"Asked for {_span(asked)}, got {_span(on_clock_of(asked, made))}.")
    if asked_level and user_level_id and asked_level != user_level_id:
        return Oddity("user_level_differs", f"Asked for user level {asked_level}, got {user_level_id}.")
    for code, message in warnings:
        if code == _CHANGED_OUTSIDE:
            return Oddity("changed_outside", f"{in_words(code, message)}.")
    return Oddity()


def _span(window: Window) -> str:
    return f"{window.starts_at:%Y-%m-%d %H:%M} to {window.ends_at:%Y-%m-%d %H:%M}"
