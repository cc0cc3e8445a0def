"""`POST /bookings`: one booking message by HTTP, with a token."""

import gzip
import json
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from shared.booking_stream import BookingStream
from shared.domain.messages.parse import parse_booking_message
from tests.receiver.web import TOKEN, Web, booking_of, running, settings_for
from tests.support.server import DataServer

STREAM = "booking-created"


def test_a_booking_goes_into_the_stream(web: Web, redis_client: Redis) -> None:
    """202 with the booking's id, and the message as it was sent."""
    message = booking_of(booking_id="BK-77")
    answer = web.booking(message)

    assert (answer.status_code, answer.json()) == (202, {"status": "accepted", "booking_id": "BK-77"})
    entries: Any = redis_client.xrange(STREAM)
    assert json.loads(entries[0][1]["message"]) == message


def test_a_pin_that_is_sent_is_never_stored(web: Web, redis_client: Redis) -> None:
    """Nor how the guest is reached: no field that is read holds it, so the booking is taken without."""
    sent = booking_of()
    sent["data"] |= {"pin": "739158", "guest": {"phone": "+43 660 739158", "doorCode": 739158}}
    assert web.booking(sent).json()["status"] == "accepted"
    assert web.booking(sent).json()["status"] == "duplicate"
    entries: Any = redis_client.xrange(STREAM)
    assert len(entries) == 1
    stored = json.loads(entries[0][1]["message"])
    assert stored["data"]["guest"] == {"phone": "[removed]", "doorCode": "[removed]"}
    assert "739158" not in str(entries)


def test_the_same_message_again_is_a_duplicate(web: Web, redis_client: Redis) -> None:
    """`source` and `id` identify a message; another id is another message."""
    message = booking_of()
    assert [web.booking(message).json()["status"] for _ in range(2)] == ["accepted", "duplicate"]
    assert web.booking(message | {"id": "another"}).json()["status"] == "accepted"
    assert web.booking(message | {"source": "/pms/other"}).json()["status"] == "accepted"
    assert redis_client.xlen(STREAM) == 3


def test_an_id_with_other_content_is_no_duplicate(web: Web, redis_client: Redis) -> None:
    """It is stored, and the worker parks it: a change that is dropped in silence is a guest at a locked door."""
    message = booking_of()
    changed = message | {"data": message["data"] | {"check_out": "2026-12-09T10:15:00-08:00"}}
    answers = [web.booking(each).json()["status"] for each in (message, changed, changed, message | {"time": "later"})]
    assert answers == ["accepted", "accepted", "duplicate", "accepted"]
    assert redis_client.xlen(STREAM) == 3


def test_the_bare_booking_is_taken_too(web: Web) -> None:
    """`data` alone, without an envelope, identified by its content."""
    bare = booking_of()["data"]
    assert web.booking(bare).json()["status"] == "accepted"
    assert web.booking(dict(reversed(bare.items()))).json()["status"] == "duplicate"


def test_a_bare_booking_that_changes_back_is_taken(web: Web, redis_client: Redis) -> None:
    """It has no id but its content: only the same right after it is a duplicate, also through another way in."""
    one, other = booking_of()["data"], booking_of(check_out="2026-12-06T10:15:00-08:00")["data"]
    answers = [web.booking(each).json()["status"] for each in (one, other, one, one)]
    assert answers == ["accepted", "accepted", "accepted", "duplicate"]
    BookingStream(redis_client, STREAM).append(json.dumps(other), parse_booking_message(other))
    assert web.booking(one).json()["status"] == "accepted"
    assert redis_client.xlen(STREAM) == 5


def test_what_was_accepted_can_be_read_from_the_stream(web: Web, redis_client: Redis) -> None:
    """Whatever is answered with 202 is a message that the worker can use, a byte order mark or not."""
    answer = web.booking(b"\xef\xbb\xbf" + json.dumps(booking_of()).encode())
    assert answer.status_code == 202
    entries: Any = redis_client.xrange(STREAM)
    assert parse_booking_message(entries[0][1]["message"]).booking_id == "BK-1"


