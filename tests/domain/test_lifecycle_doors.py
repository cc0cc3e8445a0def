"""Each transition of one door: its effect on the door, on the booking, and on the story."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.booking import transitions
from shared.domain.booking.record import State, Window
from shared.domain.booking.transitions.change import READ_BACK_WITHIN
from shared.domain.code.removal import deletion_refused
from shared.domain.stay.stay import Stay, WallTime
from tests.shared.stories import (
    CHECK_IN,
    CHECK_OUT,
    DOOR,
    NOW,
    WINDOW,
    Transition,
    accepted,
    booking,
    code,
    intent,
    issued,
    lines_of,
    told_of,
    with_door,
)

FACTS: dict[str, Any] = {}
LATER = NOW + timedelta(days=1)
NEWER = Window(CHECK_IN, CHECK_OUT + timedelta(days=1))

PLANS: dict[str, tuple[Transition, State, str, str]] = {
    "schedules": (
        lambda it: transitions.schedule(it, DOOR, revision=0, until=LATER, reason="lead_time", facts=FACTS, now=NOW),
        State.SCHEDULED,
        "lead_time",
        "door.scheduled",
    ),
    "waits": (
        lambda it: transitions.wait(
            it, DOOR, revision=0, reason="no_slot", detail="", until=LATER, facts=FACTS, now=NOW
        ),
        State.WAITING,
        "no_slot",
        "door.waiting",
    ),
    "fails": (
        lambda it: transitions.fail(it, DOOR, revision=0, reason="too_long", detail="", facts=FACTS, now=NOW),
        State.FAILED,
        "too_long",
        "door.failed",
    ),
    "keeps": (
        lambda it: transitions.keep_code(it, DOOR, revision=0, asked=WINDOW, now=NOW),
        State.ISSUED,
        "",
        "code.kept",
    ),
    "intends": (
        lambda it: transitions.record_intent(
            it, it.door(DOOR), intent(), revision=0, facts=FACTS, now=NOW, due_at=LATER
        ),
        State.CREATING,
        "",
        "code.requested",
    ),
    "retires": (
        lambda it: transitions.supersede_code(it, DOOR, revision=0, is_gone=False, now=NOW),
        State.RECEIVED,
        "",
        "code.retired",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("transition", "state", "reason", "line"), PLANS.values(), ids=PLANS.keys())
def test_the_effect_of_a_plan_on_a_door(transition: Transition, state: State, reason: str, line: str) -> None:
    """Its state and reason, and the booking's; old reasons are gone, and there is one line in the story."""
    # A door that has a code doesn't ask for or wait for another one; every other transition may happen to it.
    at_hand = None if line in ("code.requested", "door.waiting") else code()
    before = with_door(booking(), code=at_hand, reason="seam_unavailable", detail="old", is_muted=True, attempts=3)
    change = transition(before)
    door = change.booking.door(DOOR)
    assert (door.state, door.reason, door.detail, door.is_muted) == (state, reason, "", False)
    assert (change.booking.state, change.booking.reason) == (state, reason)
    assert lines_of(change)[0] == line


def test_another_try_does_not_end_a_problem_that_only_an_answer_ends() -> None:
    """Otherwise people would be told at each try that Seam's unexpected answers are over, and then of a new one."""
    before = with_door(booking(), reason="seam_unexpected", detail="HTTP 404", attempts=5)
    change = transitions.record_intent(
        before, before.door(DOOR), intent(), revision=0, facts=FACTS, now=NOW, due_at=LATER
    )
    door = change.booking.door(DOOR)
    assert (door.state, door.reason, door.detail, door.is_muted) == (
        State.CREATING,
        "seam_unexpected",
        "HTTP 404",
        False,
    )
    assert told_of(change, before) == []
    made = transitions.record_code(
        change.booking, DOOR, code(), revision=0, asked=WINDOW, adopted=False, now=NOW
    )  # fmt: skip
    assert made.booking.door(DOOR).reason == ""
    assert f"-seam_unexpected/{DOOR}" in told_of(made, change.booking)


OVERTAKEN_BY = {
    "a newer revision": lambda it: replace(it, revision=1),
    "a cancellation": lambda it: replace(it, cancelled=True),
    "a revision without this door": lambda it: with_door(it, wanted=False),
}


@pytest.mark.parametrize("overtake", OVERTAKEN_BY.values(), ids=OVERTAKEN_BY.keys())
@pytest.mark.parametrize("transition", [plan[0] for plan in PLANS.values()], ids=PLANS.keys())
def test_an_outdated_plan_changes_nothing(transition: Transition, overtake: Any) -> None:
    """A plan for a revision that isn't wanted any more has no effect."""
    with pytest.raises(transitions.StaleRead):
        transition(overtake(booking()))


MEANWHILE = {
    "another intent": {"intent": intent("i-2")},
    "a code": {"code": code()},
    "another state": {"state": State.WAITING},
    "another time": {"due_at": LATER},
    "a failed try": {"attempts": 1},
}


