"""The settings that decide what is done for a door, as the plan takes them."""

from shared.domain.booking.planning import PlanningRules
from shared.settings import Settings


def planning_rules(settings: Settings) -> PlanningRules:
    """Return the rules of these settings: for the worker that plans, and for who says beforehand what it will do."""
    return PlanningRules(
        policy=settings.match_policy,
        lead_time=settings.create_lead_time,
        longest_wait=settings.waiting_retry_every,
        splits=settings.long_stays == "split",
    )
