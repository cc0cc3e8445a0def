"""The reasons, by name. Their values are stored in bookings and alerts: a value is never changed."""

from enum import StrEnum


class Reason(StrEnum):
    """Why a booking, a door or a part of this service is not as it should be. Each has a row in the catalogue.

    The `reason` of a stored booking may also be a `PlainReason`, or one that only a newer version knows.
    """

    # The stay and the door's time slots (`slots`).
    NO_SLOT = "no_slot"
    NO_SLOTS_CONFIGURED = "no_slots_configured"
    NO_TIME_ZONE = "no_time_zone"
    OFFLINE_CODES_UNSUPPORTED = "offline_codes_unsupported"
    TOO_LONG = "too_long"
    SLOT_CHANGED = "slot_changed"

    # One code at Seam (`codes`).
    REFUSED_BY_SEAM = "refused_by_seam"
    CODE_PROBLEM = "code_problem"
    CODE_GONE = "code_gone"
    LATE_SET = "late_set"
    IN_DOUBT = "in_doubt"
    WINDOW_DIFFERS = "window_differs"
    USER_LEVEL_DIFFERS = "user_level_differs"
    CHANGED_OUTSIDE = "changed_outside"
    REMOVED_OUTSIDE = "removed_outside"
    CODE_UNMANAGED = "code_unmanaged"
    PIN_CHANGED = "pin_changed"
    SAME_PIN = "same_pin"

    # A door and its guests (`doors`).
    DEVICE_NOT_FOUND = "device_not_found"
    DOOR_GONE = "door_gone"
    DOOR_TROUBLE = "door_trouble"
    DOOR_FULL = "door_full"
    NEARLY_FULL = "nearly_full"
    DOUBLE_BOOKED = "double_booked"
    RESIDUAL_OVERLAP = "residual_overlap"

    # Seam as a whole (`seam`).
    ACCOUNT_TROUBLE = "account_trouble"
    SEAM_UNAVAILABLE = "seam_unavailable"
    SEAM_UNEXPECTED = "seam_unexpected"
    SEAM_UNAUTHORIZED = "seam_unauthorized"
    WEBHOOKS_MISSING = "webhooks_missing"

    # Messages from and to booking systems (`messages`).
    INVALID_BOOKING = "invalid_booking"
    ALREADY_OVER = "already_over"
    BOOKING_PARKED = "booking_parked"
    CHANGE_PARKED = "change_parked"
    CANCELLATION_PARKED = "cancellation_parked"
    MESSAGE_PARKED = "message_parked"
    CANCELLATION_UNKNOWN = "cancellation_unknown"
    BOOKING_REFUSED = "booking_refused"
    BOOKING_REJECTED = "booking_rejected"
    BRIDGE_STUCK = "bridge_stuck"
    BOOKINGS_SILENT = "bookings_silent"
    OUTCOMES_NOT_TAKEN = "outcomes_not_taken"

    # This service and its data server (`system`).
    INTERNAL_ERROR = "internal_error"
    NEWER_VERSION_NEEDED = "newer_version_needed"
    SWEEP_SILENT = "sweep_silent"
    WEB_SILENT = "web_silent"
    PRE_ARRIVAL_SILENT = "pre_arrival_silent"
    ARRIVALS_AT_RISK = "arrivals_at_risk"
    DOORS_FILE_BROKEN = "doors_file_broken"
    LEDGER_ROLLED_BACK = "ledger_rolled_back"
    REPLICAS_MISSING = "replicas_missing"
    CLOCK_SKEW = "clock_skew"


class PlainReason(StrEnum):
    """Why a door waits although nothing is wrong. It has no row: nobody has to do anything."""

    LEAD_TIME = "lead_time"
    DOOR_BUDGET = "door_budget"
    RATE_LIMITED = "rate_limited"
    LEDGER_LOST = "ledger_lost"
