"""The match of a slot that a person chose, or why that slot can't be taken. Pure."""

from datetime import datetime

from shared.domain.door.door import Door
from shared.domain.matching.manual_choice import ChosenSlot, called
from shared.domain.matching.manual_options import NO_SUCH_SLOT, OF_A_SLOT, Choosable, choice_of
from shared.domain.matching.match import Match, MatchPolicy, Outcome
from shared.domain.stay.stay import Stay


def match_of_choice(
    choice: ChosenSlot, stay: Stay, door: Door, policy: MatchPolicy, *, otherwise: Match, now: datetime | None
) -> tuple[Match, str]:
    """Return the match of the chosen slot and an empty text; or a match without a slot, and the reason.

    `otherwise` is the stay's own match: it is returned if something is wrong with the door as a whole. Any other
    problem counts as a missing slot, so the door waits: the slot may come back. A person has decided, so no other slot
    replaces it. `now` rules out codes that would have ended already; None rules out none.
    """
    picked = choice_of(choice.slot, stay, door, policy, now=now)
    if isinstance(picked, Choosable):
        return picked.match, ""
    if otherwise.outcome not in (Outcome.MATCHED, *OF_A_SLOT):
        return otherwise, otherwise.problem
    why = "it is gone from the door" if picked == NO_SUCH_SLOT else picked.why
    problem = f"the slot {called(choice.name)}, chosen by a person, can't be used: {why}"
    refused = Match(
        outcome=Outcome.NO_SLOT, considered=otherwise.considered, time_zone=otherwise.time_zone, problem=problem
    )
    return refused, f"{problem[0].upper()}{problem[1:]}. Choose another slot, or send the booking with other times."
