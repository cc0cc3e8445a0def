"""What somebody sees who looks for a guest, and who looks at a board on which nobody arrives."""

import re
from datetime import datetime
from pathlib import Path

import pytest
from redis import Redis

from shared.domain.booking.record import State
from shared.domain.versions import BOOKING
from shared.redis_keys import BOOKINGS_INDEXED, booking_record
from tests.console.bookings import DOOR, ZONE, book, move, read_door
from tests.console.console import Console, running, settings_for
from tests.console.test_booking_pages import HOSTILE
from tests.support.server import DataServer
from tests.support.waiting import wait_until

OTHER_DOOR = "d0000000-0000-0000-0000-000000000002"
DAY = 24.0


def test_an_empty_board_leads_to_the_next_arrival(console: Console, redis_client: Redis) -> None:
    """By the lock's clock, with a link to the smallest window that shows it."""
    book(redis_client, "BK-far", hours=20 * DAY)
    booking = book(redis_client, "BK-next", hours=3.2 * DAY, name=HOSTILE)
    book(redis_client, "BK-cancelled", hours=2.5 * DAY)
    move(redis_client, "BK-cancelled", State.ENDED)
    answer = console.api("GET", "/arrivals").json()
    following = answer["next_arrival"]
    assert answer["arrivals"] == []
    assert (following["booking_id"], following["hours"], following["time_zone"]) == ("BK-next", 96, ZONE)
    assert datetime.fromisoformat(following["check_in"]) == booking.doors[0].check_in
    assert following["check_in"][-6:] in ("-08:00", "-07:00")
    page = console.browser("viewer").get("/arrivals").text
    assert "Nobody arrives in the next 48 hours." in page
    assert re.search(r"Next arrival: .*\d\d:\d\d</time></a>, in 3 days", page)
    assert "<script>alert" not in page
    (link,) = re.findall(r'Next arrival: <a href="([^"]*)"', page)
    shown = console.browser("viewer").get(link)
    assert "BK-next" in shown.text
    assert "Next arrival" not in shown.text
    assert "the next 4 days" in shown.text


def test_a_board_with_a_row_names_no_next_arrival(console: Console, redis_client: Redis) -> None:
    """A board with rows doesn't, nor does one with rows that a filter hides."""
    book(redis_client, "BK-1", hours=5)
    book(redis_client, "BK-2", hours=100)
    for query in ("", "?readiness=at+risk"):
        assert console.api("GET", f"/arrivals{query}").json()["next_arrival"] is None
    assert (
        "No door awaited in the next 48 hours is at risk"
        in console.browser("viewer").get("/arrivals?readiness=at+risk").text
    )


def test_an_arrival_beyond_every_window_leads_to_its_booking(console: Console, redis_client: Redis) -> None:
    """No window shows it, so its booking does."""
    book(redis_client, "BK-far", hours=60 * DAY)
    assert console.api("GET", "/arrivals").json()["next_arrival"]["hours"] is None
    assert 'Next arrival: <a href="/bookings/BK-far">' in console.browser("viewer").get("/arrivals").text


def test_no_bookings_at_all(console: Console) -> None:
    """The board says so, and that it will follow."""
    page = console.browser("viewer").get("/arrivals").text
    assert "No later arrival is booked. A new booking appears here by itself." in page


@pytest.fixture
def doors_file(tmp_path: Path) -> Path:
    """Return a file of two units in two buildings."""
    path = tmp_path / "doors.yaml"
    path.write_text(
        f"'101': {{device_ids: [{DOOR}], building: North}}\n'203': {{device_ids: [{OTHER_DOOR}], building: South}}\n"
    )
    return path


def test_the_next_arrival_is_of_the_building(data_server: DataServer, redis_client: Redis, doors_file: Path) -> None:
    """Also where many others come before."""
    for number in range(15):
        book(redis_client, f"BK-north-{number}", hours=3 * DAY + number)
    book(redis_client, "BK-south", hours=9 * DAY, device_id=OTHER_DOOR)
    with running(settings_for(data_server.url, doors_file=doors_file)) as console:
        following = console.api("GET", "/arrivals?building=South").json()["next_arrival"]
        assert (following["booking_id"], following["hours"]) == ("BK-south", 336)
        page = console.browser("viewer").get("/arrivals?building=South").text
        assert "hours=336&amp;building=South" in page


def test_a_guest_who_is_locked_out_is_found_by_the_room(
    data_server: DataServer, redis_client: Redis, doors_file: Path
) -> None:
    """A guest who is inside comes first, with when the code works. Past and cancelled stays aren't listed."""
    book(redis_client, "BK-next", hours=80, name="Garden door")
    book(redis_client, "BK-inside", hours=-20, label="Ms Ito", name="Garden door")
    book(redis_client, "BK-left", hours=-200, name="Garden door")
    read_door(redis_client, name="Garden door")
    with running(settings_for(data_server.url, doors_file=doors_file)) as console:
        for wanted in ("garden", "101", DOOR[-6:]):
            found = console.api("GET", f"/find?q={wanted}").json()
            assert [(row["booking_id"], row["when"]) for row in found["stays"]] == [
                ("BK-inside", "inside"),
                ("BK-next", "to come"),
            ]
            assert [row["works_now"] for row in found["stays"]] == [True, False]
            assert [row["unit"] for row in found["doors"]] == ["101"]
        page = console.browser("revealer").get("/find?q=101").text
    first = page.index("Inside now")
    assert first < page.index("Comes later")
    assert "The code works now" in page
    assert 'href="/bookings/BK-inside">The PIN, and what to do' in page


def test_a_guest_is_found_by_name_whatever_becomes_of_the_booking(console: Console, redis_client: Redis) -> None:
    """Also a guest without a code, or with a stay that is over. What strangers wrote is shown as text."""
    book(redis_client, "BK-1", hours=-5, label=f"Ito {HOSTILE}", state=State.WAITING, reason="no_slot", name=HOSTILE)
    book(redis_client, "BK-2", hours=-300, label="Ito before")
    found = console.api("GET", "/find?q=ito").json()["stays"]
    assert [(row["booking_id"], row["when"], row["works_now"]) for row in found] == [
        ("BK-1", "inside", False),
        ("BK-2", "over", False),
    ]
    browser = console.browser("viewer")
    page = browser.get("/find?q=ito").text
    assert "There is no code for this door." in page
    assert "The PIN" not in page
    assert "<script>alert" not in page
    assert "<script>alert" not in browser.get("/find?q=%3Cscript%3Ealert(1)%3C/script%3E").text
    assert "Nothing is called" in browser.get("/find?q=nobody").text
    assert browser.get("/find").status_code == 200


def test_a_record_of_a_newer_version_is_said(console: Console, redis_client: Redis) -> None:
    """While two versions run side by side: neither a crash nor "there is no such booking"."""
    book(redis_client, "BK-1")
    # The console fills the indexes when it starts, and writes each booking again for that.
    wait_until(lambda: redis_client.exists(BOOKINGS_INDEXED), what="the indexes")
    key = booking_record("BK-1")
    major = int(BOOKING.partition(".")[0]) + 1
    record = str(redis_client.hget(key, "record"))
    assert f'"{BOOKING}"' in record
    redis_client.hset(key, "record", record.replace(f'"{BOOKING}"', f'"{major}.0"', 1))
    answer = console.api("GET", "/bookings/BK-1")
    assert (answer.status_code, answer.json()["error"]) == (503, "newer_version")
    assert "newer version" in console.browser("viewer").get("/bookings/BK-1").text
