"""What an alert advises: near check-in the guest is let in by hand, unless a PIN opens the door."""

from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

import pytest

from shared.domain.booking import transitions
from shared.domain.booking.advice import earlier_code_of, lets_in_by_hand, next_step_now, window_text
from shared.domain.booking.alert_notice import alert_notice
from shared.domain.booking.notices import alerts_of, next_step_of
from shared.domain.booking.problem_catalogue import PROBLEMS, KeepsOut, Reason
from shared.domain.booking.record import AccessCode, AlertNotice, Booking, Removal, State, Window
from tests.shared.stories import CHECK_IN, CHECK_OUT, DOOR, NOW, SECOND, WINDOW, booking, code, issued, with_door

HOUR = timedelta(hours=1)
MINUTE = timedelta(minutes=1)
BY_HAND = "First let the guest in by hand. "
LATER = Window(CHECK_IN + HOUR / 2, CHECK_OUT)
EARLY = Window(CHECK_IN - HOUR, CHECK_OUT)


def notice(problem: str = Reason.NO_SLOT, **fields: Any) -> AlertNotice:
    """Return the notice of a problem of one guest's door."""
    known: dict[str, Any] = {"check_in": CHECK_IN, "check_out": CHECK_OUT, "door_key": DOOR, "time_zone": "UTC"}
    return alert_notice(problem, key="k", subject="s", at=NOW, **(known | fields))


MOMENTS: list[tuple[str, datetime, bool]] = [
    ("days before", NOW, False),
    ("over two hours before", CHECK_IN - 2 * HOUR - MINUTE, False),
    ("two hours before", CHECK_IN - 2 * HOUR, True),
    ("at check-in", CHECK_IN, True),
    ("a day after", CHECK_IN + 24 * HOUR, True),
    ("a minute before check-out", CHECK_OUT - MINUTE, True),
    ("at check-out", CHECK_OUT, False),
]


@pytest.mark.parametrize(("now", "by_hand"), [pytest.param(*row, id=name) for name, *row in MOMENTS])
def test_the_advice_of_a_notice_depends_on_the_time(now: datetime, by_hand: bool) -> None:  # noqa: FBT001
    """From two hours before check-in until check-out, letting the guest in comes first; the other steps follow."""
    text = next_step_now(notice(), now)
    assert text.startswith(BY_HAND) is by_hand
    assert text.removeprefix(BY_HAND) == PROBLEMS[Reason.NO_SLOT].steps


@pytest.mark.parametrize("problem", [name for name, row in PROBLEMS.items() if row.in_the_end])
def test_letting_in_by_hand_is_advised_once(problem: str) -> None:
    """Far from check-in it is the last step, near check-in the first."""
    row = PROBLEMS[problem]
    assert row.keeps_out is not KeepsOut.NOBODY
    assert next_step_now(notice(problem), NOW) == f"{row.next_step} {row.in_the_end}"
    assert next_step_now(notice(problem), CHECK_IN) == f"{BY_HAND}{row.next_step}"


CASES: list[tuple[str, AlertNotice, bool]] = [
    ("no code", notice(), True),
    ("no code, and Seam is away", notice(Reason.SEAM_UNAVAILABLE), True),
    ("a code, and Seam is away", notice(Reason.SEAM_UNAVAILABLE, code=WINDOW), False),
    ("a code that was removed", notice(Reason.REMOVED_OUTSIDE, code=WINDOW), True),
    ("a code that is late", notice(Reason.LATE_SET, code=WINDOW), True),
    ("a code with other times", notice(Reason.WINDOW_DIFFERS, code=WINDOW), False),
    ("another PIN", notice(Reason.PIN_CHANGED, code=WINDOW), False),
    ("a stay that is over", notice(Reason.ALREADY_OVER), False),
    ("nobody is due", notice(check_in=None), False),
    ("an earlier PIN opens", notice(earlier_code=EARLY), False),
    ("an earlier PIN opens later", notice(earlier_code=LATER), True),
    ("an earlier PIN has ended", notice(earlier_code=Window(CHECK_IN - HOUR, CHECK_IN)), True),
    ("an earlier PIN opens, the code may not", notice(Reason.CODE_PROBLEM, code=WINDOW, earlier_code=EARLY), False),
    ("a problem of a newer version", replace(notice(), problem="unheard_of"), False),
]  # fmt: skip


