"""What `POST /bookings` refuses is noted: the booking's id and what was wrong, never the message's values."""

import json
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from shared import redis_keys
from shared.clock import system_clock
from shared.refused_messages import MOST_REFUSED, RefusedMessages, refused_line
from tests.receiver.web import TOKEN, Web, booking_of, running, settings_for
from tests.shared.keys import wrong_keys
from tests.support.server import DataServer


@pytest.fixture
def refused(redis_client: Redis) -> RefusedMessages:
    """Return the list of what was refused."""
    return RefusedMessages(redis_client)


def test_a_refusal_is_kept_without_what_was_said(web: Web, redis_client: Redis, refused: RefusedMessages) -> None:
    """The booking's id, the kind of message, and what is wrong with which field; no value, no PIN, no guest's name."""
    sent = booking_of(booking_id="BK-9", check_in="Mr. Smith 739158", label="Smith\x00", pin="739158")
    assert web.booking(sent).status_code == 400
    (entry,) = refused.lately(system_clock())
    assert (entry.refused.booking_id, entry.refused.kind) == ("BK-9", "booking")
    assert {problem.partition(":")[0] for problem in entry.refused.problems} == {"check_in", "label"}
    stored = str([redis_client.zrange(redis_keys.REFUSED, 0, -1), redis_client.hgetall(redis_keys.REFUSED_FIRST)])
    assert "Smith" not in stored
    assert "739158" not in stored
    assert (entry.refused.check_in, entry.refused.wall_check_in) == (None, None)
    assert "BK-9 was refused at" in refused_line(entry)
    assert redis_client.exists("booking-created") == 0
    assert wrong_keys(redis_client) == []


def test_when_the_guest_comes_is_kept(web: Web, refused: RefusedMessages) -> None:
    """Where it can be read: how much a refusal hurries follows from it."""
    web.booking(booking_of(label=7))
    web.booking(booking_of(label=7, check_in="2026-12-01T15:45"))
    by_wall, by_instant = (entry.refused for entry in refused.lately(system_clock()))
    assert (by_instant.check_in, by_instant.wall_check_in) == (datetime(2026, 12, 1, 23, 45, tzinfo=UTC), None)
    assert by_wall.wall_check_in == datetime(2026, 12, 1, 15, 45)  # noqa: DTZ001 - a wall time


def test_the_same_again_is_one_entry(web: Web, refused: RefusedMessages) -> None:
    """With when it came first and last; another booking, or another problem, is another."""
    for check_in in ("tomorrow", "soon", "tomorrow"):
        web.booking(booking_of(booking_id="BK-9", check_in=check_in))
    (entry,) = refused.lately(system_clock())
    assert entry.first_at < entry.last_at
    assert "again and again since" in refused_line(entry)
    web.booking(booking_of(booking_id="BK-10", check_in="soon"))
    web.booking(booking_of(booking_id="BK-9", check_out="soon"))
    assert len(refused.lately(system_clock())) == 3
    assert len(refused.of_booking("BK-9", system_clock())) == 2


CANCELS: list[Any] = [
    pytest.param(booking_of() | {"type": "booking.canceled"}, id="a near type"),
    pytest.param(booking_of(status="cancelled"), id="a status"),
    pytest.param({"cancelled": True}, id="of nobody"),
]


@pytest.mark.parametrize("message", CANCELS)
def test_a_refused_cancellation_is_known_as_one(web: Web, refused: RefusedMessages, message: Any) -> None:
    """People are told of it."""
    assert web.booking(message).status_code == 400
    assert [entry.refused.kind for entry in refused.lately(system_clock())] == ["cancellation"]


def test_that_it_cancels_is_said_first(web: Web, refused: RefusedMessages) -> None:
    """Whatever else is wrong: however much that is, it is kept."""
    wrong = {"check_in": "soon", "check_out": "late", "revision": "x", "slot": 7, "granularity": "x", "label": 7}
    assert web.booking(booking_of(status="cancelled", **wrong)).status_code == 400
    (entry,) = refused.lately(system_clock())
    assert entry.refused.problems[0].startswith("status: ")


def test_a_cancellation_beside_the_message_is_known_as_one(web: Web, refused: RefusedMessages) -> None:
    """By its header alone."""
    headers = [(b"authorization", f"Bearer {TOKEN}".encode()), (b"ce-type", b"booking.cancelled")]
    body = json.dumps(booking_of()["data"]).encode()
    assert web.send("POST", "/bookings", body=body, headers=headers).status_code == 400
    assert [entry.refused.kind for entry in refused.lately(system_clock())] == ["cancellation"]


@pytest.mark.parametrize(
    "body", [b"", b"oops", b"\xff\xfe", b"[" * 60_000, b'{"booking_id": 1, "booking_id": 2}'], ids=str
)
def test_whatever_is_refused_is_kept(web: Web, refused: RefusedMessages, body: bytes) -> None:
    """Also what can't be read at all."""
    assert web.booking(body).status_code == 400
    assert len(refused.lately(system_clock())) == 1


def test_what_is_accepted_or_comes_from_a_stranger_leaves_none(web: Web, refused: RefusedMessages) -> None:
    """A stranger fills nothing."""
    web.booking(booking_of())
    assert web.booking(b"oops", token="another").status_code == 401
    assert refused.lately(system_clock()) == []


