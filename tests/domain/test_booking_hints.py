"""What can be read from a message that can't be used."""

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain.messages.hints import Hints, hints_of

AT = datetime(2036, 12, 1, 16, tzinfo=UTC)
TOLD: list[Any] = [
    pytest.param('{"booking_id": "BK-1", "check_in": "2036-12-01T16:00:00Z"}', Hints("BK-1", AT), id="bare"),
    pytest.param(
        '{"data": {"booking_id": "BK-1", "check_in": "2036-12-01T16:00"}}',
        Hints("BK-1", AT - timedelta(hours=14), AT.replace(tzinfo=None)),
        id="envelope",
    ),
    pytest.param('{"booking_id": "BK-1", "check_in": "soon"}', Hints("BK-1"), id="no time"),
    pytest.param('{"booking_id": "", "check_in": 7}', Hints(), id="nothing"),
    pytest.param('{"booking_id": "BK\\n1"}', Hints(), id="an id that can't be shown"),
    pytest.param('{"data": []}', Hints(), id="no fields"),
    pytest.param("[1]", Hints(), id="a list"),
    pytest.param("oops", Hints(), id="no JSON"),
    pytest.param(None, Hints(), id="no message"),
    pytest.param("[" * 60_000, Hints(), id="too deep"),
]


@pytest.mark.parametrize(("text", "hints"), TOLD)
def test_hints(text: str | None, hints: Hints) -> None:
    """Everything that can be read."""
    assert hints_of(text) == hints


@given(st.text())
def test_never_raises(text: str) -> None:
    """A parked message may hold anything."""
    assert isinstance(hints_of(text), Hints)
