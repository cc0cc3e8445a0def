"""`GET /bookings/{id}`: what became of a booking, with a token."""

import json
from dataclasses import replace
from typing import Any
from urllib.parse import quote

import httpx
import pytest
from redis import Redis

from shared.domain.booking import transitions
from shared.parked import Parked, ParkedList
from tests.receiver.web import TOKEN, Web, running, settings_for
from tests.shared.ledgers import booking_ledger
from tests.shared.stories import DOOR, NOW, SECOND, WINDOW, accepted, code
from tests.support.server import DataServer

FACTS: dict[str, Any] = {}


def get(web: Web, booking_id: str, token: str = TOKEN) -> httpx.Response:
    """Ask for a booking."""
    headers = [(b"authorization", f"Bearer {token}".encode())]
    return web.send("GET", f"/bookings/{quote(booking_id, safe='')}", headers=headers)


def known(redis: Redis, booking_id: str = "BK-1") -> None:
    """Put a booking with two doors into the ledger: one has a code, the other finds no slot."""
    ledger = booking_ledger(redis)

    def first(_: object) -> Any:
        change = accepted(None, doors=(DOOR, SECOND))
        return replace(change, booking=replace(change.booking, booking_id=booking_id))

    booking = ledger.record_message(booking_id, first)
    booking = ledger.record(
        booking, lambda it: transitions.record_code(it, DOOR, code(), revision=0, asked=WINDOW, adopted=False, now=NOW)
    )
    ledger.record(
        booking,
        lambda it: transitions.wait(
            it, SECOND, revision=0, reason="no_slot", detail="Nearest: 90 minutes.", until=NOW, facts=FACTS, now=NOW
        ),
    )


def test_a_booking_is_told_with_its_doors(web: Web, redis_client: Redis) -> None:
    """State and reason of the whole; of each door state, access code, window and what is to be done."""
    known(redis_client)
    answer = get(web, "BK-1")
    told = answer.json()

    assert (answer.status_code, answer.headers["cache-control"]) == (200, "no-store")
    assert (told["booking_id"], told["state"], told["reason"], told["parked"]) == ("BK-1", "waiting", "no_slot", [])
    with_code, without = told["devices"]
    assert (with_code["device_id"], with_code["state"], with_code["access_code_id"]) == (DOOR, "issued", "c-1")
    assert (with_code["starts_at"], with_code["ends_at"]) == (WINDOW.starts_at.isoformat(), WINDOW.ends_at.isoformat())
    assert (without["device_id"], without["state"], without["reason"]) == (SECOND, "waiting", "no_slot")
    assert without["access_code_id"] is None
    assert "oracode bookings choose BK-1" in without["next_step"]
    assert without["problems"] == ["no_slot"]


@pytest.mark.parametrize("booking_id", ["A/B", "Ümläut 7", "100%", "x/reveal", "a?b#c"])
def test_any_id_can_be_asked_for(web: Web, redis_client: Redis, booking_id: str) -> None:
    """An id may hold whatever a booking's id may hold."""
    known(redis_client, booking_id)
    assert get(web, booking_id).json()["booking_id"] == booking_id


def test_a_booking_that_nobody_knows(web: Web, redis_client: Redis) -> None:
    """404, and nothing is written."""
    answer = get(web, "BK-404")
    assert (answer.status_code, answer.json()) == (404, {"error": "unknown_booking", "parked": []})
    assert redis_client.dbsize() == 0


def test_a_parked_message_of_the_booking_is_told(web: Web, redis_client: Redis) -> None:
    """With its problems, whether the booking is known or not; those of others are not told."""
    parked = ParkedList(redis_client)
    ids = {}
    for booking_id in ("BK-1", "BK-10", "Ümläut"):
        for spelled in (json.dumps({"booking_id": booking_id}), json.dumps({"booking_id": booking_id, "n": 2})):
            ids[booking_id] = parked.park(
                Parked(
                    stream="booking-created",
                    field="message",
                    source_id="1-0",
                    message=spelled,
                    problems=("check_in: is missing",),
                    parked_at=NOW.isoformat(),
                )
            )
    for booking_id in ("BK-1", "Ümläut"):
        answer = get(web, booking_id)
        told = answer.json()["parked"]
        assert (answer.status_code, len(told)) == (404, 2)
        assert told[0] == {
            "parked_id": ids[booking_id], "parked_at": NOW.isoformat(), "problems": ["check_in: is missing"],
            "kind": "booking", "stands": "no code is made for it",
        }  # fmt: skip
    known(redis_client)
    now_known = get(web, "BK-1").json()["parked"]
    assert [told["kind"] for told in now_known] == ["change", "change"]
    assert "keeps its old times" in now_known[0]["stands"]


def test_strangers_are_told_nothing(web: Web, redis_client: Redis) -> None:
    """401 for known and unknown bookings alike, counted as a failed try."""
    known(redis_client)
    for booking_id in ("BK-1", "BK-404"):
        answer = get(web, booking_id, token="another")
        assert (answer.status_code, answer.json()) == (401, {"error": "unauthorized"})
    assert web.send("GET", "/bookings/BK-1").status_code == 401


def test_failed_tries_are_limited(data_server: DataServer, redis_client: Redis) -> None:
    """Past the limit a client without the token gets 429; a client with the token is still served."""
    known(redis_client)
    with running(settings_for(data_server.url, rejection_limit=2)) as web:
        assert [get(web, "BK-1", token="no").status_code for _ in range(3)] == [401, 401, 429]
        assert get(web, "BK-1").status_code == 200


def test_it_is_off_without_tokens(data_server: DataServer, redis_client: Redis) -> None:
    """404, as of any path that isn't there."""
    known(redis_client)
    with running(settings_for(data_server.url, booking_tokens=())) as web:
        assert get(web, "BK-1").status_code == 404
    with running(settings_for(data_server.url)) as web:
        answer = web.send("POST", "/bookings/BK-1/reveal", headers=[(b"authorization", f"Bearer {TOKEN}".encode())])
        assert (answer.status_code, answer.json()) == (404, {"error": "not_found"})


def test_without_a_data_server(redis_client: Redis) -> None:
    """503, with when to come again."""
    del redis_client
    with running(settings_for("redis://127.0.0.1:1/0")) as web:
        answer = get(web, "BK-1")
        assert (answer.status_code, answer.headers["retry-after"]) == (503, "5")
