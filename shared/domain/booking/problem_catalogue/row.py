"""What the catalogue says of one problem: its texts, who acts, what ends it, and whether it keeps the guest out."""

from dataclasses import dataclass
from enum import Enum, auto

from shared.domain.booking.problem_catalogue.reasons import Reason


class ClearedBy(Enum):
    """What ends a problem."""

    PLANNING = auto()
    """The next plan or create that succeeds, for example after the booking or the door was changed."""
    LOOK_AT_CODE = auto()
    """Another read of the code at Seam. A read found the problem, and a read that fails proves nothing."""
    SEAM_ANSWERING = auto()
    """Seam answers again: that ends the problem for every door at once."""
    CONDITION = auto()
    """The condition that the alert names is over. The problem isn't about one booking's code."""


class KeepsOut(Enum):
    """Whether a problem keeps the guest out at check-in. If it does, somebody must let the guest in by hand."""

    NOBODY = auto()
    """The problem doesn't show whether the guest can come in, or there is no guest."""
    WITHOUT_CODE = auto()
    """The guest can't come in unless the booking has a code."""
    ALSO_WITH_CODE = auto()
    """The guest may not be able to come in with the code that the booking has, either."""


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """One row: what a person reads, what is to be done next, and by whom (`ops`, `installer`, `seam`, `dormakaba`).

    - `quotes_detail`: the alert also quotes what is known of this case. False where each try words the same case
      differently.
    - `parent`: the problem that is told instead, as one alert for all bookings. While Seam is away, people get one
      alert about Seam, and none for each booking.
    - `in_the_end`: follows `next_step` while check-in is far. Near check-in the first advice is to let the guest in
      (`shared.domain.booking.advice`), and `in_the_end` is left out.
    """

    happened: str
    next_step: str
    actor: str
    quotes_detail: bool = True
    parent: Reason | None = None
    cleared_by: ClearedBy = ClearedBy.PLANNING
    keeps_out: KeepsOut = KeepsOut.NOBODY
    in_the_end: str = ""

    @property
    def steps(self) -> str:
        """What is to be done while check-in is far: `next_step`, then `in_the_end`."""
        return f"{self.next_step} {self.in_the_end}".rstrip()
