"""Shows a match to an operator: the booking, a drawing of the day, the reason, what to do."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

from shared.domain.door.door import Door
from shared.domain.matching.long_stays import PlannedCode
from shared.domain.matching.match import Considered, Match, Verdict
from shared.domain.matching.suggestions import Suggestion
from shared.domain.messages.message import Problem
from shared.domain.quoting import shown
from shared.domain.stay.stay import Stay
from shared.domain.stay.wall_stay import UnusableStay, WallStay, wall_stay
from shared.domain.times.wall_clock import find_zone
from shared.domain.times.wording import show_gap, show_length, show_wall
from worker.cli.drawing import Terminal, day, headed, wrap

_VERDICTS = {
    Verdict.FITS: "fits",
    Verdict.CHECK_IN_TOO_FAR: "check-in is more than 60 minutes away",
    Verdict.CHECK_OUT_TOO_FAR: "check-out is more than 60 minutes away",
    Verdict.BOTH_TOO_FAR: "both ends are more than 60 minutes away",
    Verdict.MASTER: "a master slot is never used",
    Verdict.ONE_SHOT: "a one-time slot is never used",
    Verdict.BIWEEKLY: "biweekly slots are off, or the stay is longer than 14 days",
    Verdict.NOT_DAILY: "no 24-hour slot, and a daily code is wanted",
    Verdict.TOO_LONG: "the code would have to work for more than 31 days",
    Verdict.EMPTY_WINDOW: "would end before it starts",
    Verdict.UNREADABLE: "can't be read",
    Verdict.NOT_REQUESTED: "another slot is prescribed",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """Everything that is shown of one booking; `title` is printable already."""

    title: str
    stay: Stay
    door: Door
    found: Match
    suggestions: Sequence[Suggestion]
    codes: Sequence[PlannedCode]


def show_match(answer: Answer, encoding: str) -> Iterator[str]:
    """Yield the lines of one answer, none wider than 80 columns."""
    terminal = Terminal(encoding)
    for line in _lines(answer):
        yield terminal.fit(line)


def show_invalid(problems: Iterable[Problem]) -> Iterator[str]:
    """Yield every problem of a message that can't be used."""
    yield from wrap("The booking can't be used:")
    for problem in problems:
        yield from wrap(f"- {problem}", "  ")


def _lines(answer: Answer) -> Iterator[str]:
    found, wall = answer.found, _wall(answer.stay, answer.found)
    door = shown(answer.door.name) or "a door without a name"
    yield from wrap(f"{answer.title} at {door} ({found.time_zone or 'time zone unknown'})")
    if wall is not None:
        length = show_length(wall.check_out - wall.check_in)
        times = f"{show_wall(wall.check_in)} → {show_wall(wall.check_out)}"
        yield f"{times}, {length}, {answer.stay.granularity.value}"
    yield ""
    if found.considered:
        marks = []
        if wall is not None:
            marks.append(("check-in", wall.check_in.time()))
            marks.append(("check-out", wall.check_out.time()))
        yield from day([considered.slot for considered in found.considered], marks)
        yield ""
        for considered in found.considered:
            yield from wrap(_verdict(considered, found), "  ")
        yield ""
    if answer.codes:
        yield from headed(f"✔ SPLIT INTO {len(answer.codes)} CODES", "", good=True)
        for number, code in enumerate(answer.codes, 1):
            yield from wrap(f"{number}. {code.text}", "  ")
        return
    yield from _result(found)
    if answer.suggestions:
        yield ""
        yield "What would help, smallest change first:"
        for number, suggestion in enumerate(answer.suggestions, 1):
            yield from wrap(f"{number}. {suggestion.text}", "  ")


def _wall(stay: Stay, found: Match) -> WallStay | None:
    zone = find_zone(found.time_zone) if found.time_zone is not None else None
    try:
        return wall_stay(stay, zone) if zone is not None else None
    except UnusableStay:
        return None


def _verdict(one: Considered, found: Match) -> str:
    sign = "✔" if one.verdict is Verdict.FITS else "✘"
    gaps = ""
    if one.check_in_gap is not None and one.check_out_gap is not None:
        gaps = f" (in: {show_gap(one.check_in_gap)}, out: {show_gap(one.check_out_gap)})"
    chosen = " ← this one" if one.slot is found.slot else ""
    problem = f": {one.problem}" if one.verdict is Verdict.UNREADABLE else ""
    name = shown(one.slot.name) or "(no name)"
    return f"{sign} {name}{gaps}: {_VERDICTS[one.verdict]}{shown(problem)}{chosen}"


def _result(found: Match) -> Iterator[str]:
    if found.slot is None or found.starts_at is None or found.ends_at is None:
        heading = found.outcome.value.replace("_", " ").upper()
        yield from headed(f"✘ {heading}", f": {found.problem}", good=False)
        if found.note:
            yield from wrap(shown(found.note), "  ")
        return
    name = shown(found.slot.name) or "(no name)"
    yield from headed("✔ MATCHED", f": “{name}”", good=True)
    start, end = found.starts_at.isoformat(" ", "minutes"), found.ends_at.isoformat(" ", "minutes")
    yield f"  The code works from {start} to {end}."
    yield from wrap(_effect(found), "  ")
    if found.note:
        yield from wrap(shown(found.note), "  ")


def _effect(found: Match) -> str:
    gap_in, gap_out = found.check_in_gap or timedelta(), found.check_out_gap or timedelta()
    effects = [
        f"the guest waits {show_length(gap_in)} at check-in" if gap_in > timedelta() else "",
        f"it opens {show_length(gap_in)} before check-in" if gap_in < timedelta() else "",
        f"it ends {show_length(gap_out)} before check-out" if gap_out < timedelta() else "",
        f"it works {show_length(gap_out)} after check-out" if gap_out > timedelta() else "",
    ]
    text = "; ".join(filter(None, effects)) or "exactly the booking's times"
    return text[0].upper() + text[1:] + "."
