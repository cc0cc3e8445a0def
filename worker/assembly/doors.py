"""Reading doors and accounts: on a schedule, when an event asks for it, and before a door is planned."""

from dataclasses import dataclass

from shared.domain.booking.planning import PlanningRules
from shared.domain.booking.slot_drift import drift_of
from shared.domain.door.door import Door
from shared.ledger.prompted_readings import PromptedReadings
from shared.seam.accounts import Accounts
from shared.seam.doors import Doors
from worker.assembly.resources import Resources
from worker.handlers.door_changed import DoorChanged
from worker.handlers.door_problem_alerts import DoorProblemAlerts
from worker.handlers.prompt_readings import PromptReadings
from worker.handlers.refresh_account import RefreshAccount
from worker.handlers.refresh_doors import ReadDoorsSooner, RefreshDoors


@dataclass(frozen=True, slots=True, kw_only=True)
class DoorReading:
    """All that reads doors and accounts at Seam."""

    doors: Doors
    prompt: PromptReadings
    refresh: RefreshDoors
    refresh_account: RefreshAccount


def door_reading(using: Resources, rules: PlanningRules) -> DoorReading:
    """Assemble the readers, and what a change or a problem of a door sets going."""
    settings, ports, clock = using.settings, using.ports, using.clock
    readings = PromptedReadings(ports.redis, due=ports.due, clock=clock, at_most_every=settings.door_cache_for)
    prompt = PromptReadings(ledger=ports.ledger, issues=ports.issues, readings=readings)
    troubles = DoorProblemAlerts(
        ledger=ports.ledger, alerts=ports.alerts, issues=ports.issues, due=ports.due, clock=clock
    )
    doors = _doors(using, rules, prompt)
    return DoorReading(
        doors=doors,
        prompt=prompt,
        refresh=RefreshDoors(
            ledger=ports.ledger,
            due=ports.due,
            doors=doors,
            issues=ports.issues,
            readings=readings,
            troubles=troubles,
            every=settings.door_refresh_every,
            clock=clock,
        ),
        refresh_account=RefreshAccount(
            accounts=Accounts(using.seam),
            issues=ports.issues,
            readings=readings,
            troubles=troubles,
            every=settings.door_refresh_every,
            clock=clock,
        ),
    )


def _doors(using: Resources, rules: PlanningRules, prompt: PromptReadings) -> Doors:
    """Return Seam's doors. A door that changed wakes the bookings that wait for it."""
    settings, ports, clock = using.settings, using.ports, using.clock
    wake = DoorChanged(
        ledger=ports.ledger,
        drift_of=lambda booking, booked, door: drift_of(booked, rules.plan(booking, booked, door, clock())),
        clock=clock,
    )
    hurry = ReadDoorsSooner(ledger=ports.ledger, due=ports.due, beats=ports.beats, clock=clock)

    def door_changed(door: Door) -> None:
        wake(door)
        hurry(door)

    return Doors(
        using.seam,
        ports.redis,
        issues=ports.issues,
        cache_for=settings.door_cache_for,
        remember_for=settings.retention,
        changed=door_changed,
        troubled=prompt.of_troubled,
        clock=clock,
    )
