"""What every part of the worker is made from. Each is made once, by the composition root."""

from dataclasses import dataclass

from shared.clock import Clock
from shared.seam.access_codes import AccessCodes
from shared.seam.client import SeamClient
from shared.settings import Settings
from worker.ports import Ports


@dataclass(frozen=True, slots=True, kw_only=True)
class Resources:
    """The settings, the ledger with what belongs to it, the client of Seam, its access codes, and the clock."""

    settings: Settings
    ports: Ports
    seam: SeamClient
    codes: AccessCodes
    clock: Clock
