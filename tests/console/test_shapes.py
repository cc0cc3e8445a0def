"""States and links: every shape that is referred to is drawn, and whatever stands in them is text."""

import re

import pytest

from receiver.console.shapes import KIND, booking_link, door_link, shape, sprite, state
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
