"""A door is always in one of the states of `shared.domain.booking.door_state`, with the facts of that state alone."""

import ast
from collections.abc import Callable, Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from shared.domain.booking import transitions
from shared.domain.booking.door_state import (
    Cancelled,
    Creating,
    DoorState,
    Ended,
    Failed,
    Issued,
    Ready,
    Received,
    Scheduled,
    Waiting,
    facts_of,
    state_of,
)
from shared.domain.booking.next_step import Step, next_step
from shared.domain.booking.record import BookedDoor, Booking, Change, State
from shared.domain.matching.manual_choice import SlotOffer
from tests.shared.stories import (
    CHECK_OUT,
    DOOR,
    ERASE_AT,
    NOW,
    SECOND,
    STAY,
    WINDOW,
    accepted,
    booking,
    code,
    contradicts_itself,
    door,
    intent,
    quiet,
    with_door,
)

LATER = NOW + timedelta(hours=1)
OFFER = SlotOffer(slot="s", name="4pm", starts_at=NOW, ends_at=LATER, meaning="later")
OFFERS = (OFFER,)
Move = Callable[[Booking, str], Change]


def plans(move: Any, **fields: Any) -> Move:
    """Return a transition that is fenced by the booking's revision."""
    return lambda it, key: move(it, key, revision=it.revision, now=NOW, **fields)


def moves(move: Any, **fields: Any) -> Move:
    """Return a transition that isn't fenced by a revision."""
    return lambda it, key: move(it, key, now=NOW, **fields)


def _request(it: Booking, key: str) -> Change:
    return transitions.record_intent(it, it.door(key), intent(), revision=it.revision, facts={}, now=NOW, due_at=LATER)


def _clear(it: Booking, key: str) -> Change:
    return transitions.clear_intent(it, key, intent_id="i-1", now=NOW)


def _record(access_code_id: str) -> Move:
    return lambda it, key: transitions.record_code(
        it, key, code(access_code_id), revision=it.revision, asked=WINDOW, adopted=False, now=NOW
    )


def _alter(it: Booking, key: str) -> Change:
    made = it.door(key).code or code()
    return transitions.record_changed_window(it, key, made, revision=it.revision, asked=WINDOW, now=NOW)


def _reissue(it: Booking, key: str) -> Change:
    held = it.door(key).code
    access_code_id = held.access_code_id if held is not None else ""
    return transitions.reissue_code(it, key, access_code_id=access_code_id, by="ann", reason="", now=NOW)


def _message(kind: str, *doors: str) -> Move:
    return lambda it, _: accepted(it, it.revision + 1, kind, doors=doors)


MOVES: dict[str, Move] = {
    "schedule": plans(transitions.schedule, until=LATER, reason="lead_time", facts={}),
    "wait": plans(transitions.wait, reason="no_slot", detail="", until=LATER, facts={}, offers=OFFERS),
    "fail": plans(transitions.fail, reason="too_long", detail="", facts={}, offers=OFFERS),
    "keep": plans(transitions.keep_code, asked=WINDOW),
    "supersede": plans(transitions.supersede_code, is_gone=False),
    "split": plans(transitions.split_stay, parts=2),
    "leave out": plans(transitions.leave_out),
    "alter": _alter,
    "request": _request,
    "find nothing": _clear,
    "record a code": _record("c-1"),
    "record another code": _record("c-2"),
    "fail to try": moves(
        transitions.record_failed_attempt, reason="seam_unavailable", detail="", until=LATER, tell=True
    ),
    "confirm": moves(transitions.confirm_code, reason="", detail="", due_at=LATER),
    "not confirmed": moves(
        transitions.record_unconfirmed_code, reason="late_set", detail="", failed=False, due_at=LATER
    ),
    "in trouble": moves(
        transitions.record_unconfirmed_code, reason="code_problem", detail="", failed=True, due_at=LATER
    ),
    "fail to change": lambda it, key: transitions.record_failed_update(it, key, "No room.", now=NOW),
    "reissue": _reissue,
    "drop": moves(transitions.drop_code),
    "stop polling": moves(transitions.stop_polling),
    "wake": moves(transitions.wake),
    "resume": moves(transitions.resume),
    "end": moves(transitions.end_stay, erase_at=ERASE_AT),
    "forget": moves(transitions.erase_personal_data),
    "close": moves(transitions.close_door, gone=frozenset(), erase_at=ERASE_AT),
    "choose": lambda it, key: transitions.choose_slot(it, {key: OFFER}, stay=STAY, by="ann", now=NOW),
    "retry": lambda it, _: transitions.retry(it, now=NOW),
    "cancel": _message("cancelled"),
    "ask for one door": _message("updated", DOOR),
    "ask for both doors": _message("updated", DOOR, SECOND),
}


@settings(max_examples=400)
@given(st.lists(st.tuples(st.sampled_from(sorted(MOVES)), st.sampled_from((0, 1, 2))), max_size=25))
def test_no_transition_makes_a_door_contradict_itself(story: list[tuple[str, int]]) -> None:
    """In any order of transitions: each one refuses, or leaves every door in one of the states."""
    it = booking(DOOR, SECOND)
    for name, number in story:
        key = it.doors[number % len(it.doors)].key
        before = it
        try:
            it = quiet(MOVES[name](it, key).booking)
        except (transitions.StaleRead, transitions.NotReissued):
            continue
        assert not [door for door in it.doors if contradicts_itself(door)], name
        assert not _codes(before) - _codes(it) or name == "drop", name