def test_the_list_is_bounded_in_number_and_in_time(redis_client: Redis, refused: RefusedMessages, web: Web) -> None:
    """The newest are kept, for seven days; both keys name the same."""
    web.booking(booking_of(booking_id="BK-FIRST", check_in="soon"))
    (first,) = refused.lately(system_clock())
    now = system_clock()
    pipeline = redis_client.pipeline(transaction=False)
    for number in range(MOST_REFUSED):
        kept = json.dumps({"booking_id": f"BK-{number}", "kind": "booking", "problems": []})
        pipeline.zadd(redis_keys.REFUSED, {kept: now.timestamp() + number / 1e6})
        pipeline.hset(redis_keys.REFUSED_FIRST, kept, str(now.timestamp()))
    pipeline.execute()
    refused.keep(first.refused, now + timedelta(seconds=1))
    assert redis_client.zcard(redis_keys.REFUSED) == redis_client.hlen(redis_keys.REFUSED_FIRST) == MOST_REFUSED
    assert refused.lately(now + timedelta(seconds=2))[0].refused.booking_id == "BK-FIRST"
    later = now + redis_keys.REFUSED_FOR + timedelta(minutes=1)
    refused.keep(first.refused, later)
    assert redis_client.zcard(redis_keys.REFUSED) == redis_client.hlen(redis_keys.REFUSED_FIRST) == 1
    life: Any = redis_client.ttl(redis_keys.REFUSED)
    assert 0 < life <= redis_keys.REFUSED_FOR.total_seconds()
    assert refused.lately(later + redis_keys.REFUSED_FOR + timedelta(minutes=1)) == []


def test_it_is_answered_without_a_data_server(redis_client: Redis) -> None:
    """400 with each problem all the same."""
    del redis_client
    with running(settings_for("redis://127.0.0.1:1/0")) as web:
        answer = web.booking(booking_of(check_in="soon"))
    assert (answer.status_code, answer.json()["problems"][0]["field"]) == (400, "check_in")


@pytest.fixture
def small(data_server: DataServer, redis_client: Redis) -> Iterator[Web]:
    """Run `web` with a small limit."""
    del redis_client
    with running(settings_for(data_server.url, webhook_body_limit=4096)) as it:
        yield it


def large(message: dict[str, Any], *, before: str = "") -> bytes:
    """Return the message with 70,000 bytes more: behind all else, or before the field of this name."""
    names = list(message)
    place = names.index(before) if before else len(names)
    first, later = ({name: message[name] for name in part} for part in (names[:place], names[place:]))
    return json.dumps(first | {"extra": "x" * 70_000} | later).encode()


def in_parts(body: bytes) -> list[bytes]:
    """Return a body as it comes without a declared length."""
    return [body[place : place + 1_000] for place in range(0, len(body), 1_000)]


CANCELLATION = booking_of() | {"type": "booking.cancelled"}
NAMES_NONE = "message: is over 4096 bytes, and its beginning names no booking: it may be of any; send the fields"
LARGE: list[Any] = [
    pytest.param(large(CANCELLATION), "BK-1", "cancellation", "message: is over 4096 bytes; send", id="a cancellation"),
    pytest.param(large(booking_of()["data"]), "BK-1", "booking", "message: is over 4096 bytes; send", id="a booking"),
    pytest.param(large(CANCELLATION, before="data"), "", "cancellation", NAMES_NONE, id="its id beyond the limit"),
    pytest.param(large(booking_of(), before="specversion"), "", "unreadable", NAMES_NONE, id="all beyond the limit"),
    pytest.param(b"x" * 5_000, "", "unreadable", NAMES_NONE, id="no JSON"),
]


@pytest.mark.parametrize("is_declared", [True, False], ids=["declared", "in parts"])
@pytest.mark.parametrize(("body", "booking_id", "kind", "problem"), LARGE)
def test_a_body_over_the_limit_is_kept_too(
    small: Web, refused: RefusedMessages, *, is_declared: bool, body: bytes, booking_id: str, kind: str, problem: str
) -> None:
    """Its booking, and whether it cancels, if its beginning says so. Else it may be of any booking."""
    headers = [(b"authorization", f"Bearer {TOKEN}".encode())]
    answer = small.send("POST", "/bookings", body=body if is_declared else in_parts(body), headers=headers)
    assert (answer.status_code, answer.json()) == (413, {"error": "body_too_large", "limit_bytes": 4096})
    (entry,) = refused.lately(system_clock())
    assert (entry.refused.booking_id, entry.refused.kind) == (booking_id, kind)
    assert entry.refused.problems[0].startswith(problem)
    assert "xxx" not in str(entry)


def test_a_large_body_beside_a_cancelling_header_is_one(small: Web, refused: RefusedMessages) -> None:
    """Also where nothing of the body can be read."""
    headers = [(b"authorization", f"Bearer {TOKEN}".encode()), (b"ce-type", b"booking.cancelled")]
    assert small.send("POST", "/bookings", body=b"x" * 5_000, headers=headers).status_code == 413
    assert [entry.refused.kind for entry in refused.lately(system_clock())] == ["cancellation"]


def test_of_a_stranger_nothing_is_read(small: Web, refused: RefusedMessages) -> None:
    """401, and no trace."""
    headers = [(b"authorization", b"Bearer another")]
    assert small.send("POST", "/bookings", body=large(CANCELLATION), headers=headers).status_code == 401
    assert refused.lately(system_clock()) == []
