"""What is told, to whom, and how often: outcomes when the state changes; alerts raised once and resolved once."""

from collections.abc import Callable
from datetime import timedelta

import pytest

from shared.domain.booking import transitions
from shared.domain.booking.notices import alerts_of
from shared.domain.booking.problem_catalogue import PROBLEMS
from shared.domain.booking.record import Booking, Change, State
from tests.shared.stories import (
    CHECK_IN,
    CHECK_OUT,
    DOOR,
    ERASE_AT,
    NOW,
    SECOND,
    WINDOW,
    accepted,
    booking,
    code,
    intent,
    issued,
    quiet,
    told_of,
    with_door,
)

LATER = NOW + timedelta(days=1)


def waits(it: Booking, reason: str = "no_slot", detail: str = "", device_id: str = DOOR) -> Change:
    """Put a door into the waiting room."""
    return transitions.wait(it, device_id, revision=0, reason=reason, detail=detail, until=LATER, facts={}, now=NOW)


def schedules(it: Booking) -> Change:
    """Leave a door for later."""
    return transitions.schedule(it, DOOR, revision=0, until=LATER, reason="lead_time", facts={}, now=NOW)


def issues(it: Booking, device_id: str = DOOR) -> Change:
    """Record a code."""
    return transitions.record_code(it, device_id, code(), revision=0, asked=WINDOW, adopted=False, now=NOW)


def confirms(it: Booking, reason: str = "") -> Change:
    """Record that Seam confirms the code."""
    return transitions.confirm_code(it, DOOR, reason=reason, detail="", due_at=CHECK_OUT, now=NOW)


def fails_once(it: Booking, *, tell: bool) -> Change:
    """Record a failed try."""
    return transitions.record_failed_attempt(
        it, DOOR, reason="seam_unavailable", detail="HTTP 503", until=LATER, tell=tell, now=NOW
    )  # fmt: skip


CHANGES: dict[str, tuple[Booking, Callable[[Booking], Change], list[str]]] = {
    "scheduled is told to nobody": (booking(), schedules, []),
    "waiting": (booking(), waits, ["access-code.waiting", f"+no_slot/{DOOR}"]),
    "waiting, needing nobody": (booking(), lambda it: waits(it, "unheard_of"), ["access-code.waiting"]),
    "failed": (
        booking(),
        lambda it: transitions.fail(it, DOOR, revision=0, reason="too_long", detail="", facts={}, now=NOW),
        ["access-code.failed", f"+too_long/{DOOR}"],
    ),
    "issued": (with_door(booking(), intent=intent()), issues, ["access-code.issued"]),
    "ready": (issued(), confirms, ["access-code.ready"]),
    "ready, and odd": (
        issued(), lambda it: confirms(it, reason="window_differs"), ["access-code.ready", f"+window_differs/{DOOR}"]
    ),
    "gone": (
        issued(), lambda it: transitions.drop_code(it, DOOR, now=NOW), ["access-code.failed", f"+code_gone/{DOOR}"]
    ),
    "cancelled": (issued(), lambda it: accepted(it, 1, "cancelled"), ["access-code.cancelled"]),
    "ended": (issued(), lambda it: transitions.end_stay(it, DOOR, erase_at=ERASE_AT, now=NOW), ["access-code.ended"]),
    "the first failed tries": (booking(), lambda it: fails_once(it, tell=False), []),
    "one failed try too many": (booking(), lambda it: fails_once(it, tell=True), [f"+seam_unavailable/{DOOR}"]),
    "one door of two issued": (booking(DOOR, SECOND), issues, []),
    "one door of two waits": (booking(DOOR, SECOND), waits, ["access-code.waiting", f"+no_slot/{DOOR}"]),
}  # fmt: skip


@pytest.mark.parametrize(("before", "transition", "told"), CHANGES.values(), ids=CHANGES.keys())
def test_what_a_change_tells(before: Booking, transition: Callable[[Booking], Change], told: list[str]) -> None:
    """Outcomes to the booking system and alerts to people, in this order."""
    assert told_of(transition(before), before) == told


@pytest.mark.parametrize(
    ("before", "transition"),
    [(booking(), waits), (issued(), schedules), (issued(), confirms)],
    ids=["waits", "schedules", "confirms"],
)
def test_a_repeated_change_tells_nothing(before: Booking, transition: Callable[[Booking], Change]) -> None:
    """However often a door is tried, people are told once."""
    first = quiet(transition(before).booking)
    assert told_of(transition(first), first) == []


