"""The one way to make an alert's notice: from a row of the problem catalogue."""

from datetime import datetime
from typing import Any

from shared.domain.booking.problem_catalogue import PROBLEMS
from shared.domain.booking.record import AlertNotice


def alert_notice(
    problem: str,
    *,
    key: str,
    subject: str,
    at: datetime,
    raised: bool = True,
    detail: str = "",
    next_step: str = "",
    actor: str = "",
    **of_this_case: Any,
) -> AlertNotice:
    """Return the notice of a problem. `detail`, `next_step` and `actor` are of this case and go before the row's.

    `problem` is a reason of the catalogue. `of_this_case` are further fields of `AlertNotice`. Raises KeyError for a
    problem without a row.
    """
    row = PROBLEMS[problem]
    return AlertNotice(
        at=at,
        raised=raised,
        key=key,
        problem=str(problem),
        subject=subject,
        happened=f"{row.happened} {detail}".strip() if row.quotes_detail else row.happened,
        next_step=next_step or row.steps,
        actor=actor or row.actor,
        **of_this_case,
    )
