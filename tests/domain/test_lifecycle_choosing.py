"""A chosen slot in a booking's record: who and when, once, and for how long it holds."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.booking import transitions
from shared.domain.booking.next_step import Step, next_step
from shared.domain.booking.notices import alerts_of
from shared.domain.booking.record import Booking, Change, State
from shared.domain.booking.seen_door import SeenDoor
from shared.domain.matching.manual_choice import ChosenSlot, SlotOffer
from shared.domain.stay.stay import Instant, Stay
from tests.shared.stories import (
    CHECK_IN,
    CHECK_OUT,
    DOOR,
    NOW,
    SECOND,
    STAY,
    WINDOW,
    accepted,
    booking,
    code,
    intent,
    issued,
    lines_of,
    quiet,
    told_of,
    with_door,
)

LATER = NOW + timedelta(hours=1)
OFFER = SlotOffer(
    slot="level 18",
    name="Late",
    starts_at=CHECK_IN + timedelta(hours=2),
    ends_at=CHECK_OUT,
    meaning="opens 2 h after check-in, until check-out",
)
OTHER = replace(OFFER, slot="level 20", name="Later")


def waiting(*doors: str) -> Booking:
    """Return a booking with every door waiting because no slot fits; nothing is left to tell."""
    it = booking(*doors)
    for door in it.doors:
        it = transitions.wait(
            it, door.key, revision=0, reason="no_slot", detail="", until=LATER, facts={}, now=NOW, offers=(OFFER,)
        ).booking
    return quiet(it)


def choose(it: Booking, *doors: str, offer: SlotOffer = OFFER, by: str = "ann") -> Change:
    """Choose a slot for these doors (one unless told)."""
    return transitions.choose_slot(it, dict.fromkeys(doors or (DOOR,), offer), stay=STAY, by=by, now=LATER)


def test_a_choice_is_stored_and_planned_at_once() -> None:
    """Who, when, which slot; and a line in the story. The state changes with the next plan."""
    change = choose(waiting())
    door = change.booking.door(DOOR)
    assert door.choice == ChosenSlot(slot="level 18", name="Late", by="ann", at=LATER)
    assert (door.state, door.due_at) == (State.WAITING, LATER)
    assert next_step(change.booking, door, LATER) is Step.PLAN
    (line,) = change.history
    assert line.what == "slot.chosen"
    assert line.device_id == DOOR
    assert "ann chose the slot “Late”: a code from 2036-12-01T18:00+00:00" in line.text


def test_the_same_choice_again_changes_nothing() -> None:
    """Also not who chose first; another slot is another choice."""
    once = choose(waiting()).booking
    again = choose(once, by="bob")
    assert again.booking is once
    assert again.history == ()
    other = choose(once, offer=OTHER, by="bob").booking.door(DOOR).choice
    assert other is not None
    assert (other.slot, other.by) == ("level 20", "bob")


def test_a_choice_for_several_doors_is_all_or_nothing() -> None:
    """One write; if one door is closed, nothing is chosen."""
    both = choose(waiting(DOOR, SECOND), DOOR, SECOND)
    assert all(door.choice is not None for door in both.booking.doors)
    assert [line.device_id for line in both.history] == [DOOR, SECOND]
    with pytest.raises(transitions.StaleRead):
        choose(with_door(waiting(DOOR, SECOND), SECOND, wanted=False), DOOR, SECOND)
    with pytest.raises(KeyError):
        choose(waiting(), "d0000000-0000-0000-0000-000000000009")


CLOSED = {
    "cancelled": replace(waiting(), cancelled=True),
    "ended": with_door(waiting(), state=State.ENDED),
    "one of several codes": replace(
        waiting(), doors=tuple(replace(door, part=1) for door in waiting().doors)
    ),
    "another stay": replace(waiting(), stay=replace(STAY, slot="x")),
}  # fmt: skip


@pytest.mark.parametrize("it", CLOSED.values(), ids=CLOSED.keys())
def test_a_changed_or_ended_booking_takes_no_choice(it: Booking) -> None:
    """The choice was made for another stay."""
    with pytest.raises(transitions.StaleRead):
        choose(it, it.doors[0].key)


def test_a_create_in_doubt_is_looked_up_at_its_own_time() -> None:
    """An earlier look would only find that it is too early."""
    it = with_door(waiting(), intent=intent(), state=State.CREATING, due_at=LATER + timedelta(minutes=1))
    door = choose(it).booking.door(DOOR)
    assert door.due_at == LATER + timedelta(minutes=1)
    assert door.intent is not None


def test_a_door_with_a_code_is_planned_again() -> None:
    """The code is then handled as after any change of the window."""
    it = choose(issued()).booking
    assert it.door(DOOR).code == code("c-1")
    assert next_step(it, it.door(DOOR), LATER) is Step.PLAN


def test_the_alert_ends_with_the_person_s_name() -> None:
    """Nobody has to ask who did it."""
    it = quiet(choose(waiting()).booking)
    change = transitions.record_intent(it, it.door(DOOR), intent(), revision=0, facts={}, now=LATER, due_at=LATER)
    assert told_of(change, it) == [f"-no_slot/{DOOR}"]
    (notice,) = change.booking.outbox
    assert notice.kind == "alert"
    assert notice.solved == "ann chose the slot “Late”."
    assert change.booking.door(DOOR).offers == ()


def test_offers_are_told_only_if_no_slot_fits() -> None:
    """If other slots fit now, people are told again: a button that is pressed later must offer what is true."""
    it = waiting()
    (alert,) = alerts_of(it, NOW).values()
    assert alert.choices == (OFFER,)
    assert alert.door_key == DOOR
    again = transitions.wait(
        it, DOOR, revision=0, reason="no_slot", detail="", until=LATER, facts={}, now=NOW, offers=(OTHER,)
    )
    assert told_of(again, it) == [f"+no_slot/{DOOR}"]
    drifted = with_door(it, code=code(), drift="The slot moved.")
    assert {alert.problem: alert.choices for alert in alerts_of(drifted, NOW).values()} == {
        "no_slot": (OFFER,),
        "slot_changed": (),
    }


OTHER_STAY = Stay(check_in=Instant(CHECK_IN + timedelta(hours=1)), check_out=Instant(CHECK_OUT))


@pytest.mark.parametrize(
    ("stay", "doors", "holds"),
    [
        (STAY, (DOOR,), True),
        (STAY, (DOOR, SECOND), True),
        (OTHER_STAY, (DOOR,), False),
        (replace(STAY, slot="Late"), (DOOR,), False),
        (STAY, (SECOND,), False),
    ],
    ids=["the same", "one more door", "other times", "a slot of its own", "another door"],
)
def test_how_long_a_choice_holds(stay: Stay, doors: tuple[str, ...], holds: bool) -> None:  # noqa: FBT001 - a table
    """For this stay at this door; when it ends, the story says so."""
    it = quiet(choose(waiting()).booking)
    change = accepted(it, 1, "updated", stay=stay, doors=doors)
    assert (change.booking.door(DOOR).choice is not None) is holds
    assert ("slot.choice_ended" in lines_of(change)) is not holds


def test_a_cancelled_booking_that_comes_back_keeps_it() -> None:
    """It gets its code back."""
    it = accepted(choose(waiting()).booking, 1, "cancelled").booking
    assert it.door(DOOR).choice is not None
    back = accepted(it, 2, "updated").booking
    assert back.door(DOOR).choice is not None
    # A door that was left out for a while is different: nobody chose for the time after it.
    without = accepted(back, 3, "updated", doors=(SECOND,)).booking
    assert accepted(without, 4, "updated").booking.door(DOOR).choice is None


def test_a_plan_from_before_the_choice_changes_nothing() -> None:
    """But a code that exists is a fact: it is recorded, and the door planned again."""
    seen = waiting()
    it = choose(seen).booking
    with pytest.raises(transitions.StaleRead):
        transitions.as_seen(it, SeenDoor(seen, DOOR))
    assert transitions.as_seen(it, SeenDoor(it, DOOR)) is it
    made = transitions.record_code(it, DOOR, code(), revision=None, asked=WINDOW, adopted=False, now=LATER).booking
    assert next_step(made, made.door(DOOR), made.door(DOOR).due_at or LATER) is Step.PLAN
