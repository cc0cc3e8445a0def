"""How the way of webhooks is disturbed: lost, doubled, late, held back, out of order."""

from typing import Annotated, Self

from pydantic import Field, NonNegativeFloat, model_validator

from deploy.sandbox.door_spec import Strict
from deploy.sandbox.store import Collection, Store
from deploy.sandbox.wire import dice

Chance = Annotated[float, Field(ge=0, le=1)]
# Shuffled messages each start somewhere in this span: enough to mix what is emitted together.
SHUFFLE_SECONDS = 1.0
_KEY = "current"


class DeliverySpec(Strict):
    """Body of ``POST /sandbox/delivery``; what isn't given is off."""

    drop: Chance = 0.0
    duplicate: Chance = 0.0
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


class Mischief:
    """Draws the fate of each message."""

    def __init__(self, store: Store) -> None:
        """Go on with the disturbance that the store remembers."""
        self._kept = Collection(store, "delivery", DeliverySpec)
        self.spec = self._kept.get(_KEY) or DeliverySpec()
        self.dice = dice(self.spec.seed)

    def change(self, spec: DeliverySpec) -> None:
        """Disturb in this way from now on."""
        self.spec = spec
        self.dice = dice(spec.seed)
        self._kept.put(_KEY, spec)

    def drops(self) -> bool:
        """Whether the next message is lost."""
        return self.dice.random() < self.spec.drop

    def doubles(self) -> bool:
        """Whether the next message is sent twice."""
        return self.dice.random() < self.spec.duplicate

    def delay(self) -> float:
        """Return how many seconds the next message waits."""
        seconds = self.dice.uniform(*self.spec.delay_seconds)
        return seconds + (self.dice.uniform(0, SHUFFLE_SECONDS) if self.spec.shuffle else 0.0)
