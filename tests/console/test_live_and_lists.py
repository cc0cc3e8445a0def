"""What changed, lists as CSV, metrics, and the API's description."""

import csv
import io
import json
import re
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families
from redis import Redis

from receiver.console.changes import ChangeFinder
from receiver.console.exports import defused
from receiver.console.openapi import document
from receiver.console.ports import open_ports
from receiver.console.table import OPERATIONS
from shared.clock import system_clock
from shared.domain.booking.record import State
from tests.console.bookings import book, move
from tests.console.console import TOKENS, Console, settings_for
from tests.console.test_other_pages import park, tell
from tests.support.server import DataServer


def test_a_change_is_told_once_and_by_what_it_is(data_server: DataServer, redis_client: Redis) -> None:
    """Bookings by their ids; alerts and parked messages by their topic; nothing where nothing changed."""
    ports = open_ports(settings_for(data_server.url), system_clock)
    finder = ChangeFinder(ports)
    assert finder.look() == {}
    book(redis_client, "BK-1")
    assert finder.look() == {"topics": ["bookings"], "bookings": ["BK-1"]}
    assert finder.look() == {}
    tell(redis_client, "a/b")
    assert finder.look()["topics"] == ["alerts"]
    park(redis_client, "{}")
    assert finder.look()["topics"] == ["parked"]
    book(redis_client, "BK-2", state=State.WAITING, reason="no_slot")
    move(redis_client, "BK-1", State.WAITING, "no_slot")
    assert sorted(finder.look()["bookings"]) == ["BK-1", "BK-2"]
    assert finder.look() == {}
    ports.close()


def test_the_stream_is_for_sessions(console: Console) -> None:
    """Not for strangers: 401, which a browser doesn't try again."""
    assert console.send("GET", "/events").status_code == 401


@pytest.mark.parametrize(
    ("cell", "text"),
    [
        ("=1+1", "'=1+1"),
        ("+49 30", "'+49 30"),
        ("-1", "'-1"),
        ("@SUM(A1)", "'@SUM(A1)"),
        ("\t=1", "'\t=1"),
        (" =1", "' =1"),
        ("a=1", "a=1"),
        (None, ""),
        (3, "3"),
    ],
)
def test_no_cell_is_a_formula(cell: object, text: str) -> None:
    """A label is written by strangers, and opened in a spreadsheet."""
    assert defused(cell) == text


@pytest.mark.parametrize("path", ["/arrivals.csv?hours=48", "/bookings.csv?state=ready", "/residual-access.csv"])
def test_lists_as_csv(console: Console, redis_client: Redis, path: str) -> None:
    """What the page shows, with every cell in its column whatever stands in it."""
    book(redis_client, "BK-1", label='=cmd|"x",\n1')
    answer = console.browser("viewer").get(path)
    assert answer.headers["content-type"].startswith("text/csv")
    assert "attachment" in answer.headers["content-disposition"]
    rows = list(csv.DictReader(io.StringIO(answer.text.removeprefix("\ufeff"))))
    assert [row["booking_id"] for row in rows] == ([] if "residual" in path else ["BK-1"])
    assert all(row["label"].startswith("'=cmd") for row in rows)
    assert console.send("GET", path).status_code == 303


def test_metrics(console: Console, redis_client: Redis) -> None:
    """In Prometheus' format, for requests with a valid token."""
    book(redis_client, "BK-1")
    tell(redis_client, "a/b")
    park(redis_client, "{}")
    assert console.send("GET", "/metrics").status_code == 401
    text = console.send("GET", "/metrics", headers={"authorization": f"Bearer {TOKENS['viewer']}"}).text
    found = {
        (sample.name, tuple(sample.labels.values())): sample.value
        for family in text_string_to_metric_families(text)
        for sample in family.samples
    }
    assert found["oracode_bookings", ("ready",)] == 1
    assert found["oracode_parked_messages", ()] == 1
    assert sum(value for (name, _), value in found.items() if name == "oracode_alerts_open") == 1
    assert all(name.startswith("oracode_") for name, _ in found)


def test_the_description_is_that_of_the_routes(console: Console, project: Path) -> None:
    """Every operation is in it; the committed file is what is served."""
    made = document(OPERATIONS)
    assert json.loads((project / "docs/console-openapi.json").read_text()) == json.loads(json.dumps(made))
    assert console.send("GET", "/api/openapi.json").json() == json.loads(json.dumps(made))
    listed = {each["operationId"] for path in made["paths"].values() for each in path.values()}
    assert listed == {each.name for each in OPERATIONS}
    assert len(listed) == len(OPERATIONS)
    text = json.dumps(made)
    for name in {part.partition('"')[0] for part in text.split("#/components/schemas/")[1:]}:
        assert name in made["components"]["schemas"]


def test_a_page_stays_small(console: Console, redis_client: Redis) -> None:
    """A full page of bookings, and a board of many, below 100 KB before compression."""
    for number in range(130):
        book(redis_client, f"BK-{number}", label=f"Room {number}", hours=3 + number / 4)
    browser = console.browser("operator")
    for path in ("/bookings", "/arrivals", "/arrivals?page=2"):
        assert len(browser.get(path).content) < 100_000


def test_a_long_board_is_shown_in_pages(console: Console, redis_client: Redis) -> None:
    """Each arrival is on one page, the counts are of all, and the API answers all at once."""
    for number in range(130):
        book(redis_client, f"BK-{number:03}", hours=3 + number / 4)
    browser = console.browser("viewer")
    pages = [browser.get(f"/arrivals?page={page}").text for page in (1, 2)]
    shown = [set(re.findall(r'href="/bookings/(BK-\d+)"', page)) for page in pages]
    assert shown == [{f"BK-{number:03}" for number in part} for part in (range(80), range(80, 130))]
    assert all("Page" in page and "<dd>130</dd>" in page for page in pages)
    assert browser.get("/arrivals?page=9").text.count("Page 2 of 2") == 1
    assert (
        len(
            console.send("GET", "/api/arrivals", headers={"authorization": f"Bearer {TOKENS['viewer']}"}).json()[
                "arrivals"
            ]
        )
        == 130
    )
