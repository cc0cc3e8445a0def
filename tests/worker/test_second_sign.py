"""A 404 that names no resource counts only if the resource is missing in Seam's list, too."""

import json
from collections.abc import Mapping
from typing import Any

import httpx
import pytest

from shared.seam import second_sign
from shared.seam.access_codes import AccessCodes
from shared.seam.client import SeamClient
from shared.seam.errors import NoSuchDevice, SeamError, UnnamedNotFound, Unreachable
from tests.worker.seam import client_on

ROUTE = (404, {"error": {"type": "not_found", "message": "Could not find a route for POST"}, "ok": False})
NO_DEVICE = (404, {"error": {"type": "device_not_found", "message": "Device not found"}, "ok": False})
AWAY: tuple[int, Any] = (503, {})
CODE = {"access_code_id": "c-1", "device_id": "d-1"}
LISTS = {
    "/devices/list": "devices",
    "/access_codes/list": "access_codes",
    "/access_codes/unmanaged/list": "access_codes",
}


def seam(**lists: Any) -> SeamClient:
    """Return a Seam that has only these lists: each has rows, or a status with a body."""
    answers: Mapping[str, Any] = {path: lists.get(path.strip("/").replace("/", "_"), ROUTE) for path in LISTS}

    def handle(request: httpx.Request) -> httpx.Response:
        path = request.url.path
        answer = answers.get(path, ROUTE)
        status, body = answer if isinstance(answer, tuple) else (200, {LISTS[path]: answer})
        return httpx.Response(status, content=json.dumps(body))

    return client_on(httpx.MockTransport(handle))


def test_a_code_is_gone_if_the_list_lacks_it() -> None:
    """Two endpoints agree."""
    assert AccessCodes(seam(access_codes_list=[])).get("c-1") is None
    assert AccessCodes(seam(access_codes_list=[CODE | {"access_code_id": "c-2"}])).pin("c-1") is None


@pytest.mark.parametrize(
    ("listed", "error"), [([CODE], UnnamedNotFound), (ROUTE, SeamError), (AWAY, Unreachable), ("no list", SeamError)]
)
def test_a_code_is_not_gone_if_the_list_has_it_or_cannot_be_read(listed: Any, error: type[SeamError]) -> None:
    """It is tried again: a code that is forgotten would still open the door."""
    for ask in (AccessCodes.get, AccessCodes.pin):
        with pytest.raises(error) as raised:
            ask(AccessCodes(seam(access_codes_list=listed)), "c-1")
        assert isinstance(raised.value, SeamError)


def test_an_unmanaged_code() -> None:
    """Seam lists those of a door; an unknown door has none."""
    assert AccessCodes(seam(access_codes_unmanaged_list=[])).is_unmanaged("c-1", "d-1") is False
    assert AccessCodes(seam(access_codes_unmanaged_list=NO_DEVICE)).is_unmanaged("c-1", "d-1") is False
    for listed in ([CODE], ROUTE, AWAY):
        with pytest.raises(SeamError):
            AccessCodes(seam(access_codes_unmanaged_list=listed)).is_unmanaged("c-1", "d-1")


def test_a_door() -> None:
    """A door in the list isn't gone; nor is one if the list can't be read."""
    first = UnnamedNotFound("/devices/get: HTTP 404 not_found: Could not find a route for POST")
    with pytest.raises(NoSuchDevice, match="lacks it too"):
        second_sign.of_device(seam(devices_list=[{"device_id": "d-2"}]), "d-1", first)
    with pytest.raises(UnnamedNotFound):
        second_sign.of_device(seam(devices_list=[{"device_id": "d-1"}]), "d-1", first)
    for listed in (ROUTE, AWAY):
        with pytest.raises(SeamError) as raised:
            second_sign.of_device(seam(devices_list=listed), "d-1", first)
        assert not isinstance(raised.value, NoSuchDevice)