@pytest.mark.parametrize("changed", MEANWHILE.values(), ids=MEANWHILE.keys())
def test_the_fence_before_a_create(changed: dict[str, Any]) -> None:
    """If the door's record has changed at all since the look at Seam, the create isn't allowed."""
    seen = booking().door(DOOR)
    now_it = with_door(booking(), **changed)
    with pytest.raises(transitions.StaleRead):
        transitions.record_intent(now_it, seen, intent(), revision=0, facts=FACTS, now=NOW, due_at=LATER)


def test_an_open_intent_allows_no_second_one() -> None:
    """Not even for its author: only a look closes it."""
    it = with_door(booking(), intent=intent())
    with pytest.raises(transitions.StaleRead):
        transitions.record_intent(it, it.door(DOOR), intent("i-2"), revision=0, facts=FACTS, now=NOW, due_at=LATER)


@pytest.mark.parametrize(("adopted", "line"), [(False, "code.issued"), (True, "code.adopted")], ids=["made", "found"])
def test_a_code_closes_the_intent(adopted: bool, line: str) -> None:  # noqa: FBT001 - a table
    """The state is issued; it is read back within seconds; everything that was wrong is gone."""
    it = with_door(booking(), state=State.CREATING, intent=intent(), reason="in_doubt", attempts=4)
    change = transitions.record_code(it, DOOR, code(), revision=0, asked=WINDOW, adopted=adopted, now=NOW)
    door = change.booking.door(DOOR)
    assert (door.state, door.intent, door.code, door.reason, door.attempts) == (State.ISSUED, None, code(), "", 0)
    assert (door.planned_revision, door.asked, door.due_at) == (0, WINDOW, NOW + READ_BACK_WITHIN)
    assert lines_of(change) == [line, "booking.issued"]


@pytest.mark.parametrize("overtake", OVERTAKEN_BY.values(), ids=OVERTAKEN_BY.keys())
def test_a_code_is_recorded_whatever_was_decided_meanwhile(overtake: Any) -> None:
    """The door is then dealt with again: no code is ever forgotten."""
    it = overtake(with_door(booking(), state=State.CREATING, intent=intent(), planned_revision=0))
    door = transitions.record_code(it, DOOR, code(), revision=0, asked=WINDOW, adopted=False, now=NOW).booking.door(
        DOOR
    )
    assert (door.code, door.intent, door.planned_revision) == (code(), None, 0)


def test_a_second_code_makes_the_first_residual_access() -> None:
    """Both open the door, and both are kept. The same code again isn't a second one."""
    it = issued()
    change = transitions.record_code(it, DOOR, code("c-2"), revision=0, asked=WINDOW, adopted=True, now=NOW)
    assert (change.booking.door(DOOR).code, change.booking.door(DOOR).residual) == (code("c-2"), (code("c-1"),))
    assert change.booking.residual_access_until == CHECK_OUT
    again = transitions.record_code(it, DOOR, code("c-1"), revision=0, asked=WINDOW, adopted=True, now=NOW)
    assert (again.booking.door(DOOR).residual, again.history) == ((), ())


def test_a_look_that_finds_nothing_closes_only_its_own_intent() -> None:
    """Then the door is planned again at once. A later intent isn't affected."""
    it = with_door(booking(), state=State.CREATING, intent=intent("i-1"), planned_revision=0)
    door = transitions.clear_intent(it, DOOR, intent_id="i-1", now=NOW).booking.door(DOOR)
    assert (door.intent, door.state, door.planned_revision, door.due_at) == (None, State.SCHEDULED, None, NOW)
    for stale in (it, with_door(it, intent=None)):
        with pytest.raises(transitions.StaleRead):
            transitions.clear_intent(stale, DOOR, intent_id="i-0", now=NOW)


def test_a_retired_code_stays_known() -> None:
    """As residual access, and the door is planned again; if there is no code, nothing happens."""
    change = transitions.supersede_code(issued(), DOOR, revision=0, is_gone=False, now=NOW)
    door = change.booking.door(DOOR)
    assert (door.code, door.residual, door.planned_revision) == (None, (code(),), None)
    assert change.booking.residual_access_until == CHECK_OUT
    assert transitions.supersede_code(booking(), DOOR, revision=0, is_gone=False, now=NOW).booking == booking()


def test_a_code_that_was_taken_back_is_no_residual_access() -> None:
    """It is gone from Seam, and opens nothing."""
    change = transitions.supersede_code(issued(), DOOR, revision=0, is_gone=True, now=NOW)
    door = change.booking.door(DOOR)
    assert (door.code, door.residual, change.booking.residual_access_until) == (None, (), None)


def test_a_code_that_seam_refused_to_delete_is_kept_with_seams_text() -> None:
    """Two lines: what Seam said, and what that means."""
    change = transitions.supersede_code(
        issued(), DOOR, revision=0, is_gone=False, removal=deletion_refused("not on a Sunday", NOW), now=NOW
    )
    assert lines_of(change)[:2] == ["code.not_revoked", "code.retired"]
    assert "not on a Sunday" in change.history[0].text
    assert [each.access_code_id for each in change.booking.door(DOOR).residual] == ["c-1"]


