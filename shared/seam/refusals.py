"""Turns a refusal by Seam (HTTP status and the type of Seam's error) into one of our errors, by endpoint.

A 404 means "no such device" or "no such access code" only if the call named one by its id and the error's type says so
(`device_not_found`). The type `not_found` alone may mean the resource or the endpoint: then a second sign decides
(`shared.seam.second_sign`). Any other 404 says nothing about the resource: the server doesn't know the endpoint, a
proxy answered, or SEAM_ENDPOINT is wrong. Such a call is tried again. But after a create only a look at Seam may
follow: a 404 that isn't Seam's doesn't prove that no code was made. A 405 is handled like a 404.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from http import HTTPStatus
from typing import Final

from shared.seam.errors import (
    CreateNotFound,
    NoSuchAccessCode,
    NoSuchAccount,
    NoSuchDevice,
    NotFound,
    RateLimited,
    Refused,
    SeamError,
    Unauthorized,
    UnexpectedNotFound,
    UnnamedNotFound,
    Unreachable,
)


@dataclass(frozen=True, slots=True)
class Endpoint:
    """The facts about one endpoint.

    `not_found` says what a 404 means, by the type of Seam's error; other types prove nothing. `creates`: a call that
    is sent twice makes two things. `asks_for_one`: the type `not_found` alone may mean the resource in the call.
    """

    not_found: Mapping[str, type[NotFound]] = field(default_factory=dict)
    creates: bool = False
    asks_for_one: bool = False


_OF_DEVICE: Final = Endpoint({"device_not_found": NoSuchDevice})
_OF_CODE: Final = Endpoint({"access_code_not_found": NoSuchAccessCode})

# Every endpoint that is called. Seam publishes no list of error types. These are the types that its fake server answers
# (npm `@seamapi/fake-seam-connect` 1.86.0: `device_not_found`, and `not_found` for access codes), and names by its rule
# `<resource>_not_found`. `not_found` alone names no resource, and servers also answer it for an endpoint that they
# don't know. So it proves nothing without a second sign. Only reads of one resource ask for that sign. After a change,
# the next try reads the resource first.
ENDPOINTS: Final[Mapping[str, Endpoint]] = {
    "/devices/get": Endpoint(_OF_DEVICE.not_found, asks_for_one=True),
    "/devices/list": Endpoint(),
    "/access_codes/get": Endpoint(_OF_CODE.not_found, asks_for_one=True),
    "/access_codes/unmanaged/get": Endpoint(
        {**_OF_CODE.not_found, "unmanaged_access_code_not_found": NoSuchAccessCode}, asks_for_one=True
    ),
    "/access_codes/list": _OF_DEVICE,
    "/access_codes/unmanaged/list": _OF_DEVICE,
    "/access_codes/create": Endpoint(_OF_DEVICE.not_found, creates=True),
    "/access_codes/update": _OF_CODE,
    "/access_codes/delete": _OF_CODE,
    "/action_attempts/get": Endpoint(),
    "/connected_accounts/get": Endpoint({"connected_account_not_found": NoSuchAccount}),
    "/events/list": Endpoint(),
    "/webhooks/list": Endpoint(),
    "/webhooks/create": Endpoint(creates=True),
}
_NAMES_NOTHING: Final = "not_found"
# For an endpoint that isn't listed: its 404s prove nothing, and it may create something.
_UNKNOWN: Final = Endpoint(creates=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """An answer with a 4xx status. `error_type` is None if the body isn't an error of Seam; no text holds a PIN."""

    path: str
    status: int
    error_type: str | None
    message: str = ""
    retry_after: timedelta | None = None
    request_id: str | None = None


def refusal_of(reply: Reply, *, is_read: bool) -> SeamError:
    """Return the error for a 4xx answer; `is_read`: the call was a read, else it changes something."""
    said = reply.error_type or "unknown"
    text = f"{reply.path}: HTTP {reply.status} {said}: {reply.message}"
    match reply.status:
        case HTTPStatus.TOO_MANY_REQUESTS:
            return RateLimited(text, retry_after=reply.retry_after, request_id=reply.request_id)
        case HTTPStatus.UNAUTHORIZED | HTTPStatus.FORBIDDEN:
            return Unauthorized(text, request_id=reply.request_id)
        case HTTPStatus.NOT_FOUND | HTTPStatus.METHOD_NOT_ALLOWED:
            return _not_found(reply, text, is_read=is_read)
        case HTTPStatus.REQUEST_TIMEOUT | HTTPStatus.TOO_EARLY:
            return Unreachable(text, request_id=reply.request_id)
        case status:
            return Refused(text, status=status, error_type=said, request_id=reply.request_id)


def _not_found(reply: Reply, text: str, *, is_read: bool) -> SeamError:
    endpoint = ENDPOINTS.get(reply.path, _UNKNOWN)
    if reply.status == HTTPStatus.NOT_FOUND and reply.error_type is not None:
        known = endpoint.not_found.get(reply.error_type)
        if known is not None:
            return known(text, status=reply.status, error_type=reply.error_type, request_id=reply.request_id)
        if endpoint.asks_for_one and reply.error_type == _NAMES_NOTHING:
            return UnnamedNotFound(text, request_id=reply.request_id)
    unexpected = UnexpectedNotFound if is_read or not endpoint.creates else CreateNotFound
    return unexpected(text, request_id=reply.request_id)
