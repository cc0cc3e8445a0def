"""The story of a code: whatever order events come in, and however often, it is told once and by time."""

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
def test_any_order_with_repetitions_tells_the_same(arrived: list[dict[str, Any]]) -> None:
    """But for the marks of lateness, the story depends on what happened alone."""
    in_order = sorted({each["event_id"]: each for each in arrived}.values(), key=lambda each: str(each["occurred_at"]))
    told = [(line.at, line.what, line.facts["event_id"]) for line in story_of(arrived)]
    assert told == [(line.at, line.what, line.facts["event_id"]) for line in story_of(in_order)]
    assert not any(line.facts["late"] for line in story_of(in_order))


def test_what_comes_after_newer_news_is_late() -> None:
    """Marked, in words too, and put where it belongs."""
    first, second = story_of([event(2), event(1)])
    assert (first.facts["event_id"], first.facts["late"], second.facts["late"]) == ("e-1", True, False)
    assert "late" in first.text
    assert "late" not in second.text


@pytest.mark.parametrize("at", [None, "yesterday", 7])
def test_an_event_without_a_time_follows_what_came_before(at: Any) -> None:
    """It is no reason to lose it, nor to put it at the beginning of time."""
    lines = story_of([event(5), event(6, occurred_at=at)])
    assert [line.facts["event_id"] for line in lines] == ["e-5", "e-6"]
    assert lines[1].at == datetime.fromisoformat(event(5)["occurred_at"]).astimezone(UTC)


def test_issues_are_told_in_words_with_seams_own() -> None:
    """Each line of the story can be understood without a list of codes."""
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
    """As far as the event says it; the values are no part of the story."""
    (line,) = story_of([event(1, changed_properties=changed)])
    assert line.text == text


@pytest.mark.parametrize("name", DOCUMENTED)
def test_every_documented_event_has_words(name: str) -> None:
    """None is told as something unknown."""
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
    """Only where one was there before."""
    assert replaces_pin(event(1, name, **fields)) is is_replaced
