"""A switch that takes the whole API down; the control endpoints stay up."""

from typing import Literal

from deploy.sandbox.models import StrictModel
from deploy.sandbox.store import Collection, Store

_KEY = "current"


class OutageSpec(StrictModel):
    """Body of ``POST /sandbox/outage``."""

    on: bool
    kind: Literal["http_503", "disconnect"] = "http_503"


class Outage:
    """Whether the API is down, and how that looks."""

    def __init__(self, store: Store) -> None:
        """Go on as the store remembers."""
        self._kept = Collection(store, "outage", OutageSpec)
        self.spec = self._kept.get(_KEY) or OutageSpec(on=False)

    def change(self, spec: OutageSpec) -> None:
        """Switch."""
        self.spec = spec
        self._kept.put(_KEY, spec)
