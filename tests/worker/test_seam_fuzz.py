"""For any answer of Seam, slow or endless, a call ends in a value that can be stored, or in a `SeamError`."""

import gzip
import json
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from datetime import UTC, datetime, timedelta
from typing import Any

import httpx
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st
from pydantic import TypeAdapter
from redis import Redis

from shared.domain.booking.record import Window
from shared.domain.door.door import Door
from shared.domain.matching.match import Match, MatchPolicy, SlotPreference, match
from shared.domain.quoting import is_showable
from shared.domain.stay.stay import Stay, WallTime
from shared.ledger.door_issues import DoorIssues
from shared.redis_client import connect
from shared.seam.access_codes import AccessCodes, CodeReport, CodesOnDoor
from shared.seam.client import SeamClient
from shared.seam.doors import Doors
from shared.seam.errors import OutcomeUnknown, SeamError, Unreachable
from shared.seam.events import Events
from tests.support.hostile import JSON, examples, mutated, spelled
from tests.support.server import DataServer
from tests.worker.seam import client_on

DEVICE = "11111111-1111-1111-1111-444444444444"
CODE: dict[str, Any] = {
    "access_code_id": "f23721ec-6dce-4c54-8971-40d58449a366",
    "device_id": DEVICE,
    "name": "BK-1 | Room 101",
    "code": "739158",
    "status": "set",
    "starts_at": "2026-12-01T16:00:00-08:00",
    "ends_at": "2026-12-05T10:00:00-08:00",
    "errors": [{"error_code": "provider_issue", "message": "code 739158 is taken"}],
    "warnings": [{"warning_code": "being_deleted", "message": "soon"}],
    "pending_mutations": [{"mutation_code": "updating_time_frame"}],
    "dormakaba_oracode_metadata": {"user_level_id": 3, "is_cancellable": True, "is_extendable": False},
}
SLOT = {
    "name": "Guest",
    "dormakaba_oracode_user_level_id": "l-1",
    "prefix": 1,
    "check_in_time": "16:00:00[America/Los_Angeles]",
    "check_out_time": "10:00:00[America/Los_Angeles]",
    "is_24_hour": False,
}
DEVICE_OBJECT: dict[str, Any] = {
    "device_id": DEVICE,
    "device_type": "dormakaba_oracode_door",
    "display_name": "Room 101",
    "can_program_offline_access_codes": True,
    "location": {"time_zone": "America/Los_Angeles"},
    "properties": {"name": "Room 101", "dormakaba_oracode_metadata": {"predefined_time_slots": [SLOT]}},
    "custom_metadata": {"anything": "at all"},
}
PAGES = {"access_codes": [CODE], "pagination": {"next_page_cursor": None, "has_next_page": False}}
EVENTS = {"events": [{"event_id": "e", "device_id": DEVICE, "access_code_id": "c-1"}]}
REFUSAL = {"error": {"type": "invalid_input", "message": "code 739158 is taken"}, "ok": False}
REPORTS = TypeAdapter(CodeReport)
DOORS = TypeAdapter(Door)
NOW = datetime(2026, 11, 21, tzinfo=UTC)


def answering(status: int, text: str) -> AccessCodes:
    """Return the calls to a Seam with the same answer for all."""
    return AccessCodes(client_on(httpx.MockTransport(lambda _: httpx.Response(status, content=text.encode()))))


def check(report: CodeReport | None) -> None:
    """Check a report: it can be stored and read again, is small, and has no PIN."""
    if report is not None:
        text = REPORTS.dump_json(report).decode()
        assert REPORTS.validate_json(text) == report
        assert len(text) < 20_000 + len(report.name)
        assert "739158" not in text.replace(report.name, "")
        assert report.window is None or report.window.ends_at.astimezone(UTC) is not None


def ends_well(call: Any) -> Any:
    """Return the result of the call; None if it raises one of Seam's errors."""
    try:
        return call()
    except SeamError as error:
        text = str(error)
        assert "739158" not in text
        assert len(text) < 1_000
        assert is_showable(text)
        text.encode()
        return None


@given(code=mutated(CODE) | JSON)
@example(code={**CODE, "access_code_id": "\ud800"})
@example(code={**CODE, "status": "@deeper", "errors": [{"error_code": "@half", "message": "@megabyte"}] * 50})
@example(code={**CODE, "access_code_id": "@megabyte"})
@example(code={**CODE, "starts_at": "0001-01-01T00:00:00+23:59"})
@settings(max_examples=examples(150))
def test_any_access_code(code: Any) -> None:
    """As the answer to a create, to a read, and on a door's list."""
    text = spelled({"access_code": code, "access_codes": [CODE, code]})
    codes = answering(200, text)
    check(ends_well(lambda: codes.create(device_id=DEVICE, name="n", window=window(), max_time_rounding="1hour")))
    check(ends_well(lambda: codes.get("c")))
    ends_well(lambda: codes.is_unmanaged("c", DEVICE))
    pin = ends_well(lambda: codes.pin("c"))
    assert pin is None or "739158" not in f"{pin} {pin!r}"
    found: CodesOnDoor | None = ends_well(lambda: codes.on_door(DEVICE))
    for report in found.reports if found else ():
        check(report)


@given(answer=mutated(PAGES) | mutated(EVENTS | {"access_code": CODE}) | JSON, status=st.sampled_from([200, 201]))
@settings(max_examples=examples(150))
def test_any_list(answer: Any, status: int) -> None:
    """Of codes and of events; endless pages end."""
    codes = answering(status, spelled(answer))
    found: CodesOnDoor | None = ends_well(lambda: codes.on_door(DEVICE))
    if found is not None:
        found.alive_at(NOW)
        found.of_booking("BK-1")
    events = Events(codes._client)
    ends_well(lambda: list(events.ours(NOW, NOW + timedelta(days=1))))
    for report in ends_well(lambda: codes.created_since(DEVICE, NOW, listed=CodesOnDoor(()))) or ():
        check(report)


