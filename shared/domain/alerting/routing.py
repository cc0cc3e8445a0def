"""Which channels are told of a problem: by its severity, its kind, and its door."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.domain.alerting.severity import Severity
from shared.domain.booking.record import AlertNotice


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a door is, as far as known: its units, their tags, their building."""

    units: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    building: str = ""


NOWHERE: Final = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route: a problem that meets every condition goes to all of `channels`. An empty condition is always met."""

    channels: tuple[str, ...]
    severity: Severity = Severity.INFO
    problems: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    buildings: frozenset[str] = frozenset()

    def is_about(self, notice: AlertNotice, place: Place) -> bool:
        """Say whether the route is for this problem, at any severity."""
        return (
            (not self.problems or notice.problem in self.problems)
            and (not self.devices or notice.device_id in self.devices)
            and (not self.units or bool(self.units & place.units))
            and (not self.tags or bool(self.tags & place.tags))
            and (not self.buildings or place.building in self.buildings)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """All channels and the routes to them; without routes everything goes to every channel."""

    channels: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    fallback: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)

    def place_of(self, notice: AlertNotice) -> Place:
        """Return the place of the problem's door."""
        return self.places.get(notice.device_id, NOWHERE)

    def channels_for(self, notice: AlertNotice, level: Severity) -> tuple[str, ...]:
        """Return the channels that are told of it at this level, in their order.

        A problem without a route goes to the fallback channel, or to all channels if there is none: a gap in the routes
        must not hide it. A problem with routes for higher levels only goes to nobody yet: the routes say so.
        """
        if not self.routes:
            return self.channels
        place = self.place_of(notice)
        about = [route for route in self.routes if route.is_about(notice, place)]
        if not about:
            return (self.fallback,) if self.fallback else self.channels
        wanted = {name for route in about if level.rank >= route.severity.rank for name in route.channels}
        return tuple(name for name in self.channels if name in wanted)
