"""What is kept of a message that `POST /bookings` refused: its booking, the check-in, and the problems. Pure.

Nothing else of it is kept. Quotations in a problem may be about the guest, or a PIN, so they are left out. Only an
unknown unit is kept, because people need it to find the cause.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from shared.domain.masking import mask_digits
from shared.domain.messages.cancellations import HOW_TO_CANCEL
from shared.domain.messages.hints import hints_of
from shared.domain.messages.message import Problem
from shared.domain.messages.near_misses import OUR_FIELDS
from shared.domain.messages.parked_causes import unit_of, without_quotes
from shared.domain.messages.parked_kind import ParkedKind, kind_said

_MOST_PROBLEMS: Final = 5
_LONGEST_PROBLEM: Final = 240
_LONGEST_FIELD: Final = 40
_PLACE: Final = re.compile(r"\bat (?:byte|line) .*?(?=;|$)")


@dataclass(frozen=True, slots=True, kw_only=True)
class Refused:
    """A refused message. `booking_id` is "" if it names none. The same message again gives an equal value.

    `check_in` and `wall_check_in` are those of its `Hints`, None where they can't be read.
    """

    booking_id: str
    kind: ParkedKind
    problems: tuple[str, ...]
    check_in: datetime | None = None
    wall_check_in: datetime | None = None


def refused_message(text: str, problems: Iterable[Problem]) -> Refused:
    """Return what is kept of a refused message. Never raises."""
    # If it is a cancellation, that comes first: the other problems matter less.
    problems = sorted(problems, key=lambda problem: not problem.right.startswith(HOW_TO_CANCEL))
    kept = [_kept(problem) for problem in problems[:_MOST_PROBLEMS]]
    # A problem may also be that a header says so.
    cancels = any(problem.right.startswith(HOW_TO_CANCEL) for problem in problems)
    hints = hints_of(text)
    return Refused(
        booking_id=hints.booking_id or "",
        kind=ParkedKind.CANCELLATION if cancels else kind_said(text),
        problems=tuple(dict.fromkeys(kept)),
        check_in=hints.check_in,
        wall_check_in=hints.wall_check_in,
    )


def _kept(problem: Problem) -> str:
    whole = str(problem)
    if unit_of([whole]) is not None:
        return whole
    is_ours = problem.field.partition("[")[0] in OUR_FIELDS
    field = problem.field if is_ours else mask_digits(problem.field[:_LONGEST_FIELD])
    wrong = _PLACE.sub("somewhere", without_quotes(problem.wrong))
    text = str(Problem(field, wrong, without_quotes(problem.right)))
    return text if len(text) <= _LONGEST_PROBLEM else f"{text[: _LONGEST_PROBLEM - 1]}…"
