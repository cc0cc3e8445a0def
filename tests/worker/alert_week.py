"""A week of a large operator, for the test that counts the messages people get: arrivals, and problems."""

import random
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Final

from shared.domain.alerting.routing import Place
from shared.domain.booking.problem_catalogue import PROBLEMS
from shared.domain.booking.record import AlertNotice

BOOKINGS: Final = 2_000
DOORS: Final = 200
DOORS_A_BUILDING: Final = 20
HOUR: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class Arrival:
    """One booking of the week."""

    booking_id: str
    door: int
    check_in: datetime
    check_out: datetime


@dataclass(frozen=True, slots=True)
class Fault:
    """One problem from its start to its end; None: it is still open at the end of the week."""

    notice: AlertNotice
    ends_at: datetime | None

    @property
    def begins_at(self) -> datetime:
        """When it begins."""
        return self.notice.at


class Week:
    """Everything that happens in a week from `starts` on; the same seed gives the same week."""

    def __init__(self, starts: datetime, seed: int = 7) -> None:
        self._random = random.Random(seed)
        self.starts = starts
        self.ends = starts + timedelta(days=7)
        self.arrivals = [self._arrival(number) for number in range(BOOKINGS)]
        self.faults = [*self._building_loses_its_slots(), *self._seam_is_away(), *self._single_failures()]

    def places(self) -> dict[str, Place]:
        """Return the building of each door."""
        return {f"door-{door}": Place(building=f"Building {door // DOORS_A_BUILDING}") for door in range(DOORS)}

    def events(self) -> list[AlertNotice]:
        """Return the notices of the week, in the order of time."""
        ends = [replace(fault.notice, at=fault.ends_at, raised=False) for fault in self.faults if fault.ends_at]
        return sorted([*(fault.notice for fault in self.faults), *ends], key=lambda notice: notice.at)

    def _arrival(self, number: int) -> Arrival:
        check_in = self.starts + timedelta(minutes=self._random.randrange(10 * 24 * 60))
        nights = timedelta(days=self._random.randint(1, 6))
        return Arrival(f"BK-{number:04}", self._random.randrange(DOORS), check_in, check_in + nights)

    def _fault(self, arrival: Arrival, problem: str, at: datetime, ends_at: datetime | None) -> Fault:
        trouble = PROBLEMS[problem]
        door = f"door-{arrival.door}"
        over = arrival.check_out if ends_at is None or ends_at > arrival.check_out else ends_at
        notice = AlertNotice(
            at=at,
            raised=True,
            key=f"booking/{arrival.booking_id}/{problem}/{door}",
            problem=problem,
            subject=f"Booking {arrival.booking_id} on {door}",
            happened=trouble.happened,
            next_step=trouble.next_step,
            actor=trouble.actor,
            look_closer=f"oracode bookings show {arrival.booking_id}",
            check_in=arrival.check_in,
            check_out=arrival.check_out,
            time_zone="Europe/Berlin",
            booking_id=arrival.booking_id,
            device_id=door,
        )
        return Fault(notice, over if over <= self.ends else None)

    def _building_loses_its_slots(self) -> Iterator[Fault]:
        """Let the installer's tool wipe twenty doors within twenty seconds, twice; a day later the slots are back."""
        for building, hours, lasts in ((3, 10, 26), (7, 82, 5)):
            begins = self.starts + hours * HOUR
            ends = begins + lasts * HOUR
            for arrival in self.arrivals:
                if arrival.door // DOORS_A_BUILDING == building and arrival.check_in > begins:
                    at = begins + timedelta(seconds=self._random.uniform(0, 20))
                    yield self._fault(arrival, "no_slots_configured", at, ends + (at - begins))

    def _seam_is_away(self) -> Iterator[Fault]:
        """Let Seam be down for an hour: a hundred bookings need it, and some creates are in doubt."""
        begins = self.starts + 62 * HOUR
        for arrival in self._random.sample([each for each in self.arrivals if each.check_in > begins], 100):
            at = begins + timedelta(seconds=self._random.uniform(20, 2_400))
            problem = "in_doubt" if self._random.random() < 0.1 else "seam_unavailable"
            ends = begins + HOUR + timedelta(seconds=self._random.uniform(1, 300))
            yield self._fault(arrival, problem, at, ends)

    def _single_failures(self) -> Iterator[Fault]:
        """Let a few problems of every kind come at any time; most end within hours, some only at check-out."""
        kinds = ("no_slot", "late_set", "code_problem", "refused_by_seam", "window_differs", "door_full")
        for arrival in self._random.sample(self.arrivals, 40):
            latest = min(arrival.check_in + 6 * HOUR, self.ends - 6 * HOUR)
            at = self.starts + self._random.random() * (latest - self.starts)
            lasts = self._random.choice((0.1, 1, 5, 30, None))
            yield self._fault(arrival, self._random.choice(kinds), at, at + lasts * HOUR if lasts else None)
