"""What a refused request of the console is answered with: one table for pages and API."""

from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from receiver.console.authentication import FromElsewhere, NotAllowed
from receiver.console.operations import Conflict, NotFound, SeamAway, Unusable
from receiver.refusals import BodyTooLarge, InvalidToken, TooManyAuthFailures, Unavailable


@dataclass(frozen=True, slots=True)
class Refused:
    """Status, the word that programs read, the sentence that people read, and more."""

    status: int
    error: str
    text: str
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)


REFUSALS: Final = (
    InvalidToken,
    TooManyAuthFailures,
    NotAllowed,
    FromElsewhere,
    NotFound,
    Conflict,
    Unusable,
    SeamAway,
    BodyTooLarge,
    Unavailable,
)


def refused(refusal: Exception) -> Refused:  # noqa: PLR0911 - one answer for each
    """Return what the refusal is answered with. `refusal` is one of REFUSALS."""
    match refusal:
        case InvalidToken():
            return Refused(
                HTTPStatus.UNAUTHORIZED, "unauthorized", "This token isn't known.", {"www-authenticate": "Bearer"}
            )
        case TooManyAuthFailures(retry_after=seconds):
            text = f"Too many failed tries. Try again in {seconds} seconds."
            return Refused(HTTPStatus.TOO_MANY_REQUESTS, "too_many_failures", text, {"retry-after": str(seconds)})
        case NotAllowed(needed=needed):
            text = f"This needs the role {needed}."
            return Refused(HTTPStatus.FORBIDDEN, "forbidden", text, more={"needed_role": str(needed)})
        case FromElsewhere():
            text = "This request did not come from a page of the console. Nothing was done."
            return Refused(HTTPStatus.FORBIDDEN, "from_elsewhere", text)
        case NotFound():
            return Refused(HTTPStatus.NOT_FOUND, "not_found", str(refusal))
        case Conflict():
            return Refused(HTTPStatus.CONFLICT, "conflict", str(refusal))
        case Unusable(problems=problems):
            return Refused(HTTPStatus.BAD_REQUEST, "unusable", str(refusal), more={"problems": problems})
        case SeamAway():
            return Refused(HTTPStatus.BAD_GATEWAY, "seam_away", str(refusal))
        case BodyTooLarge(limit=limit):
            text = f"The body is over {limit} bytes."
            return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", text)
        case _:
            text = "The data server can't be reached. Nothing was done; try again in a moment."
            return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", text, {"retry-after": "5"})
