"""Names that two processes share: tasks by name, so that who sends one never imports who runs it."""

from typing import Any, Final, TypeGuard

QUEUE: Final = "oracode"

APPLY_BOOKING: Final = "bookings.apply"
RECORD_EVENTS: Final = "events.record"
ADVANCE_DOOR: Final = "doors.advance"
DELIVER_ALERT: Final = "alerts.deliver"
DELIVER_OUTCOMES: Final = "outcomes.deliver"
SWEEP_DUE: Final = "sweeps.due"
RUN_PERIODIC_JOB: Final = "chores.run"
REFRESH_DOOR: Final = "doors.refresh"
REFRESH_ACCOUNT: Final = "accounts.refresh"
CHECK_CONFLICTS: Final = "doors.check_conflicts"
CHECK_REMOVALS: Final = "codes.check_removals"
RUN_OPS_COMMAND: Final = "ops.obey"
# Messages of older versions have this name.
SELF_PING: Final = "workers.hear"

OPS_STREAM: Final = "ops-commands"

BOOKING_FIELD: Final = "message"
EVENT_FIELD: Final = "event"
# The queue of the contract on RabbitMQ, where BOOKING_QUEUE_URL names one.
BOOKING_QUEUE: Final = "booking-created"
# Where messages that can't be read are kept, for their sender.
REJECTED_QUEUE: Final = f"{BOOKING_QUEUE}.rejected"

LONGEST_ID: Final = 200


def is_id(value: Any) -> TypeGuard[str]:
    """Say whether an event's id or type can be stored and shown: printable text of 1 to LONGEST_ID characters.

    Not printable are control characters, and halves of surrogate pairs, which no store can take.
    """
    return isinstance(value, str) and 0 < len(value) <= LONGEST_ID and value.isprintable()