@pytest.mark.parametrize(("told", "by_hand"), [pytest.param(*row, id=name) for name, *row in CASES])
def test_which_guests_are_let_in_by_hand(told: AlertNotice, by_hand: bool) -> None:  # noqa: FBT001
    """Those who arrive at check-in without a PIN that opens the door."""
    assert lets_in_by_hand(told, CHECK_IN) is by_hand


def test_an_earlier_pin_that_opens_later_is_told_with_its_start() -> None:
    """Until then the guest is let in by hand."""
    text = next_step_now(notice(earlier_code=LATER, time_zone="America/Los_Angeles"), CHECK_IN)
    assert text.startswith(
        "First let the guest in by hand: the guest's earlier PIN works only from Mon 2036-12-01 08:30. Move the stay"
    )
    assert next_step_now(notice(earlier_code=LATER), LATER.starts_at) == PROBLEMS[Reason.NO_SLOT].steps


def test_a_trouble_of_many_doors_speaks_of_those_without_a_code() -> None:
    """The advice is for the guests without a code, because the alert isn't about one guest."""
    text = next_step_now(notice(Reason.ACCOUNT_TROUBLE, door_key=""), CHECK_IN)
    assert text.startswith("First let guests who have no working code in by hand. ")


def test_the_advice_follows_the_setting_for_pages() -> None:
    """If a page is sent four hours before check-in, the advice changes at that time."""
    assert lets_in_by_hand(notice(), CHECK_IN - 4 * HOUR, before=4 * HOUR)


def with_earlier(*windows: Window, removal: Removal | None = None) -> Booking:
    """Return a booking that waits for a slot, with codes of earlier revisions."""
    codes = (replace(code(f"c-{number}", each), removal=removal) for number, each in enumerate(windows))
    return with_door(booking(), residual=tuple(codes), state=State.WAITING, reason="no_slot", check_out=CHECK_OUT)


EARLIER: list[tuple[str, Booking, Window | None]] = [
    ("none", with_earlier(), None),
    ("opens the door during the stay", with_earlier(LATER), LATER),
    ("the first that opens", with_earlier(LATER, EARLY), EARLY),
    ("ended before the stay", with_earlier(Window(CHECK_IN - 2 * HOUR, CHECK_IN)), None),
    ("begins after it", with_earlier(Window(CHECK_OUT, CHECK_OUT + HOUR)), None),
    ("is being deleted", with_earlier(EARLY, removal=Removal(asked_at=NOW, look_at=NOW)), None),
    ("could not be deleted", with_earlier(EARLY, removal=Removal(asked_at=NOW, failure="no")), EARLY),
    ("of another door", with_door(booking(DOOR, SECOND), SECOND, residual=(code(window=EARLY),)), None),
]


@pytest.mark.parametrize(("it", "window"), [pytest.param(*row, id=name) for name, *row in EARLIER])
def test_which_earlier_code_the_guest_may_have(it: Booking, window: Window | None) -> None:
    """The code of this door that opens first during the stay."""
    assert earlier_code_of(it, it.door(DOOR)) == window


def test_the_notice_of_a_changed_stay_has_both_windows() -> None:
    """The stay moved: the new code works later than the one that the guest has."""
    moved = Window(CHECK_IN + HOUR, CHECK_OUT + 24 * HOUR)
    it = with_door(issued(), code=AccessCode(access_code_id="c-2", window=moved, known_since=NOW), drift="Gone.")
    it = with_door(it, residual=(code(),))
    (told,) = alerts_of(it, NOW).values()
    assert (told.code, told.earlier_code) == (moved, WINDOW)
    assert window_text(told.code, "Europe/Berlin") == (
        "from Mon 2036-12-01 18:00 to Sat 2036-12-06 11:00 Europe/Berlin"
    )


def test_the_story_says_when_the_earlier_code_window() -> None:
    """With both times, on the lock's clock."""
    it = with_door(issued(), time_zone="America/Los_Angeles")
    change = transitions.supersede_code(it, DOOR, revision=0, is_gone=False, now=NOW)
    assert any(
        "opens the door from Mon 2036-12-01 08:00 to Fri 2036-12-05 02:00 America/Los_Angeles." in entry.text
        for entry in change.history
    )


def test_the_next_step_for_booking_systems_changes_too() -> None:
    """`GET /bookings/{id}` and the console get `next_step` from the same function."""
    it = with_earlier()
    far, near = (next_step_of(it, it.door(DOOR), "no_slot", now) for now in (NOW, CHECK_IN - HOUR))
    assert near == f"{BY_HAND}{far}"
    assert "`oracode bookings choose BK-1`" in near
