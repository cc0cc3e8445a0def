"""Making, changing and checking access codes: the steps that take one door of a booking forward."""

import uuid

from shared.domain.booking.planning import PlanningRules
from shared.ledger.data_loss import LedgerEpoch
from shared.ledger.known_doors import KnownDoors
from worker.assembly.doors import DoorReading
from worker.assembly.resources import Resources, settle_time
from worker.create_quota.code_limit import CodeLimitWatch
from worker.create_quota.quota import CreateQuota
from worker.create_quota.rate_limit import CreateRateLimit
from worker.handlers.advance_door import AdvanceDoor
from worker.handlers.change_code import ChangeCode
from worker.handlers.check_code import CheckCode
from worker.handlers.create_code import CreateCode
from worker.handlers.create_results import CreateResults
from worker.handlers.find_code import FindCode
from worker.handlers.plan_door import PlanDoor
from worker.handlers.resolve_create_in_doubt import ResolveCreateInDoubt
from worker.handlers.revoke_code import RevokeCode


def advance_door(using: Resources, reading: DoorReading, rules: PlanningRules) -> AdvanceDoor:
    """Assemble the use case that takes one door of a booking as far as it goes."""
    settings, ports, clock = using.settings, using.ports, using.clock
    settle = settle_time(settings)
    epoch = LedgerEpoch(ports.redis, settle=settle, clock=clock, new_id=_new_id)
    find = FindCode(ledger=ports.ledger, codes=using.codes, epoch=epoch, clock=clock)
    results = CreateResults(ledger=ports.ledger, clock=clock)
    make = CreateCode(
        ledger=ports.ledger,
        codes=using.codes,
        find=find,
        results=results,
        quota=CreateQuota(
            ledger=ports.ledger,
            rate_limit=CreateRateLimit(ports.redis, patience=settings.waiting_retry_every * 2),
            code_limit=CodeLimitWatch(ports.alerts),
        ),
        epoch=epoch,
        waiting_retry_every=settings.waiting_retry_every,
        settle=settle,
        clock=clock,
        new_id=_new_id,
    )
    revoke = RevokeCode(codes=using.codes, clock=clock)
    change = ChangeCode(ledger=ports.ledger, codes=using.codes, revoke=revoke, clock=clock)
    return AdvanceDoor(
        ledger=ports.ledger,
        plan=PlanDoor(ledger=ports.ledger, doors=reading.doors, make=make, change=change, rules=rules, clock=clock),
        resolve=ResolveCreateInDoubt(
            ledger=ports.ledger, codes=using.codes, find=find, results=results, settle=settle, clock=clock
        ),
        change=change,
        check=CheckCode(
            ledger=ports.ledger,
            codes=using.codes,
            read_door=reading.prompt.of_inherited,
            issues=ports.issues,
            late_set_after=settings.late_set_after,
            clock=clock,
        ),
        recall=KnownDoors(ports.redis, bookings_of=ports.ledger.of_door),
        clock=clock,
    )


def _new_id() -> str:
    return str(uuid.uuid4())
