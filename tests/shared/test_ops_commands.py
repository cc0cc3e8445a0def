"""What a button says is what is ordered; whatever else is sent orders nothing, and breaks nothing."""

import json
from datetime import datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from shared.domain import versions
from shared.domain.booking.record import Window
from shared.ops_commands import (
    CHOOSE,
    HANDLE,
    LONGEST_TARGET,
    RETRY,
    OpsCommand,
    SlotOrder,
    button_for,
    command_from,
    ordered_by,
)

BERLIN = timezone(timedelta(hours=1))
WINDOW = Window(datetime(2036, 12, 1, 18, tzinfo=BERLIN), datetime(2036, 12, 5, 10, tzinfo=BERLIN))
DOOR = "d0000000-0000-0000-0000-000000000001"
CHOICE = SlotOrder(door=DOOR, slot="Late", window=WINDOW)
COMMAND = OpsCommand(action=CHOOSE, target="BK-1", by="ann", choice=CHOICE)
TOLD: dict[str, Any] = {
    "action": CHOOSE,
    "target": "BK-1",
    "by": "ann",
    "door": DOOR,
    "slot": "Late",
    "starts_at": "2036-12-01T18:00:00+01:00",
    "ends_at": "2036-12-05T10:00:00+01:00",
}


def test_an_order_is_written_and_read() -> None:
    """With all that it says, and under its version."""
    assert json.loads(COMMAND.encoded()) == {"schema": versions.ORDER, **TOLD}
    assert command_from(COMMAND.encoded()) == COMMAND
    retry = OpsCommand(action=RETRY, target="BK-1", by="ann")
    assert json.loads(retry.encoded()) == {
        "schema": versions.ORDER,
        "action": RETRY,
        "target": "BK-1",
        "by": "ann",
    }
    assert command_from(retry.encoded()) == retry


HOSTILE: dict[str, dict[str, Any]] = {
    "no door": {"door": None},
    "an endless door": {"door": "d" * 201},
    "a door that clears the screen": {"door": "\x1b[2J"},
    "no slot": {"slot": ""},
    "a slot of another kind": {"slot": ["Late"]},
    "an endless slot": {"slot": "x" * 2_001},
    "no beginning": {"starts_at": None},
    "a moment without an offset": {"starts_at": "2036-12-01T18:00:00"},
    "no moment": {"ends_at": "soon"},
    "a number": {"ends_at": 1e308},
    "half a surrogate pair for a booking": {"target": "\ud800"},
    "an endless booking": {"target": "B" * 201},
    "a list for a booking": {"target": []},
}


@pytest.mark.parametrize("fields", HOSTILE.values(), ids=HOSTILE.keys())
def test_an_order_that_says_too_little_or_too_much(fields: dict[str, Any]) -> None:
    """It is refused as a whole, whether it came by the stream or by a button."""
    with pytest.raises(ValueError, match="names no target"):
        command_from(json.dumps(TOLD | fields))
    pressed = {name: value for name, value in (TOLD | fields).items() if name not in ("action", "by")}
    value = json.dumps(pressed | {"booking": pressed["target"]})
    assert ordered_by(f"{CHOOSE}:1", value, "ann") is None


def test_who_ordered_is_printable() -> None:
    """A name of Slack may be anything; it ends in records and in stories."""
    assert command_from(json.dumps(TOLD | {"by": "a\ud800\n\x1b"})).by == "a\\ud800\\n\\x1b"
    assert command_from(json.dumps(TOLD | {"by": 5})).by == ""


def test_a_button_orders_what_it_was_made_for() -> None:
    """Ids are unique in a block; what a button can't carry gets none."""
    made = [button_for("BK-1", CHOICE, place) for place in (1, 2, 3)]
    assert len({each[0] for each in made if each}) == 3
    assert [ordered_by(*each, "ann") for each in made if each] == [COMMAND] * 3
    assert button_for("BK-1", SlotOrder(door=DOOR, slot="\u202e" * 400, window=WINDOW), 1) is None


@pytest.mark.parametrize("action", [HANDLE, RETRY])
def test_the_other_buttons_are_named_exactly(action: str) -> None:
    """What only begins like them isn't ours."""
    assert ordered_by(action, "x", "ann") == OpsCommand(action=action, target="x", by="ann")
    for other in (f"{action}:1", f"x{action}", ""):
        assert ordered_by(other, "x", "ann") is None
    assert ordered_by(action, "x" * (LONGEST_TARGET + 1), "ann") is None


JSON = st.recursive(
    st.none() | st.booleans() | st.floats() | st.text() | st.sampled_from([DOOR, "2036-12-01T18:00:00+01:00"]),
    lambda inner: st.lists(inner) | st.dictionaries(st.sampled_from([*TOLD, "booking"]), inner),
    max_leaves=10,
)


@given(st.sampled_from([CHOOSE, f"{CHOOSE}:1", f"{CHOOSE}:\0", RETRY]) | st.text(), JSON.map(json.dumps) | st.text())
def test_whatever_is_pressed_is_an_order_or_none(action: str, value: str) -> None:
    """And what is an order can be written and read again."""
    ordered = ordered_by(action, value, "ann")
    if ordered is not None:
        assert command_from(ordered.encoded()) == ordered
