"""Where the labels of a stay's times stand in the picture of a day, so that no line runs through one. Pure.

There are two rows above the picture. The line of a time begins below its own label and runs down from there. So a line
of the upper row may run through a label of the lower row, and never the other way round.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from receiver.console.day_picture import DayMark

DAY_MINUTES: Final = 1_440
LABEL_MINUTES: Final = 530
"""How wide a label is on the narrowest page (360 px), in minutes of the day."""


@dataclass(frozen=True, slots=True, kw_only=True)
class MarkLabel:
    """A time's label: `row` 0 is the upper one; `anchor` is SVG's `text-anchor` at the place of its line."""

    mark: DayMark
    anchor: str
    row: int = 0

    @property
    def extent(self) -> tuple[float, float]:
        """From where to where it reaches at most, in minutes of the day."""
        before = {"start": 0.0, "middle": 0.5, "end": 1.0}[self.anchor] * LABEL_MINUTES
        return self.mark.minute - before, self.mark.minute - before + LABEL_MINUTES


def labels_of(marks: Sequence[DayMark]) -> tuple[MarkLabel, ...]:
    """Return the labels of up to two times, the earlier one first; they share a row where they have the room."""
    labels = [MarkLabel(mark=mark, anchor=_anchor(mark)) for mark in sorted(marks, key=lambda it: it.minute)]
    if not labels[1:] or labels[0].extent[1] <= labels[1].extent[0]:
        return tuple(labels)
    earlier, later = labels
    if later.mark.minute <= DAY_MINUTES - LABEL_MINUTES:
        return earlier, MarkLabel(mark=later.mark, anchor="start", row=1)
    if earlier.mark.minute >= LABEL_MINUTES:
        return MarkLabel(mark=earlier.mark, anchor="end", row=1), later
    return earlier, MarkLabel(mark=later.mark, anchor=later.anchor, row=1)


def _anchor(mark: DayMark) -> str:
    """Return the anchor that keeps the label within the page."""
    if mark.minute < LABEL_MINUTES / 2:
        return "start"
    return "end" if mark.minute > DAY_MINUTES - LABEL_MINUTES / 2 else "middle"
