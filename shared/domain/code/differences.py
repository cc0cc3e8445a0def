"""Compares what Seam made with what it was asked for. A difference is told with both sides, on the lock's clock.

A code that opens the door at other times, or at another user level (which may be another door), than the booking was
matched to is not the code that this booking needs, even if Seam confirms it.
"""

from collections.abc import Collection, Iterator
from datetime import datetime
from typing import Final

from shared.domain.booking.problem_catalogue import Reason
from shared.domain.booking.record import BookedDoor, Window, on_clock_of
from shared.domain.code.condition import Finding
from shared.domain.seam_issues import SeamIssue

_CHANGING: Final = "updating_time_frame"
_NOT_CHANGED: Final = "failed_to_update"
_PIN: Final = "code"
_CHANGE_THAT_STAYS: Final = "external_modification_in_effect"


def window_in_effect(made: Window | None, warnings: Collection[SeamIssue]) -> Window | None:
    """Return when a code opens the door: as Seam names it, or as somebody changed it outside of Seam if that stays.

    Seam SDK 3.18, `ExternalModificationInEffectWarning`: what was changed is honoured. Its `modified_fields` may be the
    only place that has the new times.
    """
    if made is None:
        return None
    fields = (each for issue in warnings if issue.code == _CHANGE_THAT_STAYS for each in issue.modified_fields)
    moved = {each.name: each.moment for each in fields if each.moment is not None}
    return Window(moved.get("starts_at", made.starts_at), moved.get("ends_at", made.ends_at))


def pin_replaced_at(warnings: Collection[SeamIssue]) -> datetime | None:
    """Return when somebody replaced a code's PIN outside Seam, if that stays; None where nobody did, or since when."""
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
    """Compare the code with what the door's code was asked for. What isn't known on either side isn't compared.

    A window that Seam is changing differs because it is being changed, unless Seam says that this failed: on the code,
    or in the change's action attempt. `made` is None where Seam names no times: then nobody knows whether the code
    opens the door when it should, and that blocks. So does a code that begins after the guest comes, or ends before the
    guest leaves: it isn't what was asked for.
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
        # A change that has failed blocks by itself, and names the cause.
        is_short = not has_failed and not _covers(made, _needed(door, asked))
        yield Finding(Reason.WINDOW_DIFFERS, text, blocks=is_short, is_retried=is_short)
    if asked_level and user_level_id and asked_level != user_level_id:
        yield Finding(Reason.USER_LEVEL_DIFFERS, f"Asked for user level {asked_level}, got {user_level_id}.")


def _needed(door: BookedDoor, asked: Window) -> Window:
    """Return the part of the stay that the code was asked for: a slot may begin after check-in, or end before."""
    return Window(
        max(asked.starts_at, door.check_in or asked.starts_at),
        min(asked.ends_at, door.check_out or asked.ends_at),
    )


def _covers(made: Window, needed: Window) -> bool:
    return made.starts_at <= needed.starts_at and needed.ends_at <= made.ends_at


def _span(window: Window) -> str:
    return f"{window.starts_at:%Y-%m-%d %H:%M} to {window.ends_at:%Y-%m-%d %H:%M}"
