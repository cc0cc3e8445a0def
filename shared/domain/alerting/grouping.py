"""Grouping: problems are told together if one action of one person solves them.

How long a group waits for more problems: `shared.domain.alerting.timing_policy`.
"""

from typing import Final

from shared.domain.alerting.inhibition import parent_of
from shared.domain.alerting.routing import Place
from shared.domain.booking.record import AlertNotice

# Problems of a booking, a door or an account: there may be many alike. Every other problem is a group of its own.
_MANY: Final = ("booking/", "door/", "account/")


def group_of(notice: AlertNotice, place: Place) -> str:
    """Return the group's name: one kind of problem, one actor, one building (if buildings are known).

    Inhibited alerts are in the group of their parent, so that the parent is updated when one of them opens or ends.
    """
    if parent := parent_of(notice):
        return parent.key
    if not notice.key.startswith(_MANY):
        return notice.key
    return "/".join(filter(None, (notice.problem, notice.actor, place.building)))
