"""Compares the code that Seam made with the one it was asked for. A difference is told with both, on the lock's clock.

The booking was matched to a window and a user level. A code with other times, or with another user level (which may be
another door), isn't the code that the booking needs, even if Seam confirms it.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final

from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import BookedDoor, Window, on_clock_of
from shared.domain.code.condition import Finding
from shared.domain.seam_issues import SeamIssue
from shared.domain.times.wording import show_span

_CHANGING: Final = "updating_time_frame"
_NOT_CHANGED: Final = "failed_to_update"
_PIN: Final = "code"
_CHANGE_THAT_STAYS: Final = "external_modification_in_effect"


def window_in_effect(made: Window | None, warnings: Collection[SeamIssue]) -> Window | None:
    """Return when a code opens the door: `made`, with the times that somebody changed outside of Seam, if in effect.

    Seam SDK 3.18, `ExternalModificationInEffectWarning`: Seam keeps such a change. The new times may be in its
    `modified_fields` only.
    """
    if made is None:
        return None
    fields = (each for issue in warnings if issue.code == _CHANGE_THAT_STAYS for each in issue.modified_fields)
    moved = {each.name: each.moment for each in fields if each.moment is not None}
    return Window(moved.get("starts_at", made.starts_at), moved.get("ends_at", made.ends_at))


def pin_replaced_at(warnings: Collection[SeamIssue]) -> datetime | None:
    """Return when somebody replaced the PIN outside of Seam, if that is in effect; None if nobody did.

    It is also None if Seam names no time.
    """
    moments = (
        issue.created_at
        for issue in warnings
        if issue.code == _CHANGE_THAT_STAYS and any(each.name == _PIN for each in issue.modified_fields)
    )
    return max((at for at in moments if at is not None), default=None)


def differences_of(
    door: BookedDoor,
    *,
    made: Window | None,
    user_level_id: str | None,
    pending: Collection[str],
    errors: Collection[SeamIssue],
) -> Iterator[Finding]:
    """Compare the code with what was asked for. If one of two values isn't known, they aren't compared.

    While Seam is changing the window, a difference is expected, unless Seam says that the change failed: on the code,
    or in its action attempt. `made` is None if Seam names no times: nobody knows when the code opens the door, so that
    blocks. A code that begins after check-in or ends before check-out blocks, too, if the code asked for didn't.
    """
    asked, asked_level = door.asked, door.asked_user_level_id
    has_failed = any(each.code == _NOT_CHANGED for each in errors)
    failure = door.code.update_failure if door.code is not None else ""
    is_changing = _CHANGING in pending and not has_failed and not failure
    if made is None and not is_changing:
        wanted = f"Asked for {_span(asked)}; " if asked is not None else ""
        text = f"{wanted}Seam names no start or no end of the code, so nobody knows when it opens the door."
        yield Finding(Reason.WINDOW_DIFFERS, text, blocks=True, is_retried=True)
    elif made is not None and asked is not None and asked != made and not is_changing:
        text = f"Asked for {_span(asked)}, got {_span(on_clock_of(asked, made))}."
        text += f" Seam says of the change: {failure.rstrip('.')}." if failure and not has_failed else ""
        # A failed change is an error of the code, which blocks already and names the cause.
        is_short = not has_failed and not _covers(made, _needed(door, asked))
        yield Finding(Reason.WINDOW_DIFFERS, text, blocks=is_short, is_retried=is_short)
    if asked_level and user_level_id and asked_level != user_level_id:
        yield Finding(Reason.USER_LEVEL_DIFFERS, f"Asked for user level {asked_level}, got {user_level_id}.")


def _needed(door: BookedDoor, asked: Window) -> Window:
    """Return the part of the stay in the window asked for: a slot may begin after check-in, or end before check-out."""
    return Window(
        max(asked.starts_at, door.check_in or asked.starts_at),
        min(asked.ends_at, door.check_out or asked.ends_at),
    )


def _covers(made: Window, needed: Window) -> bool:
    return made.starts_at <= needed.starts_at and needed.ends_at <= made.ends_at


def _span(window: Window) -> str:
    return show_span(window.starts_at, window.ends_at)
