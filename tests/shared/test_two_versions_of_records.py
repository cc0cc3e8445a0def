"""Two versions side by side: which records an older version reads, and which it leaves to the newer."""

import json
from collections.abc import Mapping
from typing import Any

import pytest
from pydantic import ValidationError

from shared.domain import versions
from shared.domain.alerting.alert import Alert
from shared.domain.alerting.budget import Budget
from shared.domain.booking.record import Booking
from shared.domain.versions import NewerVersionNeeded, Versioned
from tests.shared.newer_versions import NEWER, NOTICE, a_booking, json_of
from tests.shared.stories import NOW, booking

UNKNOWN_VALUES: Mapping[str, tuple[Versioned, tuple[str | int, ...], Any]] = {
    "a state": (a_booking(), ("state",), "paused"),
    "a door's state": (a_booking(), ("doors", 1, "state"), "paused"),
    "a granularity": (a_booking(), ("stay", "granularity"), "weekly"),
    "a kind of notice": (a_booking(), ("outbox", 0, "kind"), "invoice"),
    "another type": (a_booking(), ("revision",), "1.5"),
    "a severity": (Alert(notice=NOTICE, opened_at=NOW, news_at=NOW), ("severity",), "siren"),
    "a kind of news": (Alert(notice=NOTICE, opened_at=NOW, news_at=NOW), ("news",), "escalated"),
    "a budget": (Budget(1, NOW), ("left",), "unlimited"),
}


@pytest.mark.parametrize("case", UNKNOWN_VALUES)
def test_a_value_of_a_newer_version_is_left_to_it(case: str) -> None:
    """It raises NewerVersionNeeded. In a record of our own version it is damage, and raises ValidationError."""
    it, path, value = UNKNOWN_VALUES[case]
    kept = json_of(type(it))
    content = json.loads(kept.encoded(it))
    *way, last = path
    part: Any = content
    for step in way:
        part = part[step]
    part[last] = value
    with pytest.raises(ValidationError):
        kept.decoded(json.dumps(content))
    for schema in (NEWER, "2.0"):
        with pytest.raises(NewerVersionNeeded, match=f"of version {schema}; this process knows {content['schema']}"):
            kept.decoded(json.dumps({**content, "schema": schema}))


@pytest.mark.parametrize(
    ("schema", "reads", "keeps"),
    [
        ("", True, False),
        ("0.9", True, False),
        ("1.0", True, False),
        (versions.BOOKING, True, False),
        (NEWER, True, True),
        ("1.10", True, True),
        ("2.0", False, False),
        ("10.0", False, False),
        ("x", True, False),
        ("1.x", True, False),
        ("9999999.0", True, False),
    ],
)
def test_which_versions_are_read(schema: str, *, reads: bool, keeps: bool) -> None:
    """Another MAJOR may mean something else by what we know; what is no version is as good as none."""
    kept = json_of(Booking)
    content = json.loads(kept.encoded(booking())) | {"schema": schema, "newer": 1}
    if not reads:
        with pytest.raises(NewerVersionNeeded):
            kept.decoded(json.dumps(content))
        return
    written = json.loads(kept.encoded(kept.decoded(json.dumps(content))))
    assert (written.get("newer") == 1) is keeps
    # Who writes a record of an older version brings it up to its own; one of a newer version keeps that.
    assert written["schema"] == (schema if keeps else versions.BOOKING)


def test_a_record_from_before_there_were_versions_is_read() -> None:
    """A record without a version is read as one of our own."""
    content = json.loads(json_of(Booking).encoded(a_booking()))
    del content["schema"]
    assert json_of(Booking).decoded(json.dumps(content)) == a_booking()


def test_what_is_no_record_at_all_is_damage() -> None:
    """It raises ValidationError: a newer version couldn't read it either."""
    for text in ("", "x", "[]", "7", '{"schema": 7}', '{"schema": "1.0"}'):
        with pytest.raises(ValidationError):
            json_of(Booking).decoded(text)
