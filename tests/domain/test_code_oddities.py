"""What Seam made against what it was asked for, and when a code is looked at next."""

from datetime import timedelta
from typing import Any

import pytest

from shared.domain.code_looks import late_at, next_look, next_look_when_confirmed
from shared.domain.code_oddities import Oddity, oddity_of
from shared.domain.records import Window
from shared.domain.seam_words import in_words, why_not_yet
from tests.shared.stories import CHECK_IN, CHECK_OUT, NOW, WINDOW, code, door

SHORTER = Window(CHECK_IN, CHECK_OUT - timedelta(hours=2))
ASKED = {"asked": WINDOW, "asked_user_level_id": "level-1"}

ODDITIES: list[Any] = [
    pytest.param(ASKED, WINDOW, "level-1", ((), ()), "", id="as asked"),
    pytest.param(ASKED, SHORTER, "level-1", ((), ()), "window_differs", id="another window"),
    pytest.param(ASKED, SHORTER, "level-1", (("updating_time_frame",), ()), "", id="its window is being changed"),
    pytest.param(ASKED, WINDOW, "level-2", ((), ()), "user_level_differs", id="another user level"),
    pytest.param(ASKED, WINDOW, None, ((), ()), "", id="Seam doesn't tell the level"),
    pytest.param({"asked": WINDOW}, WINDOW, "level-2", ((), ()), "", id="no level was asked for"),
    pytest.param({}, SHORTER, "level-2", ((), ()), "", id="nothing is known"),
    pytest.param(
        ASKED, WINDOW, "level-1", ((), (("external_modification_in_effect", "x"),)), "changed_outside", id="outside"
    ),
    pytest.param(ASKED, WINDOW, "level-1", ((), (("code_rotates_periodically", "x"),)), "", id="another warning"),
]


@pytest.mark.parametrize(("fields", "made", "level", "said", "reason"), ODDITIES)
def test_oddities(fields: dict[str, Any], made: Window, level: str | None, said: Any, reason: str) -> None:
    """A difference is told with both sides; what isn't known isn't compared."""
    pending, warnings = said
    odd = oddity_of(door(**fields), made=made, user_level_id=level, pending=pending, warnings=warnings)
    assert odd.reason == reason
    assert bool(odd.detail) == bool(reason)
    if reason == "window_differs":
        assert odd == Oddity(
            reason, "Asked for 2036-12-01 16:00 to 2036-12-05 10:00, got 2036-12-01 16:00 to 2036-12-05 08:00."
        )


def test_words_always_quote_seam() -> None:
    """Its message may know more, and a code that isn't listed is quoted alone."""
    assert in_words("no_space_for_access_code_on_device", "Full.").endswith(
        "(Seam says: no_space_for_access_code_on_device: Full.)"
    )
    assert in_words("brand_new", "Hm.") == "Seam says: brand_new: Hm."
    assert in_words("brand_new", "") == "Seam says: brand_new"
    assert why_not_yet((), ()) == ""
    text = why_not_yet(("deferring_creation", "new_one"), (("delay_in_issuing", "Wait."),))
    assert text.count("Pending at Seam") == 2
    assert text.startswith("Issuing takes longer")


def test_a_confirmed_code_is_looked_at_again_where_it_matters() -> None:
    """When Seam programs the lock, when the guest is due, and then at check-out."""
    programmed = CHECK_IN - timedelta(minutes=58)
    looks = [NOW]
    while looks[-1] < CHECK_OUT:
        looks.append(next_look_when_confirmed(code(), check_out=CHECK_OUT, now=looks[-1]))
    assert looks[1:] == [programmed, CHECK_IN, CHECK_OUT]
    assert next_look_when_confirmed(code(), check_out=None, now=CHECK_IN) == WINDOW.ends_at
    early = CHECK_IN - timedelta(days=1)
    assert next_look_when_confirmed(code(), check_out=early, now=NOW) == early


@pytest.mark.parametrize("attempts", [0, 1, 2, 5, 50])
def test_looks_thin_out_and_come_close_when_it_is_late(attempts: int) -> None:
    """Never past the moment at which the code counts as late, and every few minutes from then on."""
    late_from = late_at(code(), timedelta(minutes=15))
    assert late_from == CHECK_IN - timedelta(minutes=45)
    at = next_look(code(), attempts=attempts, late_from=late_from, now=NOW)
    assert NOW < at <= NOW + timedelta(hours=6)
    late = late_from + timedelta(minutes=1)
    assert next_look(code(), attempts=attempts, late_from=late_from, now=late) <= late + timedelta(minutes=2)
    just = late_from - timedelta(seconds=1)
    assert next_look(code(), attempts=attempts, late_from=late_from, now=just) == late_from
