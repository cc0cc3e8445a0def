"""Bookings that were parked or refused: the board, a booking's page and the health page tell of them."""

import json
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

from redis import Redis

from shared.clock import system_clock
from shared.domain.booking.record import Change, State
from shared.domain.entry_ids import entry_id_at
from tests.console.bookings import DOOR, book, ledger_of
from tests.console.console import Console, running, settings_for
from tests.console.test_booking_pages import HOSTILE
from tests.shared.test_unapplied_messages import message_of, park, refuse
from tests.support.server import DataServer


def test_a_parked_booking_is_on_the_board(console: Console, redis_client: Redis) -> None:
    """At risk, with what is wrong and a link to its message: never "nobody arrives"."""
    parked_id = park(redis_client, message_of("BK-NEW", 3))
    board = console.api("GET", "/arrivals").json()
    (row,) = board["arrivals"]
    assert (row["booking_id"], row["readiness"], row["message"], row["parked_id"]) == (
        "BK-NEW",
        "at risk",
        "parked",
        parked_id,
    )
    assert (board["counts"]["at_risk"], board["counts"]["total"], board["next_arrival"]) == (1, 1, None)
    for query in ("", "?readiness=at+risk"):
        page = console.browser("viewer").get(f"/arrivals{query}").text
        assert "Nobody arrives" not in page
        assert "A message for BK-NEW is parked: unit: &#39;Villa 7&#39; is not in the doors file; add it." in page
        assert f'href="/parked/{parked_id}"' in page
    assert console.api("GET", "/arrivals?readiness=ready").json()["arrivals"] == []
    health = console.api("GET", "/health").json()
    assert (health["arrivals_24h"], health["at_risk_24h"]) == (1, 1)
    assert any("1 arrival is at risk in the next 24 hours" in each["text"] for each in health["findings"])


def test_a_refused_booking_is_on_the_board(console: Console, redis_client: Redis) -> None:
    """Between the doors that are awaited, by its check-in; its booking's page says it too, and leads on."""
    book(redis_client, "BK-1", hours=2)
    book(redis_client, "BK-3", hours=6)
    refuse(redis_client, message_of("BK-2", 4))
    rows = console.api("GET", "/arrivals").json()["arrivals"]
    assert [row["booking_id"] for row in rows] == ["BK-1", "BK-2", "BK-3"]
    assert (rows[1]["state"], rows[1]["message"], rows[1]["parked_id"]) == ("refused", "refused", "")
    browser = console.browser("viewer")
    assert "A message for BK-2 was refused at" in browser.get("/arrivals").text
    parked_id = park(redis_client, message_of("BK-2", 4))
    answer = browser.get("/bookings/BK-2")
    assert answer.status_code == 404
    assert "A message for BK-2 was refused at" in answer.text
    assert f'href="/parked/{parked_id}"' in answer.text
    csv = browser.get("/arrivals.csv").text
    assert "A message for BK-2" in csv


def test_a_booking_whose_check_in_has_another_name_is_on_the_board(console: Console, redis_client: Redis) -> None:
    """By that time, and as urgent: on the board and the health page."""
    at = (system_clock() + timedelta(hours=1)).isoformat()
    park(redis_client, json.dumps({"booking_id": "BK-1", "unit": "Villa 7", "checkIn": at}))
    refuse(redis_client, json.dumps({"booking_id": "BK-2", "unit": "Villa 7", "arrival": at}))
    board = console.api("GET", "/arrivals").json()
    assert [(row["booking_id"], row["let_in_by_hand"]) for row in board["arrivals"]] == [("BK-1", True), ("BK-2", True)]
    assert board["undated"] == 0
    assert console.api("GET", "/health").json()["at_risk_24h"] == 2


def test_a_parked_change_stands_beside_its_door(console: Console, redis_client: Redis) -> None:
    """The door's own row stays as it is; the message's row says that the old times hold."""
    book(redis_client, "BK-1", hours=5, state=State.READY)
    park(redis_client, message_of("BK-1", 30))
    rows = console.api("GET", "/arrivals").json()["arrivals"]
    assert [(row["readiness"], row["message"], row["device_id"]) for row in rows] == [
        ("ready", "", DOOR),
        ("at risk", "parked", DOOR),
    ]
    assert "the booking keeps its old times" in rows[1]["why"]