def test_a_changed_code_stays_the_doors_code() -> None:
    """With its new window, which is read back; a look at another code has no effect."""
    changed = code("c-1", NEWER)
    door = transitions.record_changed_window(issued(), DOOR, changed, revision=0, asked=NEWER, now=NOW).booking.door(
        DOOR
    )
    assert (door.state, door.code, door.asked, door.residual) == (State.ISSUED, changed, NEWER, ())
    assert door.due_at == NOW + READ_BACK_WITHIN
    for it in (booking(), with_door(issued(), code=code("c-2"))):
        with pytest.raises(transitions.StaleRead):
            transitions.record_changed_window(it, DOOR, changed, revision=0, asked=NEWER, now=NOW)


def test_a_failed_change_is_told_once_and_changes_no_state() -> None:
    """Seam's text is kept with the code until a change works, or another one is asked for."""
    attempted = replace(code("c-1", NEWER), update_attempt_id="attempt-1")
    it = transitions.record_changed_window(issued(), DOOR, attempted, revision=0, asked=NEWER, now=NOW).booking
    change = transitions.record_failed_update(it, DOOR, "x: one.", now=NOW)
    assert lines_of(change) == ["code.not_changed"]
    assert change.history[0].text.endswith("Seam says: x: one.")
    failed = change.booking
    assert failed.door(DOOR) == replace(it.door(DOOR), code=replace(attempted, update_failure="x: one."))
    assert transitions.record_failed_update(failed, DOOR, "x: one.", now=NOW).history == ()
    confirmed = transitions.confirm_code(failed, DOOR, reason="", detail="", due_at=NOW, now=NOW).booking
    assert confirmed.door(DOOR).code == code("c-1", NEWER)
    shorter = transitions.record_window(failed, DOOR, WINDOW)
    differs = transitions.confirm_code(shorter, DOOR, reason="window_differs", detail="", due_at=NOW, now=NOW).booking
    assert differs.door(DOOR).code == replace(attempted, window=WINDOW, update_failure="x: one.")


STUMBLING = [
    pytest.param(State.RECEIVED, False, State.SCHEDULED, "seam_unavailable", True, id="received, untold"),
    pytest.param(State.RECEIVED, True, State.SCHEDULED, "seam_unavailable", False, id="received, told"),
    pytest.param(State.SCHEDULED, True, State.SCHEDULED, "seam_unavailable", False, id="scheduled, told"),
    pytest.param(State.CREATING, False, State.CREATING, "seam_unavailable", True, id="creating stays in doubt"),
    pytest.param(State.WAITING, True, State.WAITING, "before", False, id="waiting keeps its reason"),
    pytest.param(State.FAILED, True, State.FAILED, "before", False, id="failed keeps its reason"),
    pytest.param(State.ISSUED, False, State.ISSUED, "before", False, id="issued, untold"),
    pytest.param(State.ISSUED, True, State.ISSUED, "seam_unavailable", False, id="issued, told"),
    pytest.param(State.READY, True, State.READY, "seam_unavailable", False, id="ready, told"),
]


@pytest.mark.parametrize(("state", "tell", "left", "reason", "muted"), STUMBLING)
def test_a_failed_try(state: State, tell: bool, left: State, reason: str, muted: bool) -> None:  # noqa: FBT001
    """It is counted and repeated at its time. People are told only if `tell` says so, or if nothing else is told."""
    it = with_door(booking(), state=state, reason="before", attempts=2)
    change = transitions.record_failed_attempt(
        it, DOOR, reason="seam_unavailable", detail="HTTP 503.", until=LATER, tell=tell, now=NOW
    )  # fmt: skip
    door = change.booking.door(DOOR)
    assert (door.state, door.reason, door.is_muted) == (left, reason, muted)
    assert (door.attempts, door.due_at) == (3, LATER)
    assert "door.try_failed" in lines_of(change)


def test_a_failed_door_is_looked_at_again_when_its_stay_is_over() -> None:
    """At check-out; if that isn't known yet, at the latest moment that it can be anywhere."""
    known = with_door(booking(), check_out=CHECK_OUT)
    wall = Stay(check_in=WallTime(CHECK_IN.replace(tzinfo=None)), check_out=WallTime(CHECK_OUT.replace(tzinfo=None)))
    unknown = accepted(stay=wall).booking
    for it, due_at in ((known, CHECK_OUT), (unknown, CHECK_OUT + timedelta(hours=12))):
        change = transitions.fail(it, DOOR, revision=0, reason="too_long", detail="", facts=FACTS, now=NOW)
        assert change.booking.door(DOOR).due_at == due_at


def test_waiting_for_the_same_reason_is_one_line_in_the_story() -> None:
    """A door may wait for weeks; the story has only changes."""
    waiting = PLANS["waits"][0](booking()).booking
    assert lines_of(PLANS["waits"][0](waiting)) == []
