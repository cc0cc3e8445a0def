"""The pages that are made from the code have all that the code has."""

import logging
import re
from pathlib import Path

import pytest
from redis import Redis

from deploy.website.reference.commands import commands, commands_page
from deploy.website.reference.errors import BAD_MESSAGES, errors_page, problems_with
from deploy.website.reference.events import events_page
from deploy.website.reference.http_api import http_api_page
from deploy.website.reference.log_events import log_events, unnamed_log_calls
from deploy.website.reference.problems import problems_page
from receiver.console.table import OPERATIONS
from shared.domain.booking.record import State
from shared.domain.code.event_types import KNOWN_TYPES, NEEDED_TYPES
from shared.domain.messages.near_misses import FIELDS
from shared.metrics import CATALOGUE
from tests.console.console import TOKENS, running, settings_for
from tests.support.server import DataServer
from worker.alerts.message import RUNBOOK_SECTIONS


def cells(page: str) -> set[str]:
    """Return the first cell of each row of a page's tables, without its marks."""
    found = re.findall(r"^\| \[?`([^`]+)`", page, re.MULTILINE)
    return set(found)


def test_problems() -> None:
    """All that alerts are about."""
    assert cells(problems_page()) == set(RUNBOOK_SECTIONS)


def test_events() -> None:
    """Every type with a meaning of its own; those that a webhook must send are marked."""
    page = events_page()
    assert cells(page) == KNOWN_TYPES
    assert set(re.findall(r"^\| `([^`]+)` .* yes \|$", page, re.MULTILINE)) == NEEDED_TYPES


def test_states(project: Path) -> None:
    """Each has its meaning, in the order of a booking's life."""
    table = (project / "docs/lifecycle.md").read_text().split("## States")[1].split("\n## ")[0]
    assert re.findall(r"^\| `([a-z]+)` \|", table, re.MULTILINE) == [str(state) for state in State]


def test_fields_of_booking_messages(project: Path) -> None:
    """The page has each that is read, and no other."""
    table = (project / "docs/booking-messages.md").read_text().split("## Fields")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (`[a-z_`, ]+) \|", table, re.MULTILINE)
    assert {name for row in rows for name in re.findall(r"[a-z_]+", row)} == set(FIELDS)


def test_commands() -> None:
    """Every command has its section with its own help."""
    page = commands_page()
    names = [name for name, _, _ in commands()]
    assert {"oracode bookings publish", "oracode doctor", "oracode alerts silence", "oracode codes reveal"} <= set(
        names
    )
    assert re.findall(r"^## (.+)$", page, re.MULTILINE) == names
    assert all(f"Usage: {name}" in page for name in names)


def test_requests() -> None:
    """Every operation of the console, and every path of `web`."""
    page = http_api_page()
    for each in OPERATIONS:
        path = re.sub(r"\{(\w+)(?::path)?\}", r"{\1}", each.path)
        assert f"`{each.method} /api{path}`" in page
    assert "`POST /bookings/{booking_id}/reveal`" in page


def test_metrics_are_those_that_are_scraped(data_server: DataServer, redis_client: Redis) -> None:
    """By name and type, as a running console answers them."""
    del redis_client
    with running(settings_for(data_server.url)) as console:
        answer = console.send("GET", "/metrics", headers={"authorization": f"Bearer {TOKENS['viewer']}"})
    scraped = dict(re.findall(r"^# TYPE (\S+) (\S+)$", answer.text, re.MULTILINE))
    assert scraped == {name: CATALOGUE[name].kind for name in scraped}
    assert {name for name, each in CATALOGUE.items() if each.kind == "gauge"} <= set(scraped)
    help_texts = dict(re.findall(r"^# HELP (\S+) (.+)$", answer.text, re.MULTILINE))
    assert help_texts == {name: CATALOGUE[name].text for name in scraped}


def test_every_log_event_has_a_name_that_is_written_where_it_is_logged() -> None:
    """Else the page couldn't list it, and nobody could search for it."""
    assert unnamed_log_calls() == []
    events = log_events()
    assert len(events) > 90
    assert [each.name for each in events if not re.fullmatch(r"[a-z_]+(\.[a-z_]+)+", each.name)] == []
    known = {"code.adopted", "code.issued", "webhooks.accepted", "seam.call_failed", "process.crashed"}
    assert known <= {each.name for each in events}
    assert {each.level for each in events} <= {name.lower() for name in logging.getLevelNamesMapping()}


def test_the_page_of_errors_shows_whole_answers() -> None:
    """As they are sent."""
    page = errors_page()
    for text in ('{"error":"invalid_signature"}', '{"error":"unauthorized"}', "Retry-After: 42", "is not a UUID"):
        assert text in page


@pytest.mark.parametrize("sent", BAD_MESSAGES, ids=str)
def test_each_bad_message_of_the_page_is_refused(sent: dict[str, object]) -> None:
    """A sample that is read by now needs another."""
    assert problems_with(sent) != ()
