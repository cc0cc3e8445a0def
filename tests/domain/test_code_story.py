"""The story of a code: events in any order, and any number of times, give each line once, ordered by time."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.code.story import replaces_pin, story_of
from tests.domain.test_event_meanings import DOCUMENTED
from tests.shared.stories import NOW


def event(number: int, name: str = "changed", **fields: Any) -> dict[str, Any]:
    """Return the `number`-th event of a code, a minute after the one before."""
    at = (NOW + timedelta(minutes=number)).isoformat()
    return {"event_id": f"e-{number}", "event_type": f"access_code.{name}", "occurred_at": at, **fields}


EVENTS = [event(number, name) for number, name in enumerate(DOCUMENTED)]


@given(st.lists(st.sampled_from(EVENTS), max_size=80))
def test_any_order_with_repetitions_gives_the_same_story(arrived: list[dict[str, Any]]) -> None:
    """Except for the marks of late events."""
    in_order = sorted({each["event_id"]: each for each in arrived}.values(), key=lambda each: str(each["occurred_at"]))
    told = [(line.at, line.what, line.facts["event_id"]) for line in story_of(arrived)]
    assert told == [(line.at, line.what, line.facts["event_id"]) for line in story_of(in_order)]
    assert not any(line.facts["late"] for line in story_of(in_order))


def test_an_event_that_comes_after_newer_ones_is_marked_as_late() -> None:
    """In the text, too; its line is at its own time."""
    first, second = story_of([event(2), event(1)])
    assert (first.facts["event_id"], first.facts["late"], second.facts["late"]) == ("e-1", True, False)
    assert "late" in first.text
    assert "late" not in second.text


@pytest.mark.parametrize("at", [None, "yesterday", 7])
def test_an_event_without_a_time_follows_what_came_before(at: Any) -> None:
    """It is not lost, and not put at the beginning of time."""
    lines = story_of([event(5), event(6, occurred_at=at)])
    assert [line.facts["event_id"] for line in lines] == ["e-5", "e-6"]
    assert lines[1].at == datetime.fromisoformat(event(5)["occurred_at"]).astimezone(UTC)


def test_issues_are_explained_and_quote_seam() -> None:
    """A reader understands each line without a list of codes."""
    issue = {"error_code": "dormakaba_sites_disconnected", "message": "Contact dormakaba."}
    (line,) = story_of([event(1, "failed_to_set_on_device", access_code_errors=[issue], device_warnings="odd")])
    assert "cut the site off" in line.text
    assert "dormakaba_sites_disconnected: Contact dormakaba" in line.text


@pytest.mark.parametrize(
    ("changed", "text"),
    [
        ([{"property": "code"}, {"property": "ends_at"}], "The code was changed: its PIN, its end."),
        ([{"property": 7}, 7, {"property": "name"}], "The code was changed: its name."),
        ([], "The code was changed."),
        ("code", "The code was changed."),
    ],
)
def test_what_was_changed_is_named(changed: Any, text: str) -> None:
    """As far as the event says; the values aren't part of the story."""
    (line,) = story_of([event(1, changed_properties=changed)])
    assert line.text == text


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_event_has_a_text(name: str) -> None:
    """None is shown as unknown."""
    (line,) = story_of([event(1, name)])
    assert "not known" not in line.text


REMOVED = "[removed]"
PINS: list[Any] = [
    pytest.param("code_changed", {"from": {"code": REMOVED}, "to": {"code": REMOVED}}, True, id="replaced"),
    pytest.param("code_changed", {"from": {}, "to": {"code": REMOVED}}, False, id="came where none was"),
    pytest.param("code_changed", {}, False, id="says nothing"),
    pytest.param("changed", {"changed_properties": [{"property": "code", "from": REMOVED}]}, True, id="as a property"),
    pytest.param("changed", {"changed_properties": [{"property": "code", "to": REMOVED}]}, False, id="first PIN"),
    pytest.param("changed", {"changed_properties": [{"property": "name", "from": "a"}]}, False, id="another property"),
    pytest.param("changed", {"changed_properties": "odd"}, False, id="not a list"),
    pytest.param("backup_access_code_pulled", {}, True, id="a backup in its place"),
    pytest.param("set_on_device", {"from": {"code": REMOVED}}, False, id="another event"),
]


@pytest.mark.parametrize(("name", "fields", "is_replaced"), PINS)
def test_when_a_pin_was_replaced(name: str, fields: dict[str, Any], is_replaced: bool) -> None:  # noqa: FBT001 - a table
    """Only if there was a PIN before."""
    assert replaces_pin(event(1, name, **fields)) is is_replaced