def _codes(it: Booking) -> set[str]:
    """Return every access code that a booking knows for its doors."""
    held = [(each.code, *each.residual) for each in it.doors]
    return {each.access_code_id for codes in held for each in codes if each is not None}


def test_every_transition_is_among_the_moves() -> None:
    """Otherwise the property above would miss it. Those that change neither state nor code are left out by name."""
    known = {
        "add_residual_codes",
        "apply_message",
        "as_seen",
        "clear_published",
        "is_replaced",
        "may_choose_slot",
        "recall_door_facts",
        "record_door_facts",
        "record_drift",
        "record_pin_change",
        "record_pin_delivery",
        "record_pin_reveal",
        "record_removals",
        "record_window",
        "remove_residual_codes",
        "why_not_reissued",
    }
    here = Path(__file__).read_text()
    functions = {name for name in transitions.__all__ if name[0].islower()}
    assert {name for name in functions - known if f"transitions.{name}" not in here} == set()


def _fields_set(tree: ast.AST) -> Iterator[tuple[str, str]]:
    for function in ast.walk(tree):
        if isinstance(function, ast.FunctionDef):
            for call in ast.walk(function):
                if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "replace":
                    yield from ((function.name, each.arg) for each in call.keywords if each.arg)


def test_one_function_sets_the_state_of_a_door() -> None:
    """Only `enter`, so that each state has its facts. `change_booking` sets the booking's own state."""
    found = {
        (name, field)
        for path in Path(transitions.__file__).parent.glob("*.py")
        for name, field in _fields_set(ast.parse(path.read_text()))
        if field in ("state", "intent")
    }
    assert found == {
        ("enter", "state"),
        ("enter", "intent"),
        ("change_booking", "state"),
        ("record_code", "intent"),
        ("clear_intent", "intent"),
    }


STATES: dict[str, DoorState] = {
    "received": Received(code()),
    "scheduled": Scheduled(),
    "waiting": Waiting(OFFERS),
    "creating": Creating(intent()),
    "issued": Issued(code()),
    "ready": Ready(code()),
    "failed": Failed(None, OFFERS),
    "failed, with a code": Failed(code()),
    "cancelled": Cancelled(),
    "ended": Ended(code()),
}


@pytest.mark.parametrize("state", STATES.values(), ids=STATES)
def test_a_state_is_read_as_it_was_written(state: DoorState) -> None:
    """The flat record loses none of its facts."""
    held, at_hand, offers = facts_of(state)
    assert state_of(door(state=state.name, intent=held, code=at_hand, offers=offers)) == state


def test_every_state_is_covered() -> None:
    """Each state of the union is listed above, and each value of `State` is one of them."""
    assert {type(state) for state in STATES.values()} == set(get_args(DoorState))
    assert {state.name for state in STATES.values()} == set(State)


# Contradictions that an earlier version or damage may leave: fields, the state that is read, the next step when due.
CONTRADICTIONS: dict[str, tuple[BookedDoor, DoorState, Step]] = {
    "creating without an intent": (door(state=State.CREATING), Scheduled(), Step.PLAN),
    "creating without an intent, with a code": (
        door(state=State.CREATING, code=code()), Issued(code()), Step.CHECK
    ),
    "an intent in another state": (door(state=State.ENDED, intent=intent()), Creating(intent()), Step.RESOLVE_CREATE),
    "an intent and a code": (
        door(state=State.ISSUED, intent=intent(), code=code()), Creating(intent()), Step.RESOLVE_CREATE
    ),
    "issued without a code": (door(state=State.ISSUED), Received(), Step.PLAN),
    "ready without a code": (door(state=State.READY), Received(), Step.PLAN),
    "waiting with a code": (door(state=State.WAITING, code=code(), offers=OFFERS), Received(code()), Step.PLAN),
    "cancelled with a code": (door(state=State.CANCELLED, code=code()), Issued(code()), Step.CHECK),
    "ended with offers": (door(state=State.ENDED, offers=OFFERS), Ended(), Step.NOTHING),
}  # fmt: skip


@pytest.mark.parametrize(("record", "state", "step"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_record_that_contradicts_itself_can_be_read(record: BookedDoor, state: DoorState, step: Step) -> None:
    """As the nearest state that is true: no code and no open intent is missed, and nothing raises."""
    assert contradicts_itself(record)
    assert state_of(record) == state
    fields: dict[str, Any] = {"planned_revision": 0, "due_at": NOW, "check_out": CHECK_OUT}
    it = with_door(
        booking(), state=record.state, intent=record.intent, code=record.code, offers=record.offers, **fields
    )
    if state == Ended():
        it = with_door(it, due_at=LATER)
    assert next_step(it, it.door(DOOR), NOW) is step


@pytest.mark.parametrize(("record", "state", "step"), CONTRADICTIONS.values(), ids=CONTRADICTIONS)
def test_a_message_applies_to_a_record_that_contradicts_itself(
    record: BookedDoor, state: DoorState, step: Step
) -> None:
    """A record of an earlier version never makes a booking's messages parked."""
    del state, step
    it = with_door(booking(), state=record.state, intent=record.intent, code=record.code, offers=record.offers)
    changed = accepted(it, 1, "updated").booking.door(DOOR)
    assert (changed.intent, changed.code) == (record.intent, record.code)