@given(refusal=mutated(REFUSAL) | JSON, status=st.sampled_from([400, 401, 404, 409, 422, 429, 500]))
@settings(max_examples=examples(150))
def test_any_refusal(refusal: Any, status: int) -> None:
    """Its texts are cut, masked and printable."""
    codes = answering(status, spelled(refusal))
    ends_well(lambda: codes.delete("c"))
    ends_well(lambda: codes.get("c"))


@given(raw=st.binary(max_size=100), status=st.integers(200, 599))
@settings(max_examples=examples(100))
def test_any_bytes(raw: bytes, status: int) -> None:
    """Any bytes with any status."""
    client = client_on(httpx.MockTransport(lambda _: httpx.Response(status, content=raw)))
    ends_well(lambda: client.read("/path", {}))
    ends_well(lambda: client.change("/path", {}))


@pytest.fixture(scope="module")
def own_redis(data_server: DataServer) -> Iterator[Redis]:
    """Lend the data server to all examples."""
    with connect(data_server.url) as client:
        yield client


@given(device=mutated(DEVICE_OBJECT) | JSON)
@example(device={**DEVICE_OBJECT, "display_name": "@half"})
@example(device={**DEVICE_OBJECT, "anything": "@deeper"})
@example(device={**DEVICE_OBJECT, "display_name": ["@megabyte"] * 3})
@settings(max_examples=examples(200))
def test_any_device(own_redis: Redis, device: Any) -> None:
    """A door that was read can be matched and stored; the cache has the same door, and isn't large."""
    text = spelled({"device": device})
    client = client_on(httpx.MockTransport(lambda _: httpx.Response(200, content=text.encode())))
    hour = timedelta(hours=1)
    issues = DoorIssues(own_redis, clock=lambda: NOW, retention=hour)
    doors = Doors(
        client,
        own_redis,
        issues=issues,
        cache_for=hour,
        remember_for=hour,
        changed=lambda _: None,
        troubled=lambda _: None,
        clock=lambda: NOW,
    )
    door: Door | None = ends_well(lambda: doors.read(DEVICE, fresh=True))
    if door is None:
        return
    DOORS.dump_json(door)
    assert doors.read(DEVICE) == door
    assert issues.of_doors([DEVICE])[DEVICE].of_door == door.issues
    stay = Stay(check_in=WallTime(datetime(2026, 12, 1, 15, 45)), check_out=WallTime(datetime(2026, 12, 5, 10, 15)))  # noqa: DTZ001 - a wall's clock
    found: Match = match(stay, door, MatchPolicy(SlotPreference.NEAREST, allow_biweekly=True))
    json.dumps(found.as_json()).encode()


def window() -> Window:
    """Return a window like that of CODE."""
    return Window(NOW, NOW + timedelta(days=1))


@contextmanager
def dripping(head: bytes, drip: bytes, every: float) -> Iterator[str]:
    """Run a server that answers with `head` and then repeats `drip`; yield its URL."""
    over = threading.Event()
    with closing(socket.create_server(("127.0.0.1", 0))) as listener:

        def serve() -> None:
            connection, _ = listener.accept()
            with closing(connection):
                connection.recv(65536)
                try:
                    connection.sendall(head)
                    while not over.wait(every):
                        connection.sendall(drip)
                except OSError:
                    return

        thread = threading.Thread(target=serve)
        thread.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            over.set()
            thread.join()


OK = b"HTTP/1.1 200 OK\r\ncontent-type: application/json\r\ntransfer-encoding: chunked\r\n"


@pytest.mark.parametrize("call", ["read", "change"])
def test_a_slow_answer_ends(monkeypatch: pytest.MonkeyPatch, call: str) -> None:
    """The time limit is for the whole answer, so a byte now and then doesn't keep a thread."""
    monkeypatch.setattr("shared.seam.client._CONNECT_WITHIN", 0.2)
    with dripping(OK + b"\r\n", b"1\r\n \r\n", 0.05) as url:
        client = SeamClient(endpoint=url, api_key="k", answer_within=timedelta(seconds=0.5))
        before = time.monotonic()
        with pytest.raises(Unreachable if call == "read" else OutcomeUnknown, match="ReadTimeout"):
            getattr(client, call)("/path", {})
        assert time.monotonic() - before < 5
        client.close()


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "a zip bomb"])
def test_an_endless_answer_is_not_read(packed: bool) -> None:  # noqa: FBT001 - drawn
    """It stops at the limit, compressed or not."""
    piece = b" " * 1_000_000
    piece = gzip.compress(piece * 60) if packed else piece
    head = OK + (b"content-encoding: gzip\r\n" if packed else b"") + b"\r\n"
    with dripping(head, b"%x\r\n%s\r\n" % (len(piece), piece), 0.0) as url:
        client = SeamClient(endpoint=url, api_key="k", answer_within=timedelta(seconds=5))
        with pytest.raises(Unreachable, match="ReadError"):
            client.read("/path", {})
        client.close()


def test_a_client_can_be_closed_and_used_again() -> None:
    """Closing ends the connections of all threads; a later call opens a new one."""
    client = client_on(httpx.MockTransport(lambda _: httpx.Response(200, json={"ok": True})))
    threads = [threading.Thread(target=client.read, args=("/path", {})) for _ in range(3)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    opened = list(client._clients)
    client.close()
    assert len(opened) == 3
    assert all(each.is_closed for each in opened)
    assert client.read("/path", {}) == {"ok": True}
    client.close()
