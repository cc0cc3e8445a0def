"""docs/lifecycle.md against the code: every state and every kind of event, cell by cell."""

import re
from datetime import timedelta
from pathlib import Path

import pytest

from shared.domain.booking.next_step import Step, next_step
from shared.domain.booking.problem_catalogue import PROBLEMS
from shared.domain.booking.record import State
from shared.domain.code.event_types import EventMeaning, meaning_of
from tests.domain.test_event_meanings import DOCUMENTED
from tests.shared.stories import CHECK_OUT, DOOR, NOW, booking, code, with_door

TEXT = (Path(__file__).parents[2] / "docs" / "lifecycle.md").read_text()
ROW = re.compile(r"^\| `(\w+)` \| (\w+) \| (\w+) \|$", re.MULTILINE)
ROWS = {state: effects for state, *effects in ROW.findall(TEXT.split("## What a look")[0])}
EFFECTS = {"note": Step.NOTHING, "check": Step.CHECK, "revoke": Step.REVOKE_CODE}
LATER = NOW + timedelta(days=1)


def test_every_state_has_a_row() -> None:
    """And there are no other rows."""
    assert set(ROWS) == {*map(str, State)}


@pytest.mark.parametrize("name", [*DOCUMENTED, "of_tomorrow"])
@pytest.mark.parametrize("state", [*State])
def test_each_cell(state: State, name: str) -> None:
    """An event has the effect that the table says for this state; it doesn't change the state itself."""
    has_code = state in (State.ISSUED, State.READY, State.FAILED)
    it = with_door(
        booking(),
        state=state,
        planned_revision=0,
        due_at=LATER,
        check_out=CHECK_OUT,
        wanted=state is not State.CANCELLED,
        code=code() if has_code else None,
        residual=(code("c-0"),) if state is State.CANCELLED else (),
    )
    prompts = meaning_of(f"access_code.{name}") is not EventMeaning.RECORD_ONLY
    step = next_step(it, it.door(DOOR), NOW, prompted=prompts)
    assert step is EFFECTS[ROWS[state][1 if prompts else 0]]


def test_every_reason_of_a_look_is_known() -> None:
    """Every reason in the document needs a person, and has a text."""
    found = TEXT.split("## What a look finds")[1].split("## When")[0]
    reasons = set(re.findall(r"^\| [^|]+ \| `\w+` \| `(\w+)` \|", found, re.MULTILINE))
    assert len(reasons) == 8
    assert reasons <= set(PROBLEMS)
