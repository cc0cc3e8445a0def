"""How a booking moves: every transition is a pure function from a booking to a `Change`.

Nobody else builds a changed `Booking`: each transition ends in `settling.settled`, which draws the verdict over all
doors and writes into the outbox what the booking system and the ops team are to be told. What is told is so decided in
the same moment as the state, and stored with it.
"""

from shared.domain.lifecycle.choosing import chooses, may_choose
from shared.domain.lifecycle.following import (
    confirms,
    drifts,
    ends,
    forgets,
    loses_code,
    pin_replaced,
    rests,
    reveals_pin,
    sees_window,
    unconfirmed,
    with_residual,
    withdraws,
    without_residual,
)
from shared.domain.lifecycle.making import intends, issues, nothing_made
from shared.domain.lifecycle.messages import Repeated, Superseded, accept, published, retried
from shared.domain.lifecycle.planning import (
    PLANNED_AGAIN,
    alters,
    fails,
    keeps,
    knows_door,
    leaves_out,
    recalls_door,
    resumes,
    retires,
    schedules,
    splits,
    stumbles,
    waits,
    wakes,
)
from shared.domain.lifecycle.settling import Facts, StaleRead, as_seen

__all__ = [
    "PLANNED_AGAIN",
    "Facts",
    "Repeated",
    "StaleRead",
    "Superseded",
    "accept",
    "alters",
    "as_seen",
    "chooses",
    "confirms",
    "drifts",
    "ends",
    "fails",
    "forgets",
    "intends",
    "issues",
    "keeps",
    "knows_door",
    "leaves_out",
    "loses_code",
    "may_choose",
    "nothing_made",
    "pin_replaced",
    "published",
    "recalls_door",
    "rests",
    "resumes",
    "retires",
    "retried",
    "reveals_pin",
    "schedules",
    "sees_window",
    "splits",
    "stumbles",
    "unconfirmed",
    "waits",
    "wakes",
    "with_residual",
    "withdraws",
    "without_residual",
]
