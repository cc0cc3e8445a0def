"""The next step for a door, as a table of everything that decides it."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.booking.next_step import Step, next_step
from shared.domain.booking.record import State
from tests.shared.stories import CHECK_OUT, DOOR, NOW, booking, code, intent, with_door

DUE = {"due_at": NOW}
LATER: dict[str, Any] = {"due_at": NOW + timedelta(seconds=1)}
PLANNED = {"planned_revision": 0}
OVER = {"check_out": NOW}
COMING = {"check_out": CHECK_OUT}


def state(name: str) -> dict[str, Any]:
    """Return the fields of a door in this state, planned for the present revision."""
    return {"state": State(name), **PLANNED}


STEPS: list[Any] = [
    pytest.param(DUE, {}, Step.PLAN, id="a new door is planned"),
    pytest.param({"due_at": None}, {}, Step.PLAN, id="no time is now"),
    pytest.param(LATER, {}, Step.NOTHING, id="nothing before its time"),
    *(
        pytest.param({**state(name), **DUE}, {}, Step.PLAN, id=f"{name} is planned when due")
        for name in ("received", "scheduled", "waiting", "creating")
    ),
    *(
        pytest.param({**state(name), **DUE, "code": code()}, {}, Step.CHECK, id=f"{name} is checked when due")
        for name in ("issued", "ready", "failed")
    ),
    *(
        pytest.param({**state(name), **DUE, "code": code()}, {"revision": 1}, Step.PLAN, id=f"{name}, newer revision")
        for name in ("issued", "ready", "failed", "waiting", "scheduled")
    ),
    pytest.param({**state("ready"), **LATER, "code": code()}, {}, Step.NOTHING, id="ready rests"),
    pytest.param({**state("ready"), **LATER, "code": code()}, {"prompted": True}, Step.CHECK, id="an event prompts"),
    pytest.param({**state("waiting"), **LATER}, {"prompted": True}, Step.NOTHING, id="nothing to prompt"),
    pytest.param({**state("failed"), **DUE}, {}, Step.END, id="failed for good ends when due"),
    pytest.param({**state("failed"), **LATER}, {}, Step.NOTHING, id="failed for good rests before"),
    pytest.param({**DUE, "intent": intent()}, {}, Step.RESOLVE_CREATE, id="an open intent is looked up"),
    pytest.param({**LATER, "intent": intent()}, {}, Step.NOTHING, id="an open intent in its time"),
    pytest.param({**LATER, "intent": intent()}, {"prompted": True}, Step.NOTHING, id="intents aren't hurried"),
    pytest.param({**DUE, "intent": intent()}, {"cancelled": True}, Step.RESOLVE_CREATE, id="look before revoking"),
    pytest.param({**DUE, "intent": intent(), **OVER}, {}, Step.RESOLVE_CREATE, id="look before ending"),
    pytest.param({**state("issued"), **LATER}, {"cancelled": True}, Step.REVOKE_CODE, id="cancelled, at any time"),
    pytest.param({**state("cancelled"), **LATER}, {"cancelled": True}, Step.NOTHING, id="revoked once"),
    pytest.param(
        {**state("cancelled"), **LATER, "residual": (code(),)},
        {"cancelled": True, "prompted": True},
        Step.REVOKE_CODE,
        id="news of a code that outlived its booking",
    ),
    pytest.param({**state("cancelled"), **DUE}, {"cancelled": True}, Step.ERASE, id="a cancelled one is erased"),
    pytest.param({**state("ended"), **DUE}, {}, Step.ERASE, id="an ended one is erased"),
    pytest.param({**state("ended"), **DUE}, {"is_forgotten": True}, Step.NOTHING, id="forgotten once"),
    pytest.param({**state("ended"), "due_at": None}, {}, Step.NOTHING, id="nothing to forget"),
    pytest.param({**state("ready"), **LATER, "wanted": False}, {}, Step.REVOKE_CODE, id="dropped"),
    pytest.param({**state("cancelled"), **LATER, "wanted": False}, {}, Step.NOTHING, id="dropped once"),
    pytest.param({**state("ended"), **LATER}, {"cancelled": True}, Step.NOTHING, id="ended stays ended"),
    *(
        pytest.param({**state(name), **LATER, **OVER}, {}, Step.END, id=f"{name} ends at check-out")
        for name in ("received", "scheduled", "waiting", "issued", "ready", "failed")
    ),
    pytest.param({**state("ready"), **LATER, **COMING}, {}, Step.NOTHING, id="not before check-out"),
]  # fmt: skip


@pytest.mark.parametrize(("fields", "around", "step"), STEPS)
def test_the_next_step(fields: dict[str, Any], around: dict[str, Any], step: Step) -> None:
    """It depends on the record alone."""
    it = with_door(booking(), **fields)
    it = replace(it, revision=around.get("revision", 0), cancelled=around.get("cancelled", False))
    it = replace(it, is_forgotten=around.get("is_forgotten", False))
    assert next_step(it, it.door(DOOR), NOW, prompted=around.get("prompted", False)) is step


@pytest.mark.parametrize("name", [*State])
@pytest.mark.parametrize("at", [NOW, CHECK_OUT, CHECK_OUT + timedelta(days=1)], ids=["now", "check-out", "after"])
def test_every_state_has_a_step(name: State, at: datetime) -> None:
    """Every state, with and without a code."""
    for codes in (None, code()):
        it = with_door(booking(), state=name, planned_revision=0, code=codes, check_out=CHECK_OUT)
        assert isinstance(next_step(it, it.door(DOOR), at), Step)
