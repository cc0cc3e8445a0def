"""Which reasons need a person, what they are told, and who has to act. One row a reason; nothing else decides it.

A reason that isn't listed needs nobody: it is told by the booking's state alone.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final


@dataclass(frozen=True, slots=True)
class ProblemRow:
    """One row: what a person reads, what is to be done next, and by whom (`ops`, `installer`, `seam`, `dormakaba`).

    `quotes_detail` adds what is known of this case; not where every try brings another wording of the same.
    """

    happened: str
    next_step: str
    actor: str
    quotes_detail: bool = True


PROBLEMS: Final[Mapping[str, ProblemRow]] = {
    "no_slot": ProblemRow(
        "No time slot of the door is within 60 minutes of this stay's check-in and check-out.",
        "Move the stay to a slot of the door, choose one with `oracode bookings choose`, or ask the installer for one.",
        "ops",
    ),
    "no_slots_configured": ProblemRow(
        "The door has no time slots at all, so no code can be made for anybody.",
        "Ask the dormakaba installer to set up time slots; Seam knows of them about 30 minutes later.",
        "installer",
    ),
    "no_time_zone": ProblemRow(
        "Neither the door's time slots nor the device name a time zone.",
        "Ask Seam's support to set the door's time zone.",
        "seam",
    ),
    "offline_codes_unsupported": ProblemRow(
        "Seam says that this door can't take offline codes.",
        "Check at Seam that the door is an Oracode door whose site is approved.",
        "seam",
    ),
    "too_long": ProblemRow(
        "The stay is longer than the 31 days for which an Oracode code may live.",
        "Split the stay into parts of at most 31 days, each a booking of its own.",
        "ops",
    ),
    "invalid_booking": ProblemRow(
        "The booking can't be used as it was sent.",
        "Correct it in the booking system and send it again.",
        "ops",
    ),
    "already_over": ProblemRow(
        "The booking came after its own check-out: no code was made.",
        "Check its dates in the booking system; if the year is wrong, send it again with a higher revision.",
        "ops",
    ),
    "device_not_found": ProblemRow(
        "Seam knows no door with this device_id.",
        "Correct the booking's device_ids or the doors file, then retry the booking.",
        "ops",
    ),
    "door_gone": ProblemRow(
        "The door was removed at Seam, and guests with bookings on it are to come.",
        "Look in Seam's console whether the door, or its site, was removed, and connect it again.",
        "ops",
    ),
    "door_trouble": ProblemRow(
        "Seam reports a problem with the door itself.",
        "Read Seam's words, and look at the door in Seam's console.",
        "ops",
    ),
    "account_trouble": ProblemRow(
        "Seam reports a problem with the connected account: it is the same for all doors of the account.",
        "Read Seam's words, and look at the account in Seam's console, under Connected Accounts.",
        "ops",
    ),
    "door_full": ProblemRow(
        "The lock holds as many codes as it can; the next one that ends makes room.",
        "Nothing if check-in is far: it is tried again, nearest arrival first. Else let the guest in by hand.",
        "ops",
    ),
    "nearly_full": ProblemRow(
        "The lock is nearly full of codes, and Oracode codes can't be deleted.",
        "Make codes for it later (a shorter lead time), and don't make any by hand.",
        "ops",
    ),
    "internal_error": ProblemRow(
        "This service itself failed, again and again.",
        "Look for this booking in the worker's log and report it; then retry the booking.",
        "ops",
        quotes_detail=False,
    ),
    "refused_by_seam": ProblemRow(
        "Seam refused to make the code.",
        "Read Seam's reason, mend it, then retry the booking; or let the guest in by hand.",
        "ops",
    ),
    "window_differs": ProblemRow(
        "The code's times at Seam are others than it was asked for.",
        "Compare both times, and tell the guest when the code works.",
        "ops",
    ),
    "user_level_differs": ProblemRow(
        "Seam made the code for another user level of the lock than the booking was matched to.",
        "Check in the lock's configuration what that level opens; let the guest in by hand if need be.",
        "ops",
    ),
    "changed_outside": ProblemRow(
        "The code isn't as it was made: its PIN or its times may be others.",
        "Find out who and why, compare its times with the booking, and reveal the PIN anew for the guest.",
        "ops",
    ),
    "removed_outside": ProblemRow(
        "The code doesn't open the door any more.",
        "Put the code back at the lock, or delete it in Seam's console: the booking then says that it is gone, and a"
        " retry makes a new one. Let a guest who arrives before that in by hand.",
        "ops",
    ),
    "code_unmanaged": ProblemRow(
        "Seam doesn't manage the code any more: it may open the door, but nobody watches it.",
        "Convert it back to managed in Seam's console; it is noticed by itself.",
        "ops",
    ),
    "pin_changed": ProblemRow(
        "The PIN of a code was replaced after it was made; the guest may have the old one.",
        "Reveal the new PIN with `oracode codes reveal`, and give it to the guest: that closes this alert.",
        "ops",
    ),
    "slot_changed": ProblemRow(
        "The door's time slots were changed under a code that exists.",
        "Ask the installer whether codes made before the change still open the door; else move the guest.",
        "installer",
    ),
    "webhooks_missing": ProblemRow(
        "Events of Seam did not come by webhook; they were fetched instead, so news is late.",
        "Check the webhook in Seam's console: its address, its secret, and whether it was disabled.",
        "ops",
    ),
    "arrivals_at_risk": ProblemRow(
        "Not every arrival of the next two days has a working code.",
        "Go through them with `oracode arrivals`, the nearest first.",
        "ops",
    ),
    "code_problem": ProblemRow(
        "Seam reports a problem with the code.",
        "Read what Seam says, and mend what it names. This closes by itself once Seam takes it back; a retry only looks"
        " sooner. Let the guest in by hand if it isn't mended by check-in.",
        "ops",
    ),
    "code_gone": ProblemRow(
        "The code is gone although the stay goes on.",
        "Retry the booking to have a new code made, and give it to the guest.",
        "ops",
    ),
    "late_set": ProblemRow(
        "The code should be confirmed by now and isn't.",
        "Look at the code in Seam's console; let the guest in by hand if check-in comes first.",
        "ops",
    ),
    "seam_unavailable": ProblemRow(
        "Seam doesn't answer as it should, again and again.",
        "It is tried again by itself. Let guests who arrive now in by hand; look at Seam's status page if this lasts.",
        "seam",
        quotes_detail=False,
    ),
    "seam_unexpected": ProblemRow(
        "Seam's address answers, but not to what it was asked, again and again.",
        "Check SEAM_ENDPOINT and any proxy on the way; if they are right, report it to Seam's support. It is tried"
        " again by itself; let guests who arrive now in by hand.",
        "ops",
    ),
    "seam_unauthorized": ProblemRow(
        "Seam doesn't accept SEAM_API_KEY.",
        "Put a valid key into the settings and restart the worker.",
        "ops",
        quotes_detail=False,
    ),
    "in_doubt": ProblemRow(
        "A code may or may not have been made, and Seam can't be asked.",
        "Nothing for now: it is looked up by itself before anything else is done.",
        "seam",
        quotes_detail=False,
    ),
    "newer_version_needed": ProblemRow(
        "Work of a newer version of this service has waited for minutes, and no process of that version takes it.",
        "Start a worker of the newer version, or finish its roll-out; nothing is lost meanwhile.",
        "ops",
    ),
    "booking_parked": ProblemRow(
        "The booking's message could not be used and was put aside: no code is made for it.",
        "Read what is wrong with `oracode parked show`, mend it, then replay it or send the booking again.",
        "ops",
    ),
    "message_parked": ProblemRow(
        "Messages could not be used and were put aside.",
        "Look at them with `oracode parked list`, mend the cause, then replay or discard them.",
        "ops",
    ),
    "bridge_stuck": ProblemRow(
        "No bookings come in from RabbitMQ: again and again they can't be fetched, or not be stored.",
        "Look at RabbitMQ, and at the worker's log for `bridge.`; it is tried again by itself.",
        "ops",
    ),
    "booking_rejected": ProblemRow(
        "Messages from RabbitMQ aren't JSON in UTF-8 and were put aside, so their bookings are not known.",
        "Take them from the queue `booking-created.rejected`; their sender has something to mend, and to send again.",
        "ops",
    ),
}