def test_a_message_of_no_known_door_is_in_every_building(
    data_server: DataServer, redis_client: Redis, tmp_path: Path
) -> None:
    """Else it would be in none. That of a booking is where its door is."""
    doors_file = tmp_path / "doors.yaml"
    other = "d0000000-0000-0000-0000-000000000002"
    doors_file.write_text(
        f"'101': {{device_ids: [{DOOR}], building: North}}\n'203': {{device_ids: [{other}], building: South}}\n"
    )
    book(redis_client, "BK-1", hours=5)
    park(redis_client, message_of("BK-1", 5))
    park(redis_client, message_of("BK-NEW", 6))
    with running(settings_for(data_server.url, doors_file=doors_file)) as console:
        south = console.api("GET", "/arrivals?building=South").json()["arrivals"]
        north = console.api("GET", "/arrivals?building=North").json()["arrivals"]
    assert [row["booking_id"] for row in south] == ["BK-NEW"]
    assert [row["booking_id"] for row in north] == ["BK-1", "BK-1", "BK-NEW"]


def test_near_check_in_letting_the_guest_in_comes_first(console: Console, redis_client: Redis) -> None:
    """Not where the booking has a code, and not days before."""
    book(redis_client, "BK-1", hours=1, state=State.READY)
    for booking_id, hours in (("BK-1", 1), ("BK-NEW", 1), ("BK-FAR", 40)):
        park(redis_client, message_of(booking_id, hours))
        refuse(redis_client, message_of(f"{booking_id}-R", hours))
    rows = console.api("GET", "/arrivals").json()["arrivals"]
    by_hand = {row["booking_id"] for row in rows if row["let_in_by_hand"]}
    assert by_hand == {"BK-NEW", "BK-NEW-R", "BK-1-R"}
    refused = next(row for row in rows if row["booking_id"] == "BK-NEW-R")
    assert refused["next_step"] == (
        "First let the guest in by hand. Have the booking system send it again as it should be."
    )
    assert "First let the guest in by hand. <a" in console.browser("viewer").get("/arrivals").text


def test_messages_that_say_no_time_are_counted(console: Console, redis_client: Redis) -> None:
    """The board can't place them, and says so."""
    assert "doesn&#39;t say when" not in console.browser("viewer").get("/arrivals").text
    park(redis_client, message_of("BK-NEW", None))
    refuse(redis_client, json.dumps({"booking_id": "BK-2", "check_in": "tomorrow"}))
    assert console.api("GET", "/arrivals").json()["undated"] == 2
    page = console.browser("viewer").get("/arrivals").text
    assert "2 messages that were parked or refused don&#39;t say when their guests come." in page


def test_what_strangers_wrote_is_shown_as_text(console: Console, redis_client: Redis) -> None:
    """Ids of messages, and those that name none."""
    park(redis_client, message_of(HOSTILE, 5))
    refuse(redis_client, message_of(None, 6))
    page = console.browser("viewer").get("/arrivals").text
    assert "<script>alert" not in page
    assert "A message that names no booking was refused" in page


def test_a_board_of_many_messages_stays_small(console: Console, redis_client: Redis) -> None:
    """A full page of them is below 100 KB; the rest is on the next one."""
    for number in range(90):
        park(redis_client, message_of(f"BK-{number:02}", 1 + number / 10))
    page = console.browser("viewer").get("/arrivals")
    assert len(page.content) < 100_000
    assert "Page 1 of 2" in page.text
    assert len(console.api("GET", "/arrivals").json()["arrivals"]) == 90


def test_a_refusal_that_was_settled_is_told_no_more(console: Console, redis_client: Redis) -> None:
    """A later message of the booking was applied: it was sent as it should be."""
    refuse(redis_client, message_of("BK-1", 5), at=system_clock() - timedelta(minutes=5))
    booking = book(redis_client, "BK-1", hours=5)
    (line,) = console.api("GET", "/bookings/BK-1").json()["refused"]
    assert "For now: the booking keeps its old times" in line
    applied_at = entry_id_at(system_clock())
    ledger_of(redis_client).record(booking, lambda it: Change(replace(it, newest_entry=applied_at)))
    assert console.api("GET", "/bookings/BK-1").json()["refused"] == []
    (row,) = console.api("GET", "/arrivals").json()["arrivals"]
    assert row["message"] == ""
