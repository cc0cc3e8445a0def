"""A lost code is replaced: once for each order, only the code that was meant, and the old one is deleted last."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.booking.next_step import Step, next_step
from shared.domain.booking.notices import outcome_body
from shared.domain.booking.record import Booking, Change, Removal, State
from shared.domain.booking.reissue_preview import preview_of
from shared.domain.booking.transitions import (
    NotReissued,
    confirm_code,
    record_code,
    record_removals,
    reissue_code,
    wait,
    why_not_reissued,
)
from shared.domain.code.removal import may_not_be_adopted, next_look_at
from tests.shared.stories import (
    CHECK_OUT,
    DOOR,
    NOW,
    WINDOW,
    booking,
    code,
    intent,
    issued,
    lines_of,
    told_of,
    with_door,
)

LATER = NOW + timedelta(hours=1)


def ready() -> Booking:
    """Return a booking whose one door has a confirmed code."""
    return replace(with_door(issued(), state=State.READY), state=State.READY)


def reissued(it: Booking) -> Change:
    """Order a new code for the door."""
    return reissue_code(it, DOOR, access_code_id="c-1", by="ann", reason="card was stolen", now=NOW)


def with_new_code(it: Booking) -> Change:
    """Record the code that is made in place of the replaced one."""
    return record_code(it, DOOR, code("c-2"), revision=0, asked=WINDOW, adopted=False, now=LATER)


def confirmed(it: Booking) -> Change:
    """Record that Seam confirms the current code."""
    return confirm_code(it, DOOR, reason="", detail="", due_at=CHECK_OUT, now=LATER)


def test_the_old_code_becomes_residual_access_and_another_is_planned() -> None:
    """The story says who, why, and until when the old one opens the door."""
    change = reissued(ready())
    door = change.booking.door(DOOR)
    assert (door.code, door.state, door.due_at) == (None, "received", NOW)
    assert [(each.access_code_id, each.replaced_at) for each in door.residual] == [("c-1", NOW)]
    assert change.booking.residual_access_until == CHECK_OUT
    assert next_step(change.booking, door, NOW) is Step.PLAN
    assert lines_of(change)[0] == "code.reissue_asked"
    assert "ann asked for a new code" in change.history[0].text
    assert "card was stolen" in change.history[0].text
    # No booking takes it over again, not even this one.
    assert may_not_be_adopted(door.residual[0])


def test_nothing_is_deleted_before_the_new_code_is_confirmed() -> None:
    """The guest is never without a code."""
    asked = reissued(ready()).booking
    made = with_new_code(asked).booking
    assert next_look_at(asked.door(DOOR)) is None
    assert next_look_at(made.door(DOOR)) is None
    after = confirmed(made).booking
    assert next_look_at(after.door(DOOR)) == LATER
    # Another look changes nothing: the deletion is asked for once.
    again = confirm_code(after, DOOR, reason="", detail="", due_at=CHECK_OUT, now=LATER + timedelta(hours=1)).booking
    assert next_look_at(again.door(DOOR)) == LATER


def test_the_outcome_says_both() -> None:
    """The guest needs a new PIN, and how long the old code opens the door."""
    before = with_new_code(reissued(ready()).booking).booking
    change = confirmed(before)
    assert told_of(change, before) == ["access-code.ready"]
    body = outcome_body(change.booking)
    (device,) = body["devices"]
    assert (device["access_code_id"], device["pin_changed"]) == ("c-2", True)
    assert body["residual_access_until"] == CHECK_OUT.isoformat()


def test_the_same_order_again_changes_nothing() -> None:
    """Before the new code exists, and after."""
    first = reissued(ready()).booking
    assert reissued(first).booking is first
    later = with_new_code(first).booking
    assert reissued(later).booking is later


@pytest.mark.parametrize(
    ("fields", "why"),
    [
        ({"code": None, "state": State.WAITING}, "no code for this door: it is waiting"),
        ({"intent": intent()}, "isn't known yet whether it exists"),
        ({"wanted": False}, "not on this door"),
        ({"state": State.ENDED}, "the door is ended"),
        ({"code": code("c-7")}, "another code by now: c-7"),
    ],
)
def test_what_is_refused(fields: dict[str, Any], why: str) -> None:
    """With a reason; nothing is written."""
    with pytest.raises(NotReissued, match=why):
        reissued(with_door(ready(), **fields))


def test_ended_bookings_and_codes_are_refused() -> None:
    """A cancelled booking, one that was never planned, and a code that has ended."""
    assert "cancelled" in why_not_reissued(
        replace(ready(), cancelled=True, state=State.CANCELLED), ready().door(DOOR), NOW
    )
    assert "no code" in why_not_reissued(booking(), booking().door(DOOR), NOW)
    assert "over" in why_not_reissued(ready(), ready().door(DOOR), CHECK_OUT)
    assert why_not_reissued(ready(), ready().door(DOOR), NOW) == ""


def test_a_full_lock_loses_the_old_code_first() -> None:
    """There is no room for both; when it is gone, the door is planned at once."""
    asked = reissued(ready()).booking
    waiting = wait(
        asked, DOOR, revision=0, reason="door_full", detail="", until=NOW + timedelta(hours=2), facts={}, now=NOW
    ).booking
    assert next_look_at(waiting.door(DOOR)) == NOW
    gone = record_removals(waiting, DOOR, gone=frozenset({"c-1"}), removals={}, now=LATER).booking
    assert (gone.door(DOOR).due_at, gone.residual_access_until) == (LATER, None)


def test_a_new_code_with_the_same_pin_is_told() -> None:
    """A person who has the old code can still come in. People must know until there is another code."""
    before = confirmed(with_new_code(reissued(ready()).booking).booking).booking
    kept = Removal(asked_at=LATER, failure="Seam doesn't let it be deleted", asked=False)
    change = record_removals(before, DOOR, gone=frozenset(), removals={"c-1": kept}, same_pin=("c-1", "c-2"), now=LATER)
    assert told_of(change, before) == [f"+same_pin/{DOOR}"]
    assert lines_of(change) == ["code.not_revoked", "pin.same"]
    assert next_look_at(change.booking.door(DOOR)) is None
    again = reissue_code(change.booking, DOOR, access_code_id="c-2", by="ann", reason="", now=LATER).booking
    after = record_code(again, DOOR, code("c-3"), revision=0, asked=WINDOW, adopted=False, now=LATER)
    assert after.booking.door(DOOR).same_pin_as == ""


@pytest.mark.parametrize(
    ("may_be_deleted", "told"),
    [(True, "is asked once"), (False, "can't be deleted"), (None, "Seam may let it be deleted")],
)
def test_the_preview_says_how_long_the_old_code_works(*, may_be_deleted: bool | None, told: str) -> None:
    """In plain sentences, with the time; never a PIN."""
    door = ready().door(DOOR)
    assert door.code is not None
    text = " ".join(preview_of(door, door.code, may_be_deleted=may_be_deleted))
    assert told in text
    assert "Fri 5 Dec 2036, 10:00" in text
