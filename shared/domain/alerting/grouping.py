"""Grouping: problems are told together where one action of one person mends them.

How long a group waits for more of its kind: `shared.domain.alerting.timing_policy`.
"""

from typing import Final

from shared.domain.alerting.inhibition import parent_of
from shared.domain.alerting.routing import Place
from shared.domain.booking.record import AlertNotice

# Problems of which there is one for each booking, door or account; all others stand alone.
_MANY: Final = ("booking/", "door/", "account/")


def group_of(notice: AlertNotice, place: Place) -> str:
    """Return the group's name: one kind of problem, for one who acts, in one building (where buildings are known).

    Children are in their parent's group, so that the parent is looked at when one of them opens or closes.
    """
    if parent := parent_of(notice):
        return parent.key
    if not notice.key.startswith(_MANY):
        return notice.key
    return "/".join(filter(None, (notice.problem, notice.actor, place.building)))
