"""The facts behind a line of the story, in words."""

from typing import Any

import pytest

from shared.domain.booking.record import HistoryEntry
from shared.domain.booking.story_facts import facts_of
from tests.shared.stories import NOW

FITS = {
    "slot": {"name": "Late"},
    "fit": "exact",
    "check_in_gap_minutes": 0,
    "check_out_gap_minutes": -15.5,
    "considered": [
        {"name": "Late", "verdict": "fits"},
        {"name": "Later", "verdict": "fits", "check_in_gap_minutes": 15, "check_out_gap_minutes": 0},
        {"name": "Early", "verdict": "check_in_too_far", "check_in_gap_minutes": -300, "check_out_gap_minutes": 0},
    ],
}
TOLD: list[Any] = [
    pytest.param({}, [], id="nothing"),
    pytest.param({"request_id": None}, [], id="no request"),
    pytest.param({"request_id": "r-1"}, ["Seam's request r-1"], id="a request"),
    pytest.param(
        {"match": FITS},
        [
            "slot 'Late' fits exactly (check-in +0 min, check-out -15.5 min)",
            "slot 'Later': fits too (+15 min, +0 min)",
            "slot 'Early': check in too far (-300 min, +0 min)",
        ],
        id="a match, with every slot that lost",
    ),
    pytest.param(
        {"match": {"considered": [{"name": "Master", "verdict": "master"}]}}, ["slot 'Master': master (?, ?)"]
    ),
    pytest.param({"match": "odd"}, [], id="what isn't a match"),
]


@pytest.mark.parametrize(("facts", "lines"), TOLD)
def test_facts(facts: dict[str, Any], lines: list[str]) -> None:
    """Every slot with its gaps and the rule that ruled it out; the call to ask Seam about."""
    assert list(facts_of(HistoryEntry(at=NOW, what="x.y", text="", facts=facts))) == lines
