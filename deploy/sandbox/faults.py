"""Faults: how the next calls go wrong, and which calls those are.

``*_before`` means that the call had no effect; ``*_after`` that it had, but the caller doesn't get to know.
``unknown_endpoint`` answers as if Seam didn't have the endpoint.
"""

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from fnmatch import fnmatchcase
from itertools import count

from pydantic import Field, NonNegativeFloat, PositiveInt

from deploy.sandbox.models import Probability, StrictModel
from deploy.sandbox.randomness import random_source
from deploy.sandbox.store import Collection, Store

ALERTS_PREFIX = "alerts."


class Kind(StrEnum):
    """What the caller experiences."""

    REFUSE = "refuse"
    ERROR_BEFORE = "error_before"
    ERROR_AFTER = "error_after"
    TIMEOUT_BEFORE = "timeout_before"
    TIMEOUT_AFTER = "timeout_after"
    DISCONNECT_BEFORE = "disconnect_before"
    DISCONNECT_AFTER = "disconnect_after"
    RATE_LIMIT = "rate_limit"
    GARBAGE = "garbage"
    SLOW = "slow"
    HTML_502 = "html_502"
    TRUNCATED = "truncated"
    STALE_LIST = "stale_list"
    UNKNOWN_ENDPOINT = "unknown_endpoint"

    @property
    def has_effect(self) -> bool:
        """Whether the call is carried out all the same."""
        return self in _WITH_EFFECT


_WITH_EFFECT = frozenset(
    {
        Kind.ERROR_AFTER,
        Kind.TIMEOUT_AFTER,
        Kind.DISCONNECT_AFTER,
        Kind.GARBAGE,
        Kind.TRUNCATED,
        Kind.SLOW,
        Kind.STALE_LIST,
    }
)


class FaultSpec(StrictModel):
    """Body of ``POST /sandbox/faults``; `operation` may hold ``*``: alone it is all of the API."""

    operation: str = Field(min_length=1)
    kind: Kind
    times: PositiveInt | None = 1
    device_id: str | None = None
    name_prefix: str | None = None
    probability: Probability = 1.0
    seed: int | None = None
    status: int | None = Field(default=None, ge=200, le=599)
    error_type: str | None = None
    message: str | None = None
    retry_after: NonNegativeFloat | None = None
    seconds: NonNegativeFloat | None = None


@dataclass(frozen=True, slots=True)
class Target:
    """What a call is about: the door, and the code's name or the text searched for."""

    operation: str
    device_id: str | None = None
    name: str | None = None


@dataclass(frozen=True, slots=True)
class Fault:
    """A fault that is in place, and how often it has fired."""

    fault_id: str
    spec: FaultSpec
    fired: int = 0

    @property
    def is_spent(self) -> bool:
        """Whether it has fired as often as it should."""
        return self.spec.times is not None and self.fired >= self.spec.times

    def concerns(self, target: Target) -> bool:
        """Whether a call is one of those that go wrong."""
        spec = self.spec
        if spec.operation == "*":
            fits = not target.operation.startswith(ALERTS_PREFIX)
        else:
            fits = fnmatchcase(target.operation, spec.operation)
        if spec.device_id is not None:
            fits = fits and target.device_id == spec.device_id
        if spec.name_prefix is not None:
            fits = fits and (target.name or "").startswith(spec.name_prefix)
        return fits


class Faults:
    """The faults in the order in which they were set; the first that fits fires."""

    def __init__(self, store: Store) -> None:
        """Load the faults."""
        self._kept = Collection(store, "faults", Fault)
        self._random = {fault.fault_id: random_source(fault.spec.seed) for fault in self._kept.values()}
        taken = (int(fault.fault_id.removeprefix("fault_")) for fault in self._kept.values())
        self._numbers = count(max(taken, default=0) + 1)

    def __iter__(self) -> Iterator[Fault]:
        return iter(self._kept.values())

    def add(self, spec: FaultSpec) -> Fault:
        """Set a fault."""
        fault = Fault(f"fault_{next(self._numbers)}", spec)
        self._random[fault.fault_id] = random_source(spec.seed)
        self._kept.put(fault.fault_id, fault)
        return fault

    def find(self, fault_id: str) -> Fault | None:
        """Return one fault."""
        return self._kept.get(fault_id)

    def remove(self, fault_id: str) -> None:
        """Take a fault away."""
        self._kept.remove(fault_id)

    def fire(self, target: Target) -> Fault | None:
        """Return the fault that applies to this call, and count it."""
        if not len(self._kept):
            return None
        for fault in self._kept.values():
            if fault.is_spent or not fault.concerns(target):
                continue
            if self._random[fault.fault_id].random() < fault.spec.probability:
                fired = Fault(fault.fault_id, fault.spec, fault.fired + 1)
                self._kept.put(fault.fault_id, fired)
                return fired
        return None