def test_a_date_alone_without_a_unit_is_refused_at_once(web: Web, redis_client: Redis) -> None:
    """No default gives it a time of day, whatever comes before or after it. A cancellation needs no times."""
    answer = web.booking(booking_of(check_in="2026-12-01"))
    assert (answer.status_code, [each["field"] for each in answer.json()["problems"]]) == (400, ["check_in"])
    assert "time of day" in answer.json()["problems"][0]["right"]
    assert redis_client.xlen(STREAM) == 0
    cancellation = booking_of(check_in="2026-12-01") | {"type": "booking.cancelled"}
    assert web.booking(cancellation).status_code == 202


def test_every_problem_is_listed(web: Web, redis_client: Redis) -> None:
    """400 with each field, what is wrong and what would be right; nothing is stored."""
    answer = web.booking(booking_of(booking_id="", device_ids=[], check_in="tomorrow", revision=-1))
    assert (answer.status_code, answer.json()["error"]) == (400, "invalid_booking")
    problems = answer.json()["problems"]
    assert {problem["field"] for problem in problems} >= {"booking_id", "device_ids", "check_in", "revision"}
    assert all(problem["wrong"] and problem["right"] for problem in problems)
    assert redis_client.xlen(STREAM) == 0


def test_a_cancellation_in_a_header_is_never_taken_for_a_booking(web: Web, redis_client: Redis) -> None:
    """CloudEvents' binary mode isn't read: 400, with what to send instead."""
    headers = [(b"authorization", f"Bearer {TOKEN}".encode()), (b"ce-type", b"booking.cancelled")]
    body = json.dumps(booking_of()["data"]).encode()
    answer = web.send("POST", "/bookings", body=body, headers=headers)
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (400, "ce-type")
    assert redis_client.xlen(STREAM) == 0
    cancelled = json.dumps(booking_of() | {"type": "booking.cancelled"}).encode()
    assert web.send("POST", "/bookings", body=cancelled, headers=headers).status_code == 202


@pytest.mark.parametrize(
    ("method", "path"), [("DELETE", "/bookings/BK-1"), ("PATCH", "/bookings/BK-1"), ("PUT", "/bookings")]
)
def test_another_method_is_told_what_to_send(web: Web, method: str, path: str) -> None:
    """405: a booking is changed and cancelled by messages."""
    answer = web.send(method, path, headers=[(b"authorization", f"Bearer {TOKEN}".encode())])
    assert (answer.status_code, answer.json()["error"]) == (405, "method_not_allowed")
    assert "booking.cancelled" in answer.json()["right"]


def test_a_time_that_is_skipped_is_told(web: Web) -> None:
    """202, with what is taken in its place; nothing is said of any other time."""
    skipped = {"check_in": "2027-03-28T02:30", "check_out": "2027-03-30T10:00", "time_zone": "Europe/Vienna"}
    (note,) = web.booking(booking_of(**skipped)).json()["notes"]
    assert "it is taken as 03:30" in note
    assert "notes" not in web.booking(booking_of(booking_id="BK-2")).json()


def test_a_cancellation_under_the_name_of_a_code_is_found(web: Web) -> None:
    """PINs are taken out before a message is read; this is none."""
    (problem,) = web.booking(booking_of(status={"code": "cancelled"})).json()["problems"]
    assert problem["field"] == "status.code"


def test_a_compressed_body_is_named_as_one(web: Web) -> None:
    """Not as text in a wrong encoding."""
    token = (b"authorization", f"Bearer {TOKEN}".encode())
    body = gzip.compress(json.dumps(booking_of()).encode())
    for headers in ([token], [token, (b"content-encoding", b"gzip")]):
        (problem,) = web.send("POST", "/bookings", body=body, headers=headers).json()["problems"]
        assert problem["wrong"] == "is compressed (gzip)"
    odd = [token, (b"content-encoding", b"br")]
    assert (
        web.send("POST", "/bookings", body=b"{}", headers=odd).json()["problems"][0]["wrong"] == "is compressed ('br')"
    )