def test_an_alert_is_resolved_when_its_reason_is_gone() -> None:
    """Once, and before a new one is raised."""
    waiting = quiet(waits(booking()).booking)
    ready = confirms(issues(waiting).booking)
    assert told_of(ready, waiting) == ["access-code.issued", f"-no_slot/{DOOR}", "access-code.ready"]
    other = waits(waiting, "no_slots_configured")
    assert told_of(other, waiting) == ["access-code.waiting", f"-no_slot/{DOOR}", f"+no_slots_configured/{DOOR}"]


def test_news_of_an_open_problem_is_told() -> None:
    """Another text of what happened raises the same alert again, and resolves nothing."""
    waiting = quiet(waits(booking(), detail="Slot A is 90 minutes off.").booking)
    assert told_of(waits(waiting, detail="Slot B is 70 minutes off."), waiting) == [f"+no_slot/{DOOR}"]


def test_other_texts_of_an_outage_are_no_news() -> None:
    """Each failed try may have another text; people are told once."""
    told = quiet(fails_once(booking(), tell=True).booking)
    again = transitions.record_failed_attempt(
        told, DOOR, reason="seam_unavailable", detail="ReadTimeout", until=LATER, tell=True, now=NOW
    )  # fmt: skip
    assert told_of(again, told) == []


def test_a_cancellation_resolves_every_alert() -> None:
    """Nobody has to act for a cancelled stay."""
    waiting = quiet(waits(booking()).booking)
    assert told_of(accepted(waiting, 1, "cancelled"), waiting) == ["access-code.cancelled", f"-no_slot/{DOOR}"]


def test_dropping_a_door_resolves_its_alerts() -> None:
    """A door that isn't part of the booking needs no alerts."""
    before = quiet(waits(booking(DOOR, SECOND)).booking)
    change = accepted(before, 1, "updated", doors=(SECOND,))
    assert f"-no_slot/{DOOR}" in told_of(change, before)


def test_every_door_has_alerts_of_its_own() -> None:
    """Two doors with one problem each are two problems."""
    one = quiet(waits(booking(DOOR, SECOND)).booking)
    both = waits(one, device_id=SECOND)
    assert told_of(both, one) == [f"+no_slot/{SECOND}"]
    assert set(alerts_of(both.booking, NOW)) == {f"booking/BK-1/no_slot/{each}" for each in (DOOR, SECOND)}


def test_outcomes_are_numbered_without_gaps() -> None:
    """From 1, in the order in which they were made."""
    it = confirms(issues(waits(booking()).booking).booking).booking
    numbers = [notice.sequence for notice in it.outbox if notice.kind == "outcome"]
    assert numbers == [1, 2, 3]
    assert it.outcome_sequence == 3


def test_the_content_of_an_outcome() -> None:
    """Booking, state, reason, and each wanted door with its code; no label and no PIN."""
    (notice,) = confirms(issued()).booking.outbox
    assert notice.kind == "outcome"
    assert notice.body == {
        "booking_id": "BK-1",
        "revision": 0,
        "state": "ready",
        "reason": "",
        "residual_access_until": None,
        "devices": [
            {
                "device_id": DOOR,
                "access_code_id": "c-1",
                "status": "ready",
                "reason": "",
                "starts_at": CHECK_IN.isoformat(),
                "ends_at": CHECK_OUT.isoformat(),
                "pin_changed": False,
                "pin_changed_at": None,
            }
        ],
    }


def test_a_code_found_after_a_cancellation_is_told_as_residual_access() -> None:
    """The booking system was told that no code still works; when a code is found, that must be corrected."""
    creating = with_door(booking(), state=State.CREATING, intent=intent(), planned_revision=0)
    cancelled = quiet(accepted(creating, 0, "cancelled").booking)
    change = issues(cancelled)
    assert change.booking.residual_access_until == CHECK_OUT
    assert "access-code.cancelled" in told_of(change, cancelled)


def test_every_alert_says_what_to_do_and_who_does_it() -> None:
    """Every row has all texts; there are three actors."""
    for reason, trouble in PROBLEMS.items():
        assert trouble.happened.endswith("."), reason
        assert trouble.next_step.endswith("."), reason
        assert trouble.actor in {"ops", "installer", "seam"}, reason


def test_a_check_in_within_the_hour_is_urgent_even_if_the_door_was_never_read() -> None:
    """The stay itself says when the guest comes."""
    it = with_door(booking(), state=State.FAILED, reason="device_not_found")
    (alert,) = alerts_of(it, NOW).values()
    assert alert.check_in == CHECK_IN
