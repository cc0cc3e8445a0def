"""Puts the facts of a line of a booking's story into words: why a slot was taken, and which call to Seam it was."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.domain.booking.record import HistoryEntry

_FITS: Final = {
    "exact": "exactly",
    "covers": "and covers the stay",
    "locks_out": "with minutes in which the code doesn't work yet, or no more",
}


def facts_of(entry: HistoryEntry) -> Iterator[str]:
    """Yield one line for each fact that a person may want to read."""
    match = entry.facts.get("match")
    if isinstance(match, Mapping):
        yield from _match_lines(match)
    request_id = entry.facts.get("request_id")
    if request_id:
        yield f"Seam's request {request_id}"


def _match_lines(match: Mapping[str, Any]) -> Iterator[str]:
    slot = match.get("slot")
    if isinstance(slot, Mapping):
        gaps = (
            f"check-in {_gap(match.get('check_in_gap_minutes'))}, check-out {_gap(match.get('check_out_gap_minutes'))}"
        )
        yield f"slot {slot.get('name')!r} fits {_FITS.get(str(match.get('fit')), '')} ({gaps})"
    for one in match.get("considered") or ():
        if isinstance(one, Mapping) and not _is_chosen(one, slot):
            verdict = "fits too" if one.get("verdict") == "fits" else str(one.get("verdict")).replace("_", " ")
            gaps = f"{_gap(one.get('check_in_gap_minutes'))}, {_gap(one.get('check_out_gap_minutes'))}"
            yield f"slot {one.get('name')!r}: {verdict} ({gaps})"


def _is_chosen(one: Mapping[str, Any], slot: Any) -> bool:
    return isinstance(slot, Mapping) and all(one.get(key) == slot.get(key) for key in ("name", "user_level_id"))


def _gap(minutes: Any) -> str:
    return f"{minutes:+g} min" if isinstance(minutes, int | float) else "?"
