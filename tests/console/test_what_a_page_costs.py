"""What a page costs the data server and the network: it doesn't grow with the ledger."""

import pytest
from redis import Redis

from shared.domain.booking.record import State
from tests.console.bookings import DOOR, book, read_door
from tests.console.console import Console
from tests.console.test_other_pages import park, tell
from tests.support.round_trips import round_trips

# How often each page waits for the data server, the session and the look for changes included.
ROUND_TRIPS = {
    "/arrivals": 10,
    "/bookings": 10,
    "/bookings?state=waiting": 10,
    "/bookings?q=bk": 11,
    f"/bookings?device_id={DOOR}": 11,
    "/bookings/BK-0": 9,
    "/find?q=bk": 16,
    "/alerts": 5,
    "/alerts?state=all": 7,
    "/doors": 7,
    f"/doors/{DOOR}": 11,
    "/residual-access": 4,
    "/health": 22,
}


def crowd(redis: Redis, numbers: range) -> None:
    """Write bookings and alerts of these numbers."""
    for number in numbers:
        state, reason = (State.WAITING, "no_slot") if number % 3 == 0 else (State.READY, "")
        door = DOOR if number % 2 else f"d0000000-0000-0000-0000-0000000{number:05}"
        book(redis, f"BK-{number}", hours=1 + number / 2, state=state, reason=reason, device_id=door)
        tell(redis, f"booking/BK-{number}/no_slot/d")
    read_door(redis)
    park(redis, "{}")


@pytest.mark.parametrize("path", ROUND_TRIPS)
def test_round_trips_are_few_and_do_not_grow(console: Console, redis_client: Redis, path: str) -> None:
    """As many for sixty bookings as for two."""
    browser, found = console.browser("operator"), []
    for numbers in (range(2), range(2, 60)):
        crowd(redis_client, numbers)
        browser.get("/residual-access")
        with round_trips() as trips:
            assert browser.get(path).status_code == 200
        found.append(trips.count)
    assert found[1] <= found[0]
    assert found[1] <= ROUND_TRIPS[path]


def test_a_page_of_many_alerts_stays_small(console: Console, redis_client: Redis) -> None:
    """A hundred with long texts and all actions: below 100 KB a page, each alert on one page, the counts of all."""
    text = "The door's time slots were changed under a code that exists, and the guest's times fit none of them. " * 3
    for number in range(100):
        tell(redis_client, f"booking/BK-{number:03}/no_slot/{DOOR}", text=text)
    browser = console.browser("operator")
    pages = [browser.get(f"/alerts?page={page}") for page in (1, 2, 3, 4)]
    assert max(len(page.content) for page in pages) < 100_000
    assert [page.text.count("<article") for page in pages] == [30, 30, 30, 10]
    subjects = [f"Subject of booking/BK-{number:03}/" for number in range(100)]
    assert all(sum(subject in page.text for page in pages) == 1 for subject in subjects)
    assert all("Page" in page.text and ">open <strong>100</strong>" in page.text for page in pages)
    assert browser.get("/alerts?page=9").text.count("Page 4 of 4") == 1
    assert len(console.api("GET", "/alerts").json()["alerts"]) == 100
    assert console.api("GET", "/alerts?page=0").status_code == 400


def test_a_board_of_much_at_risk_stays_small(console: Console, redis_client: Redis) -> None:
    """A full page of doors of which each needs a person, with long names: still below 100 KB."""
    for number in range(90):
        book(
            redis_client,
            f"BK-{number}",
            hours=1 + number / 10,
            state=State.WAITING,
            reason="no_slot",
            detail="Nearest: Guest 4pm to 10am, 45 min off; suggested times are 16:00 and 10:00.",
            label=f"Group of the {number}th travel agency, late arrival",
        )
    assert len(console.browser("operator").get("/arrivals").content) < 100_000
