"""Following a booking until its code is usable: which steps are told, and when it is over. On values alone."""

from collections.abc import Callable
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.booking.record import Booking, State
from tests.shared.stories import DOOR, NOW, booking, code, issued, with_door
from worker.cli.codes_follow import Follower, Step, Verdict


class Story:
    """What the ledger and Seam would say, one look after the other, a second apart."""

    def __init__(self, *bookings: Booking | None, pin_after: float = 0.0) -> None:
        self.bookings = list(bookings)
        self.at = -1.0
        self.pin_after = pin_after
        self.pin_asked = 0

    def read(self) -> Booking | None:
        """Return the next state; the last one stays."""
        self.at += 1.0
        return self.bookings[min(int(self.at), len(self.bookings) - 1)]

    def has_pin(self, _: str) -> bool:
        """Say whether Seam has the PIN by now."""
        self.pin_asked += 1
        return self.at >= self.pin_after


def follow(story: Story, looks: int, **options: Any) -> tuple[Follower, list[Step]]:
    """Look so often; return the follower and every step."""
    follower = Follower(read=story.read, has_pin=story.has_pin, elapsed=lambda: story.at, **options)
    return follower, [step for _ in range(looks) for step in follower.look()]


def kept(it: Booking, **fields: Any) -> Booking:
    """Return the booking as the ledger has it, on one door with these fields."""
    return replace(with_door(it, **fields), version=1, state=fields.get("state", it.state))


TAKEN = kept(booking())
MADE = kept(issued())
READY = kept(issued(), state=State.READY)


def test_each_step_is_told_once_with_its_time() -> None:
    """Taken, made, the PIN, set: in the order in which they are seen."""
    follower, steps = follow(Story(None, TAKEN, TAKEN, MADE, MADE, MADE, READY, READY, pin_after=5), 8)
    assert [(step.what, step.seconds) for step in steps] == [("taken", 1.0), ("made", 3.0), ("pin", 5.0), ("set", 6.0)]
    assert "c-1" in steps[1].text
    assert follower.verdict is Verdict.USABLE
    assert follower.steps == steps


def test_the_pin_comes_before_the_confirmation() -> None:
    """Also where both are seen in one look."""
    _, steps = follow(Story(READY), 1)
    assert [step.what for step in steps] == ["taken", "made", "pin", "set"]


def test_seam_is_not_asked_for_a_pin_that_is_known() -> None:
    """Nor before there is a code."""
    story = Story(TAKEN, MADE, MADE, MADE, READY, READY)
    follow(story, 6)
    assert story.pin_asked == 1


def test_what_was_so_before_has_no_time() -> None:
    """Somebody follows a test that was asked for earlier."""
    _, steps = follow(Story(MADE, READY, pin_after=1), 2, is_new=False)
    assert [(step.what, step.seconds) for step in steps] == [
        ("taken", None), ("made", None), ("pin", 1.0), ("set", 1.0)
    ]  # fmt: skip


def test_a_try_that_failed_is_told_once_for_each_reason() -> None:
    """It is repeated by itself, and nobody is needed yet."""
    failing = kept(booking(), state=State.SCHEDULED, reason="seam_unavailable", detail="x.", is_muted=True, attempts=1)
    other = kept(booking(), state=State.CREATING, reason="in_doubt", detail="y.", is_muted=True, attempts=2)
    follower, steps = follow(Story(failing, failing, other), 3)
    assert [step.what for step in steps] == ["taken", "try_failed", "try_failed"]
    assert "in doubt" in steps[-1].text
    assert follower.verdict is Verdict.OPEN


def test_a_door_whose_turn_comes_later_says_when() -> None:
    """Its limit of creates a minute, or a lead time of the worker's that is another than the command's."""
    later = kept(booking(), state=State.SCHEDULED, reason="lead_time", due_at=NOW + timedelta(hours=1))
    follower, steps = follow(Story(later), 1)
    assert steps[-1].what == "scheduled"
    assert "13:00:00 UTC (lead time)" in steps[-1].text
    assert follower.verdict is Verdict.OPEN


VERDICTS: list[Any] = [
    pytest.param(lambda: None, Verdict.OPEN, id="nobody has taken it"),
    pytest.param(lambda: TAKEN, Verdict.OPEN, id="taken"),
    pytest.param(lambda: MADE, Verdict.OPEN, id="made"),
    pytest.param(lambda: READY, Verdict.USABLE, id="ready"),
    pytest.param(
        lambda: kept(issued(), state=State.READY, reason="window_differs"), Verdict.NEEDS_A_PERSON, id="other times"
    ),
    pytest.param(
        lambda: kept(issued(), state=State.ISSUED, reason="late_set"), Verdict.NEEDS_A_PERSON, id="told to be late"
    ),
    pytest.param(
        lambda: kept(issued(), state=State.ISSUED, reason="late_set", is_muted=True), Verdict.OPEN, id="not told yet"
    ),
    *(
        pytest.param(lambda state=state: kept(booking(), state=state), Verdict.NEEDS_A_PERSON, id=state)
        for state in (State.WAITING, State.FAILED, State.CANCELLED, State.ENDED)
    ),
]


@pytest.mark.parametrize(("make", "verdict"), VERDICTS)
def test_verdicts(make: Callable[[], Booking | None], verdict: Verdict) -> None:
    """By the door's state, and by what people were told of it."""
    assert follow(Story(make()), 1)[0].verdict is verdict


def test_what_was_before_another_try_decides_nothing() -> None:
    """Neither an older revision nor the record as it was when somebody asked for the try."""
    failed = kept(booking(), state=State.FAILED, reason="refused_by_seam")
    assert follow(Story(failed), 1, after_version=1)[0].verdict is Verdict.OPEN
    assert follow(Story(failed), 1, revision=failed.revision + 1)[0].verdict is Verdict.OPEN
    again = replace(failed, version=2)
    follower, steps = follow(Story(failed, again), 2, after_version=1)
    assert follower.verdict is Verdict.NEEDS_A_PERSON
    assert [(step.what, step.seconds) for step in steps] == [("taken", 1.0)]
    assert follower.door == failed.door(DOOR)
    assert code().access_code_id not in "".join(step.text for step in steps)
