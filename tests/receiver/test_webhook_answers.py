"""The contract's table for `POST /webhooks/seam`: what is answered, and what is kept of it."""

import json
from typing import Any

import pytest
from redis import Redis

from shared.parked import ParkedList
from tests.receiver.web import Web, event_of, signed

STREAM = "seam-events"
PIN = "739158"


def kept(redis: Redis) -> list[dict[str, str]]:
    """Return the entries of the event stream."""
    entries: list[Any] = redis.xrange(STREAM)  # type: ignore[assignment]
    return [fields for _, fields in entries]


def test_an_event_is_accepted_once_it_is_in_the_stream(web: Web, redis_client: Redis) -> None:
    """202 `accepted`; the stream has the event as JSON, with the time of its arrival."""
    event = event_of("access_code.set_on_device", device_id="d0000000-0000-0000-0000-000000000001")
    answer = web.webhook(event)

    assert (answer.status_code, answer.json()) == (202, {"status": "accepted"})
    (entry,) = kept(redis_client)
    assert json.loads(entry["event"]) == event
    assert entry["received_at"].endswith("+00:00")


def test_the_pin_is_gone_before_anything_is_written(web: Web, redis_client: Redis) -> None:
    """Neither `code`, nor a change of the code, nor a sentence brings a PIN into the data server."""
    web.webhook(event_of("access_code.set_on_device", code=PIN))
    changed = [{"property": "code", "from": PIN, "to": PIN}]
    web.webhook(event_of("access_code.changed", changed_properties=changed, event_description=f"now {PIN}"))
    web.webhook(f'{{"event_id": 1, "code": "{PIN}"}}'.encode())
    web.webhook(f"not JSON at all: {PIN}".encode())

    everything = [redis_client.xrange(STREAM), redis_client.xrange("oracode:parked")]
    assert len(kept(redis_client)) == 2
    assert ParkedList(redis_client).count() == 2
    assert PIN not in json.dumps(everything)


def test_a_repeated_event_is_answered_as_a_duplicate(web: Web, redis_client: Redis) -> None:
    """The same `event_id`, in another delivery too, appends nothing."""
    event = event_of()
    first, again = web.webhook(event, delivery_id="msg_1"), web.webhook(event, delivery_id="msg_2")

    assert first.json() == {"status": "accepted"}
    assert (again.status_code, again.json()) == (202, {"status": "duplicate"})
    assert len(kept(redis_client)) == 1


def test_other_events_are_ignored_and_counted(web: Web, redis_client: Redis) -> None:
    """An event that prompts nothing and is in no code's story is counted by its type; nothing of it is kept."""
    for event_type in ("lock.locked", "lock.locked", "device.low_battery"):
        answer = web.webhook(event_of(event_type))
        assert (answer.status_code, answer.json()) == (202, {"status": "ignored"})

    assert kept(redis_client) == []
    assert redis_client.hgetall("oracode:ignored") == {"lock.locked": "2", "device.low_battery": "1"}


def test_an_unknown_access_code_event_is_kept(web: Web, redis_client: Redis) -> None:
    """A type that Seam invents tomorrow is accepted like any other of ours."""
    answer = web.webhook(event_of("access_code.teleported"))
    assert answer.json() == {"status": "accepted"}
    assert len(kept(redis_client)) == 1


@pytest.mark.parametrize(
    "event_type",
    ["device.disconnected", "device.teleported", "connected_account.disconnected", "connected_account.teleported"],
)
def test_events_of_doors_and_accounts_are_kept_short(web: Web, redis_client: Redis, event_type: str) -> None:
    """Accepted like those of codes, once each; what they are about is kept, and nothing that may hold anything."""
    metadata = {"owner": "Ann", "door code": PIN}
    issue = {"error_code": "account_disconnected", "message": f"Log in with {PIN}."}
    event = event_of(event_type, device_id="d-1", connected_account_id="a-1", device_errors=[issue])
    first, again = (web.webhook(event | {"device_custom_metadata": metadata}) for _ in range(2))

    assert (first.status_code, first.json(), again.json()) == (202, {"status": "accepted"}, {"status": "duplicate"})
    (entry,) = kept(redis_client)
    found = json.loads(entry["event"])
    assert (found["event_id"], found["device_id"], found["connected_account_id"]) == (event["event_id"], "d-1", "a-1")
    assert found["device_errors"] == [{"error_code": "account_disconnected"}]
    assert "Ann" not in entry["event"]
    assert PIN not in entry["event"]


UNUSABLE = {
    "not JSON": b"oops",
    "cut short": b'{"event_id": "e", "event_type": "access_code.cre',
    "empty": b"",
    "a list": b"[]",
    "a text": b'"access_code.created"',
    "no event_id": b'{"event_type": "access_code.created"}',
    "no event_type": b'{"event_id": "e"}',
    "event_id is a number": b'{"event_id": 7, "event_type": "access_code.created"}',
    "event_id is empty": b'{"event_id": "", "event_type": "access_code.created"}',
    "event_id looks like a PIN": b'{"event_id": "10001", "event_type": "access_code.created"}',
    "event_id without end": json.dumps({"event_id": "e" * 201, "event_type": "access_code.created"}).encode(),
    "event_type is null": b'{"event_id": "e", "event_type": null}',
    "too deep": b'{"event_id": "e", "event_type": "access_code.created", "x": ' + b"[" * 60_000,
    "a number too long": b'{"event_id": "e", "event_type": "access_code.x", "n": ' + b"9" * 5_000 + b"}",
}


@pytest.mark.parametrize("body", UNUSABLE.values(), ids=UNUSABLE.keys())
def test_a_genuine_body_that_is_no_event_is_parked(web: Web, redis_client: Redis, body: bytes) -> None:
    """202 `parked`, so that Seam doesn't repeat it for a day; a person finds it with its reason."""
    answer = web.webhook(body, delivery_id="msg_parked")

    assert (answer.status_code, answer.json()) == (202, {"status": "parked"})
    (entry,) = ParkedList(redis_client).list()
    assert (entry.parked.source_id, entry.parked.stream) == ("msg_parked", STREAM)
    assert entry.parked.problems
    assert kept(redis_client) == []


HALVES = {
    "event_id": {"event_id": "\ud800"},
    "event_type, ours": {"event_type": "access_code.\ud800"},
    "event_type, not ours": {"event_type": "lock.\ud800"},
    "access_code_id": {"access_code_id": "\ud800"},
    "a text": {"event_description": "\ud800"},
}


@pytest.mark.parametrize("fields", HALVES.values(), ids=HALVES.keys())
def test_half_a_character_does_no_harm(web: Web, fields: dict[str, str]) -> None:
    r"""JSON can spell half of a surrogate pair (`\ud800`), which no UTF-8 can; the next event is well."""
    assert web.webhook(event_of() | fields).status_code == 202
    assert web.webhook(event_of()).json() == {"status": "accepted"}


@pytest.mark.parametrize("method", ["GET", "PUT", "DELETE", "PATCH", "HEAD", "OPTIONS"])
def test_other_methods_are_refused(web: Web, method: str) -> None:
    """405, with the method that is right, before anything is read or verified."""
    answer = web.send(method, "/webhooks/seam", body=b"{}", headers=signed(b"{}"))
    assert answer.status_code == 405
    assert answer.headers["allow"] == "POST"
