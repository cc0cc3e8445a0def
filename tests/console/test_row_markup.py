"""States and links: every shape that is referred to is drawn, and whatever stands in them is text."""

import re
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from receiver.console.rendering import make_templates
from receiver.console.row_markup import KIND, booking_link, door_link, shape, sprite, state
from tests.console.test_booking_pages import HOSTILE


@pytest.mark.parametrize("word", [*KIND, "a state of a newer version"])
def test_a_state_is_a_word_and_a_shape_that_is_drawn(word: str) -> None:
    """The word itself is always there."""
    (drawn,) = re.findall(r'href="#([a-z-]+)"', state(word))
    assert f'id="{drawn}"' in sprite()
    assert f">{word}</span>" in state(word)
    assert shape(word) in state(word)


def test_what_strangers_wrote_is_text() -> None:
    """Ids, names and states alike."""
    assert "<script" not in state(HOSTILE)
    for made in (booking_link(HOSTILE), door_link(HOSTILE, ""), door_link("d", HOSTILE)):
        assert "<script" not in made
        assert "\u202e" not in made
    assert 'href="/doors/a%2Fb%3F"' in door_link("a/b?", "x")


def test_one_date_is_two_days_where_it_is_today_here_and_tomorrow_there() -> None:
    """The heading says it by the clock of the locks below it."""
    as_of = datetime(2026, 11, 28, 23, 38, tzinfo=UTC)
    rows = [
        SimpleNamespace(building="", check_in=datetime(2026, 11, 29, hour, tzinfo=ZoneInfo(zone)))
        for hour, zone in ((12, "Europe/Vienna"), (5, "Pacific/Pago_Pago"))
    ]
    days: list[Any] = make_templates().globals["days_of"](rows, as_of)  # type: ignore[operator]
    titles: list[str] = [make_templates().globals["day_title"](listed, as_of) for listed, _ in days]  # type: ignore[operator]
    assert titles == ["Today, Sun 29 Nov 2026", "Tomorrow, Sun 29 Nov 2026"]
