"""What a new code in place of a lost one would mean, before anybody orders it."""

from collections.abc import Iterator
from datetime import datetime
from zoneinfo import ZoneInfo

from shared.domain.booking.record import AccessCode, BookedDoor
from shared.domain.times.wording import show_day_and_time


def preview_of(door: BookedDoor, code: AccessCode, *, may_be_deleted: bool | None) -> Iterator[str]:
    """Yield what a person should know before `code` of this door is replaced, a sentence each.

    `may_be_deleted` is what Seam's flags of the code say; None where Seam wasn't asked, or didn't answer.
    """
    until = _moment(code.window.ends_at, door.time_zone)
    yield f"Access code {code.access_code_id} opens the door until {until}."
    match may_be_deleted:
        case True:
            yield "Seam lets it be deleted, and is asked once the new code is confirmed. Until then both open the door."
        case False:
            yield f"It can't be deleted: anybody who has its PIN can open the door until {until}."
        case None:
            yield (
                "Seam may let it be deleted once the new code is confirmed. If it doesn't, it opens the door until it"
                " ends."
            )
    yield "The new code normally has another PIN. Give it to the guest."
    for other in door.residual:
        if other.window.ends_at > code.known_since:
            yield (
                f"The earlier access code {other.access_code_id} opens the door until"
                f" {_moment(other.window.ends_at, door.time_zone)}."
            )


def _moment(at: datetime, time_zone: str | None) -> str:
    """Return a moment on the lock's clock, for people."""
    local = at.astimezone(ZoneInfo(time_zone)) if time_zone else at
    return f"{show_day_and_time(local)} {time_zone or f'{local:%z}'}"
