"""Which channels hear of a problem: by how much it hurries, its kind, and the door that it is about."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from shared.domain.alerting.severity import Severity
from shared.domain.booking.record import AlertNotice


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """What is known of where a door is: the units it belongs to, their tags, their building."""

    units: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    building: str = ""


NOWHERE: Final = Place()


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route: a problem that fits every condition goes to all of `channels`. An empty condition fits everything."""

    channels: tuple[str, ...]
    severity: Severity = Severity.INFO
    problems: frozenset[str] = frozenset()
    devices: frozenset[str] = frozenset()
    units: frozenset[str] = frozenset()
    tags: frozenset[str] = frozenset()
    buildings: frozenset[str] = frozenset()

    def is_about(self, notice: AlertNotice, place: Place) -> bool:
        """Say whether it is for this problem, however much that hurries."""
        return (
            (not self.problems or notice.problem in self.problems)
            and (not self.devices or notice.device_id in self.devices)
            and (not self.units or bool(self.units & place.units))
            and (not self.tags or bool(self.tags & place.tags))
            and (not self.buildings or place.building in self.buildings)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Routing:
    """All channels and the routes to them; without any route everything goes to every channel."""

    channels: tuple[str, ...] = ()
    routes: tuple[Route, ...] = ()
    fallback: str = ""
    places: Mapping[str, Place] = field(default_factory=dict)

    def place_of(self, notice: AlertNotice) -> Place:
        """Return where the problem's door is."""
        return self.places.get(notice.device_id, NOWHERE)

    def channels_for(self, notice: AlertNotice, level: Severity) -> tuple[str, ...]:
        """Return the channels that hear of it at this level, in their order.

        What no route is about goes to the fallback channel, else to all: a gap in the routes is no reason for silence.
        What a route is about, at higher levels only, is for nobody yet: that was asked for.
        """
        if not self.routes:
            return self.channels
        place = self.place_of(notice)
        about = [route for route in self.routes if route.is_about(notice, place)]
        if not about:
            return (self.fallback,) if self.fallback else self.channels
        wanted = {name for route in about if level.rank >= route.severity.rank for name in route.channels}
        return tuple(name for name in self.channels if name in wanted)
