"""Seam as a whole: it can't be reached, refuses the key, sends no webhooks, or reports a problem of an account."""

from collections.abc import Mapping
from typing import Final

from shared.domain.booking.problem_catalogue.reasons import Reason
from shared.domain.booking.problem_catalogue.row import ClearedBy, KeepsOut, ProblemRow

ROWS: Final[Mapping[str, ProblemRow]] = {
    Reason.ACCOUNT_TROUBLE: ProblemRow(
        "Seam reports a problem with the connected account. It concerns all doors of the account.",
        "Read Seam's words, and look at the account in Seam's console, under Connected Accounts.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.SEAM_UNAVAILABLE: ProblemRow(
        "Seam doesn't answer, or answers with errors; several calls failed.",
        "Calls are tried again automatically; look at Seam's status page if this lasts.",
        "seam",
        quotes_detail=False,
        parent=Reason.SEAM_UNAVAILABLE,
        cleared_by=ClearedBy.SEAM_ANSWERING,
        keeps_out=KeepsOut.WITHOUT_CODE,
        in_the_end="Let guests who arrive now in by hand.",
    ),
    Reason.SEAM_UNEXPECTED: ProblemRow(
        "What answers at SEAM_ENDPOINT doesn't know the call; several calls got such a 404.",
        "Check SEAM_ENDPOINT and any proxy on the way; if they are right, report it to Seam's support. Calls are tried"
        " again automatically.",
        "ops",
        cleared_by=ClearedBy.SEAM_ANSWERING,
        keeps_out=KeepsOut.WITHOUT_CODE,
        in_the_end="Let guests who arrive now in by hand.",
    ),
    Reason.SEAM_UNAUTHORIZED: ProblemRow(
        "Seam doesn't accept SEAM_API_KEY.",
        "Put a valid key into the settings and restart the worker.",
        "ops",
        quotes_detail=False,
        parent=Reason.SEAM_UNAUTHORIZED,
        cleared_by=ClearedBy.SEAM_ANSWERING,
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.WEBHOOKS_MISSING: ProblemRow(
        "Events of Seam did not come by webhook. They were fetched from Seam instead, so we learn of them late.",
        "Check the webhook in Seam's console: its address, its secret, and whether it was disabled.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
}
