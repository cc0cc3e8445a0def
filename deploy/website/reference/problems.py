"""The page of problems: everything that people are told of, from the catalogue."""

from typing import Final

from deploy.website.reference.markdown import code, page, table
from shared.domain.alerting.missed_heartbeats import MISSED_HEARTBEATS
from shared.domain.booking.problem_catalogue import PROBLEMS, ClearedBy, ProblemRow

_ENDS: Final = {
    ClearedBy.PLANNING: "the next plan or create that succeeds",
    ClearedBy.LOOK_AT_CODE: "a look at the code",
    ClearedBy.SEAM_ANSWERING: "Seam, when it answers again",
    ClearedBy.CONDITION: "the end of what it names",
}


def _row(name: str, row: ProblemRow, ended_by: str) -> tuple[str, ...]:
    stands_for = code(str(row.parent)) if row.parent and row.parent != name else ""
    return (
        f"[`{name}`](../../deploy/RUNBOOK.md#{name})",
        row.happened,
        row.next_step,
        row.actor,
        ended_by,
        stands_for,
    )


def _ended_by(name: str, row: ProblemRow) -> str:
    return "the next time that it is done" if name in MISSED_HEARTBEATS else _ENDS[row.cleared_by]


def problems_page() -> str:
    """Return the page."""
    rows = [_row(str(name), row, _ended_by(name, row)) for name, row in PROBLEMS.items()]
    return page(
        "Problems",
        "All problems that people are told of, in the words of the alerts. The name is the `reason` of a booking, the"
        " `problem` of an alert, and a section of the [runbook](../../deploy/RUNBOOK.md). A booking may also have a"
        " `reason` that isn't here: then nobody has to act.",
        table(("problem", "what happened", "next step", "who acts", "ended by", "told as part of"), rows),
    )
