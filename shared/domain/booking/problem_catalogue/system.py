"""Our own processes and the data server: a process, a job, a clock or a replica fails to do its part."""

from collections.abc import Mapping
from typing import Final

from shared.domain.booking.problem_catalogue.reasons import Reason
from shared.domain.booking.problem_catalogue.row import ClearedBy, KeepsOut, ProblemRow

ROWS: Final[Mapping[str, ProblemRow]] = {
    Reason.INTERNAL_ERROR: ProblemRow(
        "This service itself failed, several times in a row.",
        "Look for this booking in the worker's log, and report what you find; then retry the booking.",
        "ops",
        quotes_detail=False,
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.NEWER_VERSION_NEEDED: ProblemRow(
        "Work that needs a newer version of this service has waited for minutes. No process of that version takes it.",
        "Start a worker of the newer version, or finish its roll-out. Nothing is lost meanwhile.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.SWEEP_SILENT: ProblemRow(
        "What is due isn't started: no retries, no codes for later check-ins, no check-outs.",
        "Start `beat`, or look at its log; `oracode doctor` says how much is overdue.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.WEB_SILENT: ProblemRow(
        "No `web` is alive: webhooks of Seam and bookings by HTTP are refused.",
        "Start `web`, or look at its log. Seam sends its webhooks again for a day, and missed events are fetched.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.PRE_ARRIVAL_SILENT: ProblemRow(
        "The daily check of the coming arrivals hasn't run.",
        "Look at the worker's log for `periodic_job.`; until it runs, check the next arrivals with `oracode arrivals`.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.ARRIVALS_AT_RISK: ProblemRow(
        "Not every arrival of the next two days has a working code.",
        "Go through them with `oracode arrivals`, the nearest first.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.DOORS_FILE_BROKEN: ProblemRow(
        "DOORS_FILE was changed and can't be read. The units of the last good file are still in use.",
        "Fix the lines that are named; the file is read again automatically. Until then, don't restart any process.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.LEDGER_ROLLED_BACK: ProblemRow(
        "Another data server became the primary, or a backup was restored: what was written last may be missing.",
        "Have the booking system send again what it sent in that time; what is known already changes nothing. Events"
        " and codes are looked up at Seam automatically.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.REPLICAS_MISSING: ProblemRow(
        "Too few replicas of the data server are in step: webhooks and bookings are refused, and no code is made.",
        "Start the replica that is away, or fix its link to the primary. Then all goes on automatically.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.CLOCK_SKEW: ProblemRow(
        "A clock is more than 30 seconds away from the data server's.",
        "Have its machine keep time (`timedatectl` must say synchronized). Where all clocks are off by as much, it is"
        " the data server's that is wrong.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
}
