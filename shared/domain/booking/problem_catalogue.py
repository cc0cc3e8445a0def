"""The problem catalogue: which reasons need a person, what they are told, and who has to act. One row a reason.

A reason that has no row needs nobody: the booking's state alone tells it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, StrEnum, auto
from typing import Final


class Reason(StrEnum):
    """Why a booking, a door or a part of this service is not as it should be: the problems that people are told.

    A booking's `reason` may also be one that isn't here: a plain wait, or one of a newer version.
    """

    NO_SLOT = "no_slot"
    NO_SLOTS_CONFIGURED = "no_slots_configured"
    NO_TIME_ZONE = "no_time_zone"
    OFFLINE_CODES_UNSUPPORTED = "offline_codes_unsupported"
    TOO_LONG = "too_long"
    INVALID_BOOKING = "invalid_booking"
    ALREADY_OVER = "already_over"
    DEVICE_NOT_FOUND = "device_not_found"
    DOOR_GONE = "door_gone"
    DOOR_TROUBLE = "door_trouble"
    ACCOUNT_TROUBLE = "account_trouble"
    DOOR_FULL = "door_full"
    NEARLY_FULL = "nearly_full"
    INTERNAL_ERROR = "internal_error"
    REFUSED_BY_SEAM = "refused_by_seam"
    WINDOW_DIFFERS = "window_differs"
    USER_LEVEL_DIFFERS = "user_level_differs"
    CHANGED_OUTSIDE = "changed_outside"
    REMOVED_OUTSIDE = "removed_outside"
    CODE_UNMANAGED = "code_unmanaged"
    PIN_CHANGED = "pin_changed"
    SAME_PIN = "same_pin"
    SLOT_CHANGED = "slot_changed"
    WEBHOOKS_MISSING = "webhooks_missing"
    ARRIVALS_AT_RISK = "arrivals_at_risk"
    CODE_PROBLEM = "code_problem"
    CODE_GONE = "code_gone"
    LATE_SET = "late_set"
    SEAM_UNAVAILABLE = "seam_unavailable"
    SEAM_UNEXPECTED = "seam_unexpected"
    SEAM_UNAUTHORIZED = "seam_unauthorized"
    IN_DOUBT = "in_doubt"
    NEWER_VERSION_NEEDED = "newer_version_needed"
    BOOKING_PARKED = "booking_parked"
    CHANGE_PARKED = "change_parked"
    CANCELLATION_PARKED = "cancellation_parked"
    CANCELLATION_UNKNOWN = "cancellation_unknown"
    MESSAGE_PARKED = "message_parked"
    BOOKING_REFUSED = "booking_refused"
    BRIDGE_STUCK = "bridge_stuck"
    BOOKING_REJECTED = "booking_rejected"
    DOORS_FILE_BROKEN = "doors_file_broken"
    DOUBLE_BOOKED = "double_booked"
    RESIDUAL_OVERLAP = "residual_overlap"
    OUTCOMES_NOT_TAKEN = "outcomes_not_taken"
    SWEEP_SILENT = "sweep_silent"
    WEB_SILENT = "web_silent"
    BOOKINGS_SILENT = "bookings_silent"
    PRE_ARRIVAL_SILENT = "pre_arrival_silent"
    LEDGER_ROLLED_BACK = "ledger_rolled_back"
    REPLICAS_MISSING = "replicas_missing"
    CLOCK_SKEW = "clock_skew"


class PlainReason(StrEnum):
    """Why a door waits though nothing is wrong: nobody has to do anything."""

    LEAD_TIME = "lead_time"
    DOOR_BUDGET = "door_budget"
    RATE_LIMITED = "rate_limited"
    LEDGER_LOST = "ledger_lost"


def door_reasons() -> frozenset[str]:
    """Return every reason that a booking, or one of its doors, can have in an outcome."""
    of_doors = {reason for reason, row in PROBLEMS.items() if row.cleared_by is not ClearedBy.CONDITION}
    return frozenset(map(str, (*of_doors, *PlainReason)))


class ClearedBy(Enum):
    """What ends a problem."""

    PLANNING = auto()
    """The next plan or create that succeeds, for example after the booking or the door was changed."""
    LOOK_AT_CODE = auto()
    """Only another look at the code: a look at Seam found it, and a failed look proves nothing."""
    SEAM_ANSWERING = auto()
    """Seam answers again: it is over for every door at once."""
    CONDITION = auto()
    """What the alert names is over: it isn't about one booking's code."""


class KeepsOut(Enum):
    """Whether a problem keeps the guest out at check-in; then the guest has to be let in by hand."""

    NOBODY = auto()
    """The problem says nothing of that, or there is nobody to let in."""
    WITHOUT_CODE = auto()
    """The guest can't come in, unless there is a code."""
    ALSO_WITH_CODE = auto()
    """The code that there is may not open the door either."""


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """One row: what a person reads, what is to be done next, and by whom (`ops`, `installer`, `seam`, `dormakaba`).

    `quotes_detail` adds what is known of this case; not where every try brings another wording of the same. `parent` is
    the problem that is told instead, in one alert for all bookings: while Seam is away, people hear of Seam.
    `in_the_end` stands behind `next_step` while check-in is far. When it is near, letting the guest in comes first
    (`shared.domain.booking.advice`), and `in_the_end` goes.
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
        """All that is to be done, while check-in is far."""
        return f"{self.next_step} {self.in_the_end}".rstrip()


PROBLEMS: Final[Mapping[str, ProblemRow]] = {
    Reason.NO_SLOT: ProblemRow(
        "No time slot of the door is within 60 minutes of this stay's check-in and check-out.",
        "Move the stay to a slot of the door, choose one with `oracode bookings choose`, or ask the installer for one.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.NO_SLOTS_CONFIGURED: ProblemRow(
        "The door has no time slots at all, so no code can be made for anybody.",
        "Ask the dormakaba installer to set up time slots; Seam knows of them about 30 minutes later.",
        "installer",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.NO_TIME_ZONE: ProblemRow(
        "Neither the door's time slots nor the device name a time zone.",
        "Ask Seam's support to set the door's time zone.",
        "seam",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.OFFLINE_CODES_UNSUPPORTED: ProblemRow(
        "Seam says that this door can't take offline codes.",
        "Check at Seam that the door is an Oracode door whose site is approved.",
        "seam",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.TOO_LONG: ProblemRow(
        "The stay is longer than 31 days, the longest time for which an Oracode code can work.",
        "Split the stay into parts of at most 31 days, each a booking of its own.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.INVALID_BOOKING: ProblemRow(
        "The booking can't be used as it was sent.",
        "Correct it in the booking system and send it again.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.ALREADY_OVER: ProblemRow(
        "The booking came after its own check-out: no code was made.",
        "Check its dates in the booking system; if the year is wrong, correct it there and send the booking again.",
        "ops",
    ),
    Reason.DEVICE_NOT_FOUND: ProblemRow(
        "Seam knows no door with this device_id.",
        "Correct the booking's device_ids or the doors file, then retry the booking.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.DOOR_GONE: ProblemRow(
        "The door was removed at Seam, and guests are booked on it.",
        "Look in Seam's console whether the door or its site was removed, and connect it again.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.DOOR_TROUBLE: ProblemRow(
        "Seam reports a problem with the door itself.",
        "Read Seam's words, and look at the door in Seam's console.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.ACCOUNT_TROUBLE: ProblemRow(
        "Seam reports a problem with the connected account. It concerns all doors of the account.",
        "Read Seam's words, and look at the account in Seam's console, under Connected Accounts.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.DOOR_FULL: ProblemRow(
        "The lock is full: it holds as many codes as it can. The next code that ends makes room.",
        "Wait: the code is tried again automatically, nearest arrival first.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
        in_the_end="If there is no code by check-in, let the guest in by hand.",
    ),
    Reason.NEARLY_FULL: ProblemRow(
        "The lock is nearly full, and Oracode codes can't be deleted.",
        "Make codes for this door later (a shorter lead time), and make none by hand.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.INTERNAL_ERROR: ProblemRow(
        "This service itself failed, several times in a row.",
        "Look for this booking in the worker's log, and report what you find; then retry the booking.",
        "ops",
        quotes_detail=False,
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.REFUSED_BY_SEAM: ProblemRow(
        "Seam refused to make the code.",
        "Read Seam's reason, fix the cause, then retry the booking.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
        in_the_end="If that comes too late, let the guest in by hand.",
    ),
    Reason.WINDOW_DIFFERS: ProblemRow(
        "The code has other times at Seam than we asked for.",
        "Compare both times, and tell the guest when the code works.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
    ),
    Reason.USER_LEVEL_DIFFERS: ProblemRow(
        "Seam made the code for another user level of the lock than the booking was matched to.",
        "Check in the lock's configuration what that level opens.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
        keeps_out=KeepsOut.ALSO_WITH_CODE,
        in_the_end="Let the guest in by hand if need be.",
    ),
    Reason.CHANGED_OUTSIDE: ProblemRow(
        "The code isn't as it was made: its PIN or its times may be different.",
        "Find out who changed it and why, compare its times with the booking, and reveal the PIN again for the guest.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
    ),
    Reason.REMOVED_OUTSIDE: ProblemRow(
        "The code doesn't open the door any more.",
        "Put the code back at the lock. Or delete it in Seam's console: the booking then says that it is gone, and a"
        " retry makes a new one.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
        keeps_out=KeepsOut.ALSO_WITH_CODE,
        in_the_end="Let a guest who arrives before that in by hand.",
    ),
    Reason.CODE_UNMANAGED: ProblemRow(
        "Seam doesn't manage the code any more: it may open the door, but nobody watches it.",
        "Convert it back to managed in Seam's console; this alert then closes automatically.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
    ),
    Reason.PIN_CHANGED: ProblemRow(
        "Tell the guest: a new PIN. The code, or its PIN, was replaced after the old one was given out.",
        "Reveal the new PIN with `oracode codes reveal`, and give it to the guest: that closes this alert.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.SAME_PIN: ProblemRow(
        "The new code has the same PIN as the lost one: anybody who has that PIN can still come in.",
        "Move the guest to another door, or take another slot with `oracode bookings choose`: that makes another code.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.SLOT_CHANGED: ProblemRow(
        "The door's time slots were changed after this code was made.",
        "Ask the installer whether codes made before the change still open the door; else move the guest.",
        "installer",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.WEBHOOKS_MISSING: ProblemRow(
        "Events of Seam did not come by webhook. They were fetched from Seam instead, so we learn of them late.",
        "Check the webhook in Seam's console: its address, its secret, and whether it was disabled.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.ARRIVALS_AT_RISK: ProblemRow(
        "Not every arrival of the next two days has a working code.",
        "Go through them with `oracode arrivals`, the nearest first.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.CODE_PROBLEM: ProblemRow(
        "Seam reports a problem with the code.",
        "Read what Seam says, and fix what it names. This alert closes automatically once Seam takes it back; a retry"
        " only looks sooner.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
        keeps_out=KeepsOut.ALSO_WITH_CODE,
        in_the_end="Let the guest in by hand if it isn't fixed by check-in.",
    ),
    Reason.CODE_GONE: ProblemRow(
        "Seam doesn't have the code any more, although the stay isn't over.",
        "Retry the booking to have a new code made, and give it to the guest.",
        "ops",
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.LATE_SET: ProblemRow(
        "Seam should have confirmed the code by now, and hasn't.",
        "Look at the code in Seam's console.",
        "ops",
        cleared_by=ClearedBy.LOOK_AT_CODE,
        keeps_out=KeepsOut.ALSO_WITH_CODE,
        in_the_end="Let the guest in by hand if check-in comes first.",
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
    Reason.IN_DOUBT: ProblemRow(
        "A code may or may not have been made, and Seam can't be asked.",
        "Wait: this service looks the code up at Seam before it does anything else.",
        "seam",
        quotes_detail=False,
        parent=Reason.SEAM_UNAVAILABLE,
        cleared_by=ClearedBy.SEAM_ANSWERING,
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.NEWER_VERSION_NEEDED: ProblemRow(
        "Work that needs a newer version of this service has waited for minutes. No process of that version takes it.",
        "Start a worker of the newer version, or finish its roll-out. Nothing is lost meanwhile.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.BOOKING_PARKED: ProblemRow(
        "The booking's message could not be used and was put aside: no code is made from it.",
        "Read the whole message with `oracode parked show`, fix the cause, then replay it or send the booking again.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
        keeps_out=KeepsOut.WITHOUT_CODE,
    ),
    Reason.CHANGE_PARKED: ProblemRow(
        "A change of a booking could not be used and was put aside: the booking keeps its old times and doors.",
        "Read the whole message with `oracode parked show`, fix it, then replay it or send the change again; or use"
        " `oracode bookings change`, and discard the message.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
        keeps_out=KeepsOut.ALSO_WITH_CODE,
    ),
    Reason.CANCELLATION_PARKED: ProblemRow(
        "A cancellation could not be used and was put aside: nothing is cancelled, and the code stays valid.",
        "Read the whole message with `oracode parked show`. If the booking is cancelled, use `oracode bookings cancel`,"
        " and discard the message; else fix it, then replay it.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.CANCELLATION_UNKNOWN: ProblemRow(
        "A cancellation names a booking that is not known here: nothing was cancelled.",
        "Compare its id with the booking system. If it is misspelled, cancel the right booking with `oracode bookings"
        " cancel`; if its booking was never sent, there is nothing to do.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.MESSAGE_PARKED: ProblemRow(
        "Messages could not be used and were put aside.",
        "Look at them with `oracode parked list`, fix the cause, then replay or discard them.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.BOOKING_REFUSED: ProblemRow(
        "`POST /bookings` refused what a booking system sent: nothing of it is stored, and the booking is as it was.",
        "Have the booking system send it again as it should be. What can't wait, do yourself with `oracode bookings"
        " change` or `oracode bookings cancel`.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
        keeps_out=KeepsOut.ALSO_WITH_CODE,
    ),
    Reason.BRIDGE_STUCK: ProblemRow(
        "No bookings come in from RabbitMQ: fetching or storing them failed several times in a row.",
        "Look at RabbitMQ, and at the worker's log for `bridge.`; it is tried again automatically.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.BOOKING_REJECTED: ProblemRow(
        "Messages from RabbitMQ aren't JSON in UTF-8 and were put aside. Their bookings are not known here.",
        "Take them from the queue `booking-created.rejected`. Have their sender fix them and send them again.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.DOORS_FILE_BROKEN: ProblemRow(
        "DOORS_FILE was changed and can't be read. The units of the last good file are still in use.",
        "Fix the lines that are named; the file is read again automatically. Until then, don't restart any process.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.DOUBLE_BOOKED: ProblemRow(
        "The same door is booked twice for overlapping stays. Both bookings get their codes.",
        "Find out which booking is right; cancel the other in the booking system, or move it to another door.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.RESIDUAL_OVERLAP: ProblemRow(
        "A code that no booking needs any more still opens the door during another guest's stay.",
        "The code can't be taken back; it ends by itself. Give the later guest another door, or ask the earlier one to"
        " stay away. The installer can shut out a code only by setting up the lock again, which ends all its codes.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.OUTCOMES_NOT_TAKEN: ProblemRow(
        "A booking system took no outcomes for three days, so it doesn't know what became of its bookings.",
        "Fix its receiver, or its address in OUTCOME_WEBHOOK_URLS; then send them again: `oracode outcomes resend`.",
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
    Reason.BOOKINGS_SILENT: ProblemRow(
        "No booking message has arrived for longer than ALERTS_FILE allows.",
        "Check that the booking system still publishes; send one by hand with `oracode bookings publish`.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
    Reason.PRE_ARRIVAL_SILENT: ProblemRow(
        "The daily check of the coming arrivals hasn't run.",
        "Look at the worker's log for `periodic_job.`; until it runs, check the next arrivals with `oracode arrivals`.",
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
    Reason.LEDGER_ROLLED_BACK: ProblemRow(
        "Another data server became the primary, and it may lack what was written last.",
        "Have the booking system send again what it sent in that time; what is known already changes nothing. Events"
        " and codes are looked up at Seam automatically.",
        "ops",
        cleared_by=ClearedBy.CONDITION,
    ),
}


def is_cleared_by(reason: str, what: ClearedBy) -> bool:
    """Return whether `what` ends a problem of this reason; False for one that the catalogue doesn't have."""
    row = PROBLEMS.get(reason)
    return row is not None and row.cleared_by is what
