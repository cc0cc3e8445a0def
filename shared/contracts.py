"""Names that two processes share: tasks by name, so that who sends one never imports who runs it."""

from typing import Final

QUEUE: Final = "oracode"

APPLY_BOOKING: Final = "bookings.apply"
RECORD_EVENTS: Final = "events.record"
ADVANCE_DOOR: Final = "doors.advance"
DELIVER_ALERT: Final = "alerts.deliver"
SWEEP_DUE: Final = "sweeps.due"

BOOKING_FIELD: Final = "message"
EVENT_FIELD: Final = "event"
