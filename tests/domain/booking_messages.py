"""Valid booking messages to start from, and helpers for the problems of a refused one."""

from typing import Any

import pytest

from shared.domain.messages.message import InvalidMessage, Problem
from shared.domain.messages.parse import parse_booking_message

BOOKING = {
    "booking_id": "BK-1001",
    "device_ids": ["11111111-1111-1111-1111-444444444444"],
    "check_in": "2026-12-01T15:45:00-08:00",
    "check_out": "2026-12-05T10:15:00-08:00",
}
ENVELOPE = {
    "specversion": "1.0",
    "id": "7f9c",
    "source": "/pms/acme",
    "type": "booking.created",
    "time": "2026-11-21T10:00:00Z",
    "data": BOOKING,
}
LONG = "x" * 1_000_000


def booking(**fields: Any) -> dict[str, Any]:
    """Return a valid booking with some fields changed; `...` removes a field."""
    changed = BOOKING | fields
    return {name: value for name, value in changed.items() if value is not ...}


def envelope(**fields: Any) -> dict[str, Any]:
    """Return a valid envelope with some fields changed; `...` removes a field."""
    changed = ENVELOPE | fields
    return {name: value for name, value in changed.items() if value is not ...}


def problems_of(raw: Any) -> tuple[Problem, ...]:
    """Return the problems with which a message is refused, each short and printable."""
    with pytest.raises(InvalidMessage) as refused:
        parse_booking_message(raw)
    assert refused.value.problems
    for problem in refused.value.problems:
        assert problem.wrong.isprintable()
        assert len(problem.wrong) < 1000
        assert problem.right
    return refused.value.problems


def fields_of(raw: Any) -> list[str]:
    """Return the fields that the problems name."""
    return [problem.field for problem in problems_of(raw)]
