"""The transitions: pure functions from a booking to a `Change`. Nothing else builds a changed `Booking`.

What may change a state ends in `change.change_booking`. It draws the booking's state from all doors, and adds outcomes
and alerts to the outbox. So they are decided together with the state, and stored with it.

A few functions return a `Booking`: they record facts beside another transition, in the same write (`record_door_facts`,
`record_window`, `add_residual_codes` …).
"""

from shared.domain.booking.transitions.apply_message import Repeated, Superseded, apply_message, clear_published, retry
from shared.domain.booking.transitions.change import Facts, StaleRead, as_seen
from shared.domain.booking.transitions.choose_slot import choose_slot, may_choose_slot
from shared.domain.booking.transitions.code_status import (
    add_residual_codes,
    confirm_code,
    drop_code,
    record_drift,
    record_failed_update,
    record_pin_change,
    record_pin_delivery,
    record_pin_reveal,
    record_removals,
    record_unconfirmed_code,
    record_window,
    remove_residual_codes,
    stop_polling,
)
from shared.domain.booking.transitions.create import clear_intent, record_code, record_intent
from shared.domain.booking.transitions.end_of_stay import close_door, end_stay
from shared.domain.booking.transitions.erase_personal_data import erase_personal_data
from shared.domain.booking.transitions.plan_result import (
    WITHOUT_A_CODE,
    fail,
    keep_code,
    leave_out,
    recall_door_facts,
    record_changed_window,
    record_door_facts,
    record_failed_attempt,
    resume,
    schedule,
    split_stay,
    supersede_code,
    wait,
    wake,
)
from shared.domain.booking.transitions.reissue import NotReissued, is_replaced, reissue_code, why_not_reissued

__all__ = [
    "WITHOUT_A_CODE",
    "Facts",
    "NotReissued",
    "Repeated",
    "StaleRead",
    "Superseded",
    "add_residual_codes",
    "apply_message",
    "as_seen",
    "choose_slot",
    "clear_intent",
    "clear_published",
    "close_door",
    "confirm_code",
    "drop_code",
    "end_stay",
    "erase_personal_data",
    "fail",
    "is_replaced",
    "keep_code",
    "leave_out",
    "may_choose_slot",
    "recall_door_facts",
    "record_changed_window",
    "record_code",
    "record_door_facts",
    "record_drift",
    "record_failed_attempt",
    "record_failed_update",
    "record_intent",
    "record_pin_change",
    "record_pin_delivery",
    "record_pin_reveal",
    "record_removals",
    "record_unconfirmed_code",
    "record_window",
    "reissue_code",
    "remove_residual_codes",
    "resume",
    "retry",
    "schedule",
    "split_stay",
    "stop_polling",
    "supersede_code",
    "wait",
    "wake",
    "why_not_reissued",
]
