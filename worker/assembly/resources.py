"""What every part of the worker is made from. Each is made once, by the composition root."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from shared.clock import Clock
from shared.ledger.rollback import LedgerPrimary
from shared.ledger.seam_call_counts import SeamCallCounts
from shared.seam.access_codes import AccessCodes
from shared.seam.client import Observe, SeamCall, SeamClient
from shared.seam_calls import observe_seam_call
from shared.settings import Settings
from worker.ports import Ports

# How much longer than one call's time-outs a create may go on at Seam before a look that finds nothing is believed.
SETTLE_MARGIN: Final = timedelta(seconds=15)


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """The settings, the ledger with what belongs to it, the client of Seam, its access codes, and the clock.

    `primary` says which data server the ledger was last written to.
    """

    settings: Settings
    ports: Ports
    seam: SeamClient
    codes: AccessCodes
    primary: LedgerPrimary
    clock: Clock


def settle_time(settings: Settings) -> timedelta:
    """Return how long after its intent a create may still be under way at Seam."""
    return settings.seam_timeout + SETTLE_MARGIN


def seam_observer(ports: Ports, clock: Clock) -> Observe:
    """Return what is told of each call to Seam: this process's metrics and traces, and the counts of all workers."""
    counts = SeamCallCounts(ports.redis, clock)

    def observe(call: SeamCall) -> None:
        observe_seam_call(call)
        counts.count(call.path, call.failure, call.seconds)

    return observe
