"""A second, independent sign that something is gone, for a 404 of Seam that names no resource.

Servers also answer `not_found` for a route that they don't know ("Could not find a route for POST"). If we took that
for a missing resource, a booking would fail for good, or a code that opens a door would be forgotten. So another
endpoint is asked: it must answer, and the resource must be missing in its list, too.
"""

from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from shared.seam.client import SeamClient
from shared.seam.errors import NoSuchAccessCode, NoSuchDevice, NotFound, UnnamedNotFound
from shared.seam.pages import pages


def of_device(client: SeamClient, device_id: str, first: UnnamedNotFound) -> None:
    """Raise NoSuchDevice if Seam's list of devices lacks it too, else `first`; SeamError if the list can't be read."""
    if not _is_listed(client, "/devices/list", {"device_ids": [device_id]}, ("devices", "device_id", device_id)):
        raise _named(NoSuchDevice, first) from first
    raise first


def of_code(client: SeamClient, access_code_id: str, first: UnnamedNotFound) -> None:
    """Raise NoSuchAccessCode if Seam's list lacks the code too, else `first`; SeamError if the list can't be read."""
    asked = {"access_code_ids": [access_code_id]}
    if not _is_listed(client, "/access_codes/list", asked, ("access_codes", "access_code_id", access_code_id)):
        raise _named(NoSuchAccessCode, first) from first
    raise first


def of_unmanaged_code(client: SeamClient, access_code_id: str, device_id: str, first: UnnamedNotFound) -> None:
    """Like `of_code`, for a code that Seam doesn't manage. Seam lists those of one door only.

    If Seam answers that it has no such door, the code is gone, too: that answer names the door.
    """
    path, asked = "/access_codes/unmanaged/list", {"device_id": device_id}
    try:
        is_listed = _is_listed(client, path, asked, ("access_codes", "access_code_id", access_code_id))
    except NoSuchDevice:
        is_listed = False
    if not is_listed:
        raise _named(NoSuchAccessCode, first) from first
    raise first


def _is_listed(client: SeamClient, path: str, asked: Mapping[str, Any], wanted: tuple[str, str, str]) -> bool:
    """Say whether a list has a row. `wanted` has the list's name, a field's name and the field's value."""
    rows, name, value = wanted
    listed = (row for page in pages(client, path, asked, rows) for row in page)
    return any(isinstance(row, Mapping) and row.get(name) == value for row in listed)


def _named(kind: type[NotFound], first: UnnamedNotFound) -> NotFound:
    text = f"{first}; Seam's list lacks it too"
    return kind(text, status=HTTPStatus.NOT_FOUND, error_type="not_found")
