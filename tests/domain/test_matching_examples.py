"""The examples of matches in Seam's documentation, and in the contract."""

from typing import Any

import pytest

from shared.domain.matching.match import match
from shared.domain.stay.stay import Stay
from tests.domain.building import (
    daily,
    stay,
    vendor_door,
    vendor_slot,
)
from tests.domain.matches import ANY, window_of

FOUR_TO_TEN = vendor_slot("16:00:00[America/Los_Angeles]", "10:00:00[America/Los_Angeles]")
SEVEN_TO_SEVEN = vendor_slot("07:00:00[America/Los_Angeles]", "19:00:00[America/Los_Angeles]")
HALF_PAST = vendor_slot("15:30:00[PST8PDT]", "10:30:00[PST8PDT]")
REDUNDANT = vendor_slot("16:00:00-08:00[America/Los_Angeles]", "10:00:00-08:00[America/Los_Angeles]")
ALL_DAY = vendor_slot("00:00:00[PST8PDT]", "23:59:00[PST8PDT]", is_24_hour=True)


@pytest.mark.parametrize(
    ("slots", "asked", "window"),
    [
        pytest.param(
            [FOUR_TO_TEN],
            stay("2026-12-01T15:45:00-08:00", "2026-12-05T10:15:00-08:00"),
            ("2026-12-01T16:00:00-08:00", "2026-12-05T10:00:00-08:00"),
            id="3:45 PM to 10:15 AM on 4 PM to 10 AM",
        ),
        pytest.param(
            [SEVEN_TO_SEVEN],
            stay("2024-09-10T07:00:00-07:00", "2024-09-15T19:00:00-07:00"),
            ("2024-09-10T07:00:00-07:00", "2024-09-15T19:00:00-07:00"),
            id="exactly 7 AM to 7 PM",
        ),
        pytest.param(
            [SEVEN_TO_SEVEN],
            stay("2024-09-10T14:00:00.000Z", "2024-09-16T02:00:00.000Z"),
            ("2024-09-10T07:00:00-07:00", "2024-09-15T19:00:00-07:00"),
            id="the same in UTC, as Seam returns it",
        ),
        pytest.param(
            [HALF_PAST],
            stay("2026-07-01T16:00", "2026-07-04T10:00"),
            ("2026-07-01T15:30:00-07:00", "2026-07-04T10:30:00-07:00"),
            id="PST8PDT has summer time",
        ),
        pytest.param(
            [HALF_PAST],
            stay("2026-12-01T16:00", "2026-12-04T10:00"),
            ("2026-12-01T15:30:00-08:00", "2026-12-04T10:30:00-08:00"),
            id="PST8PDT has winter time",
        ),
        pytest.param(
            [REDUNDANT],
            stay("2026-07-01T16:00", "2026-07-04T10:00"),
            ("2026-07-01T16:00:00-07:00", "2026-07-04T10:00:00-07:00"),
            id="an offset beside the zone is ignored in the other season",
        ),
        pytest.param(
            [ALL_DAY],
            daily("2024-09-16T00:00:00-07:00", "2024-09-18T23:59:00-07:00"),
            ("2024-09-16T00:00:00-07:00", "2024-09-18T23:59:00-07:00"),
            id="daily 00:00 to 23:59",
        ),
        pytest.param(
            [ALL_DAY],
            daily("2024-09-16T16:00:00-07:00", "2024-09-18T10:00:00-07:00"),
            ("2024-09-16T00:00:00-07:00", "2024-09-18T23:59:00-07:00"),
            id="daily is rounded outwards",
        ),
    ],
)
def test_vendor_example_matches(slots: list[Any], asked: Stay, window: tuple[str, str]) -> None:
    """Every example of Seam's Oracode pages comes out as the pages say."""
    assert window_of(asked, vendor_door(*slots)) == window


def test_vendor_example_of_a_miss() -> None:
    """2 PM is two hours from 4 PM: nothing fits, and the gap says by how much."""
    found = match(stay("2026-12-01T14:00", "2026-12-05T10:00"), vendor_door(FOUR_TO_TEN), ANY).as_json()
    assert found["outcome"] == "no_slot"
    assert found["considered"][0]["verdict"] == "check_in_too_far"
    assert found["considered"][0]["check_in_gap_minutes"] == 120
    assert found["considered"][0]["check_out_gap_minutes"] == 0


def test_contract_example() -> None:
    """The whole object, as the contract prints it."""
    found = match(
        stay("2026-12-01T15:45:00-08:00", "2026-12-05T10:15:00-08:00"),
        vendor_door(FOUR_TO_TEN | {"name": "Guest 4pm-10am"}),
        ANY,
    )
    assert found.as_json() == {
        "outcome": "matched",
        "slot": {
            "name": "Guest 4pm-10am",
            "user_level_id": "f23721ec-6dce-4c54-8971-40d58449a366",
            "prefix": 0,
        },
        "starts_at": "2026-12-01T16:00:00-08:00",
        "ends_at": "2026-12-05T10:00:00-08:00",
        "max_time_rounding": "1hour",
        "fit": "locks_out",
        "check_in_gap_minutes": 15,
        "check_out_gap_minutes": -15,
        "time_zone": "America/Los_Angeles",
        "problem": "",
        "considered": [
            {
                "name": "Guest 4pm-10am",
                "user_level_id": "f23721ec-6dce-4c54-8971-40d58449a366",
                "check_in_gap_minutes": 15,
                "check_out_gap_minutes": -15,
                "verdict": "fits",
                "problem": "",
            }
        ],
    }
