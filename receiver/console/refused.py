"""What a refused request of the console is answered with: one table for pages and API."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Any, Final

from receiver.console.authentication import CrossSiteRequest, NotAllowed
from receiver.console.operations import Conflict, NotFound, SeamUnavailable, UnknownFields, Unusable
from receiver.refusals import BodyTooLarge, InvalidToken, NoRoom, TooManyAuthFailures, Unavailable
from shared.domain.versions import NewerVersionNeeded


@dataclass(frozen=True, slots=True)
class Refused:
    """Status, the word that programs read, the sentence that people read, and more.

    `links` are pages where the person can go on, by what stands there.
    """

    status: int
    error: str
    text: str
    headers: dict[str, str] = field(default_factory=dict)
    more: dict[str, Any] = field(default_factory=dict)
    links: Mapping[str, str] = field(default_factory=dict)


REFUSALS: Final = (
    InvalidToken,
    TooManyAuthFailures,
    NotAllowed,
    CrossSiteRequest,
    NotFound,
    Conflict,
    Unusable,
    SeamUnavailable,
    BodyTooLarge,
    NoRoom,
    NewerVersionNeeded,
    Unavailable,
)


def refused(refusal: Exception) -> Refused:  # noqa: C901, PLR0911, PLR0912 - one answer for each
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
        case CrossSiteRequest():
            text = "This request did not come from a page of the console. Nothing was done."
            return Refused(HTTPStatus.FORBIDDEN, "from_elsewhere", text)
        case NotFound(links=links):
            return Refused(HTTPStatus.NOT_FOUND, "not_found", str(refusal), links=links)
        case Conflict():
            return Refused(HTTPStatus.CONFLICT, "conflict", str(refusal))
        case UnknownFields(problems=problems):
            text = f"{refusal}. Nothing was done."
            return Refused(HTTPStatus.UNPROCESSABLE_ENTITY, "unknown_fields", text, more={"problems": problems})
        case Unusable(problems=problems):
            return Refused(HTTPStatus.BAD_REQUEST, "unusable", str(refusal), more={"problems": problems})
        case SeamUnavailable():
            return Refused(HTTPStatus.BAD_GATEWAY, "seam_away", str(refusal))
        case BodyTooLarge(limit=limit):
            text = f"The body is over {limit} bytes."
            return Refused(HTTPStatus.REQUEST_ENTITY_TOO_LARGE, "body_too_large", text)
        case NoRoom():
            text = "Too many large requests at once. Nothing was done; try again in a moment."
            return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", text, {"retry-after": "5"})
        case NewerVersionNeeded():
            text = "This was written by a newer version of Oracode. Nothing was done; update the console."
            return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "newer_version", text, {"retry-after": "60"})
        case _:
            text = "The data server can't be reached. Nothing was done; try again in a moment."
            return Refused(HTTPStatus.SERVICE_UNAVAILABLE, "unavailable", text, {"retry-after": "5"})


def refused_by_router(status: int) -> Refused:
    """Return the answer where no operation was found, or one failed in a way that nobody foresaw."""
    match status:
        case HTTPStatus.NOT_FOUND:
            return Refused(status, "not_found", "There is nothing at this address.")
        case HTTPStatus.METHOD_NOT_ALLOWED:
            return Refused(status, "method_not_allowed", "This address doesn't take this method.")
        case HTTPStatus.INTERNAL_SERVER_ERROR:
            text = "The console failed. Its log says how. Look whether it was done before you try again."
            return Refused(status, "internal_error", text)
        case _:
            return Refused(status, "refused", "This request can't be answered.")
