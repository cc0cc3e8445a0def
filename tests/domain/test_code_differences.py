"""Compares the code that Seam made with the one that was asked for."""

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from shared.domain.booking.record import Window
from shared.domain.code.differences import differences_of, pin_replaced_at, window_in_effect
from shared.domain.seam_issues import ModifiedField, SeamIssue
from tests.shared.stories import CHECK_IN, CHECK_OUT, WINDOW, code, door

SHORTER = Window(CHECK_IN, CHECK_OUT - timedelta(hours=2))
ASKED = {"asked": WINDOW, "asked_user_level_id": "level-1"}
TIMES = "Asked for 2036-12-01 16:00 to 2036-12-05 10:00, got 2036-12-01 16:00 to 2036-12-05 08:00."
NOT_DONE = {**ASKED, "code": replace(code("c-1", SHORTER), update_failure="x: Not today.")}
LEVEL = "Asked for user level level-1, got level-2."

DIFFERENCES: list[Any] = [
    pytest.param(ASKED, WINDOW, "level-1", ((), ()), [], id="as asked"),
    pytest.param(ASKED, SHORTER, "level-1", ((), ()), [("window_differs", TIMES)], id="another window"),
    pytest.param(ASKED, SHORTER, "level-1", (("updating_time_frame",), ()), [], id="its window is being changed"),
    pytest.param(
        ASKED,
        SHORTER,
        "level-1",
        (("updating_time_frame",), (SeamIssue("failed_to_update"),)),
        [("window_differs", TIMES)],
        id="its window could not be changed",
    ),
    pytest.param(
        NOT_DONE,
        SHORTER,
        "level-1",
        (("updating_time_frame",), ()),
        [("window_differs", f"{TIMES} Seam says of the change: x: Not today.")],
        id="the attempt to change its window has failed",
    ),
    pytest.param(
        NOT_DONE,
        SHORTER,
        "level-1",
        ((), (SeamIssue("failed_to_update"),)),
        [("window_differs", TIMES)],
        id="the code's own words on a change that failed are enough",
    ),
    pytest.param(NOT_DONE, WINDOW, "level-1", ((), ()), [], id="the change arrived after all"),
    pytest.param(ASKED, SHORTER, "level-1", (("creating",), ()), [("window_differs", TIMES)], id="it is being made"),
    pytest.param(ASKED, WINDOW, "level-2", ((), ()), [("user_level_differs", LEVEL)], id="another user level"),
    pytest.param(
        ASKED,
        SHORTER,
        "level-2",
        ((), ()),
        [("window_differs", TIMES), ("user_level_differs", LEVEL)],
        id="both",
    ),
    pytest.param(ASKED, WINDOW, None, ((), ()), [], id="Seam doesn't tell the level"),
    pytest.param({"asked": WINDOW}, WINDOW, "level-2", ((), ()), [], id="no level was asked for"),
    pytest.param({}, SHORTER, "level-2", ((), ()), [], id="nothing is known"),
    pytest.param(ASKED, None, "level-1", (("updating_time_frame",), ()), [], id="no times while they are changed"),
]


def test_a_code_without_times_is_told_and_blocks() -> None:
    """It isn't known when it opens the door; Seam may name its times later."""
    for asked, start in ((ASKED, TIMES.partition(",")[0] + "; Seam"), ({}, "Seam")):
        (found,) = differences_of(door(**asked), made=None, user_level_id=None, pending=(), errors=())
        assert (found.reason, found.blocks, found.is_retried) == ("window_differs", True, True)
        assert found.text == f"{start} names no start or no end of the code, so nobody knows when it opens the door."


@pytest.mark.parametrize(("fields", "made", "level", "said", "expected"), DIFFERENCES)
def test_differences(
    fields: dict[str, Any], made: Window | None, level: str | None, said: Any, expected: list[tuple[str, str]]
) -> None:
    """A difference is told with both values; unknown values aren't compared."""
    pending, errors = said
    found = differences_of(door(**fields), made=made, user_level_id=level, pending=pending, errors=errors)
    assert [(each.reason, each.text) for each in found] == expected


MOVED = ModifiedField("ends_at", SHORTER.ends_at)
IN_EFFECT: list[Any] = [
    pytest.param([], WINDOW, id="nothing was changed"),
    pytest.param([SeamIssue("external_modification_in_effect", "", "modified", (MOVED,))], SHORTER, id="its end was"),
    pytest.param(
        [
            SeamIssue(
                "external_modification_in_effect", "", "modified", (ModifiedField("ends_at"), ModifiedField("code"))
            )
        ],
        WINDOW,
        id="nobody says to what",
    ),
    pytest.param([SeamIssue("of_tomorrow", "", "modified", (MOVED,))], WINDOW, id="of something else"),
]


@pytest.mark.parametrize(("warnings", "expected"), IN_EFFECT)
def test_times_that_were_changed_outside_of_seam_count(warnings: list[SeamIssue], expected: Window) -> None:
    """If that change is in effect; also if the code itself still shows its original times."""
    assert window_in_effect(WINDOW, warnings) == expected
    assert window_in_effect(None, warnings) is None


def test_a_pin_that_was_replaced_outside_of_seam() -> None:
    """The newest time at which Seam noticed it, if the change is in effect."""
    code_field = (ModifiedField("code"),)
    changed = [
        SeamIssue("external_modification_in_effect", "", "modified", code_field, at)
        for at in (CHECK_IN, CHECK_OUT, None)
    ]
    assert pin_replaced_at(changed) == CHECK_OUT
    assert pin_replaced_at(changed[2:]) is None
    assert pin_replaced_at([SeamIssue("external_modification_in_effect", "", "modified", (MOVED,), CHECK_IN)]) is None
    assert pin_replaced_at([SeamIssue("of_tomorrow", "", "modified", code_field, CHECK_IN)]) is None


@pytest.mark.parametrize(
    ("starts", "ends", "blocks"),
    [
        pytest.param(0, -2, True, id="ends before check-out"),
        pytest.param(0, -48, True, id="ends days before check-out"),
        pytest.param(1, 0, True, id="begins after check-in"),
        pytest.param(-1, 0, False, id="begins earlier"),
        pytest.param(0, 5, False, id="ends later"),
    ],
)
def test_a_code_that_lacks_a_part_of_the_stay_is_not_what_was_asked_for(
    starts: int, ends: int, *, blocks: bool
) -> None:
    """Seam may still change it, but a guest before a locked door can't wait for that."""
    made = Window(WINDOW.starts_at + timedelta(hours=starts), WINDOW.ends_at + timedelta(hours=ends))
    booked = door(**ASKED, check_in=CHECK_IN, check_out=CHECK_OUT)
    (found,) = differences_of(booked, made=made, user_level_id=None, pending=(), errors=())
    assert (found.reason, found.blocks, found.is_retried) == ("window_differs", blocks, blocks)
