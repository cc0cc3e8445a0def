"""When a code is read again at Seam."""

from datetime import timedelta

import pytest

from shared.domain.code.lateness import late_at
from shared.domain.code.polling import next_look, next_look_when_confirmed
from tests.shared.stories import CHECK_IN, CHECK_OUT, NOW, WINDOW, code


def test_when_a_confirmed_code_is_read_again() -> None:
    """When Seam programs the lock, when the guest arrives, and then at check-out."""
    programmed = CHECK_IN - timedelta(minutes=58)
    looks = [NOW]
    while looks[-1] < CHECK_OUT:
        looks.append(next_look_when_confirmed(code(), check_out=CHECK_OUT, now=looks[-1]))
    assert looks[1:] == [programmed, CHECK_IN, CHECK_OUT]
    assert next_look_when_confirmed(code(), check_out=None, now=CHECK_IN) == WINDOW.ends_at
    early = CHECK_IN - timedelta(days=1)
    assert next_look_when_confirmed(code(), check_out=early, now=NOW) == early


@pytest.mark.parametrize("attempts", [0, 1, 2, 5, 50])
def test_pauses_between_looks_grow_and_are_short_when_a_code_is_late(attempts: int) -> None:
    """Never later than the time at which the code counts as late; every few minutes from then on."""
    late_from = late_at(code(), timedelta(minutes=15))
    assert late_from == CHECK_IN - timedelta(minutes=45)
    at = next_look(code(), attempts=attempts, late_from=late_from, now=NOW)
    assert NOW < at <= NOW + timedelta(hours=6)
    late = late_from + timedelta(minutes=1)
    assert next_look(code(), attempts=attempts, late_from=late_from, now=late) <= late + timedelta(minutes=2)
    just = late_from - timedelta(seconds=1)
    assert next_look(code(), attempts=attempts, late_from=late_from, now=just) == late_from