def test_a_check_in_of_another_century_is_refused(web: Web) -> None:
    """With and without a unit; for a cancellation it makes no difference."""
    far = booking_of(check_in="2126-12-01T15:45:00Z", check_out="2126-12-05T15:45:00Z")
    for message in (far, booking_of() | {"data": {**far["data"], "device_ids": None, "unit": "101"}}):
        (problem,) = web.booking(message).json()["problems"]
        assert "over three years ahead" in problem["wrong"]
    assert web.booking(far | {"type": "booking.cancelled"}).status_code == 202


@pytest.mark.parametrize("body", [b"", b"oops", b"[]", b"\xff\xfe", b"[" * 60_000], ids=str)
def test_what_is_no_message_is_refused(web: Web, body: bytes) -> None:
    """400, whatever the bytes are."""
    assert web.booking(body).status_code == 400


STRANGERS = {
    "no header": None,
    "another token": b"Bearer another",
    "a part of it": f"Bearer {TOKEN[:-1]}".encode(),
    "more than it": f"Bearer {TOKEN}x".encode(),
    "no scheme": TOKEN.encode(),
    "another scheme": f"Basic {TOKEN}".encode(),
    "no token": b"Bearer",
    "not ASCII": b"Bearer \xff\xfe",
}


@pytest.mark.parametrize("authorization", STRANGERS.values(), ids=STRANGERS.keys())
def test_strangers_are_refused(web: Web, authorization: bytes | None) -> None:
    """401 before the body is looked at."""
    headers = [] if authorization is None else [(b"authorization", authorization)]
    answer = web.send("POST", "/bookings", body=b"oops", headers=headers)
    assert (answer.status_code, answer.headers["www-authenticate"]) == (401, "Bearer")


def test_the_scheme_is_read_in_any_case(web: Web) -> None:
    """`bearer` is `Bearer` (RFC 9110)."""
    body = json.dumps(booking_of()).encode()
    answer = web.send("POST", "/bookings", body=body, headers=[(b"authorization", f"bearer {TOKEN}".encode())])
    assert answer.status_code == 202


def test_other_methods_are_refused(web: Web) -> None:
    """405, with the method that is right."""
    answer = web.send("GET", "/bookings")
    assert (answer.status_code, answer.headers["allow"]) == (405, "POST")


def test_without_tokens_the_endpoint_is_not_there(data_server: DataServer) -> None:
    """404 for everybody, with a token or not."""
    with running(settings_for(data_server.url, booking_tokens=())) as web:
        assert web.booking(booking_of()).status_code == 404
        assert web.send("POST", "/bookings", headers=[(b"authorization", b"Bearer ")]).status_code == 404


def test_a_unit_that_nobody_knows_is_refused_at_once(
    data_server: DataServer, redis_client: Redis, tmp_path: Path
) -> None:
    """It is refused, not accepted and parked.

    The file may be corrected while `web` runs; while it can't be read, no unit is refused.
    """
    doors = tmp_path / "doors.yaml"
    doors.write_text("Room 101:\n  device_ids: [d0000000-0000-0000-0000-000000000001]\n")
    stay = {"check_in": "2026-12-01T16:00", "check_out": "2026-12-05T10:00"}
    with running(settings_for(data_server.url, doors_file=doors)) as web:
        assert web.booking({"booking_id": "BK-1", "unit": "Room 101", **stay}).status_code == 202
        refused = web.booking({"booking_id": "BK-2", "unit": "Room 102", **stay})
        assert refused.status_code == 400
        assert refused.json()["problems"][0]["field"] == "unit"
        doors.write_text(
            "Room 101:\n  device_ids: [d0000000-0000-0000-0000-000000000001]\n"
            "Room 102:\n  device_ids: [d0000000-0000-0000-0000-000000000002]\n"
        )
        assert web.booking({"booking_id": "BK-2", "unit": "Room 102", **stay}).status_code == 202
        doors.write_text("Room 101: [")
        assert web.booking({"booking_id": "BK-3", "unit": "Room 103", **stay}).status_code == 202
    assert redis_client.xlen(STREAM) == 3
