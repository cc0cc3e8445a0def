"""Faults of webhook delivery: messages lost, duplicated, late, held back, out of order."""

from typing import Self

from pydantic import NonNegativeFloat, model_validator

from deploy.sandbox.models import Probability, StrictModel
from deploy.sandbox.randomness import random_source
from deploy.sandbox.store import Collection, Store

# Shuffled messages each start somewhere in this span: enough to mix what is emitted together.
SHUFFLE_SECONDS = 1.0
_KEY = "current"


class DeliverySpec(StrictModel):
    """Body of ``POST /sandbox/delivery``; what isn't given is off."""

    drop: Probability = 0.0
    duplicate: Probability = 0.0
    delay_seconds: tuple[NonNegativeFloat, NonNegativeFloat] = (0.0, 0.0)
    hold: bool = False
    shuffle: bool = False
    seed: int | None = None

    @model_validator(mode="after")
    def _ordered(self) -> Self:
        low, high = self.delay_seconds
        if low > high:
            raise ValueError("delay_seconds: the lower bound comes first")
        return self


class DeliveryFaults:
    """Decides for each message what goes wrong with its delivery."""

    def __init__(self, store: Store) -> None:
        """Load the faults that were set before a restart."""
        self._kept = Collection(store, "delivery", DeliverySpec)
        self.spec = self._kept.get(_KEY) or DeliverySpec()
        self.random = random_source(self.spec.seed)

    def change(self, spec: DeliverySpec) -> None:
        """Replace the faults."""
        self.spec = spec
        self.random = random_source(spec.seed)
        self._kept.put(_KEY, spec)

    def drops(self) -> bool:
        """Whether the next message is lost."""
        return self.random.random() < self.spec.drop

    def doubles(self) -> bool:
        """Whether the next message is sent twice."""
        return self.random.random() < self.spec.duplicate

    def delay(self) -> float:
        """Return how many seconds the next message waits."""
        seconds = self.random.uniform(*self.spec.delay_seconds)
        return seconds + (self.random.uniform(0, SHUFFLE_SECONDS) if self.spec.shuffle else 0.0)
