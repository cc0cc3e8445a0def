"""An outcome: what a booking system is told of a booking, field by field; `docs/schemas/outcome.json` is made of it."""

from dataclasses import dataclass
from typing import Any, Final, Literal

from shared.domain.booking.record import OutcomeNotice, State

OutcomeType = Literal[
    "access-code.issued",
    "access-code.ready",
    "access-code.waiting",
    "access-code.failed",
    "access-code.cancelled",
    "access-code.ended",
]
SOURCE: Final = "/oracode-codes"

# The states that are told; all others are on the way to one of these.
PUBLISHED: Final[dict[State, OutcomeType]] = {
    State.ISSUED: "access-code.issued",
    State.READY: "access-code.ready",
    State.WAITING: "access-code.waiting",
    State.FAILED: "access-code.failed",
    State.CANCELLED: "access-code.cancelled",
    State.ENDED: "access-code.ended",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeDevice:
    """One door of the booking, or one code of a split stay. Moments are ISO 8601 with an offset."""

    device_id: str
    access_code_id: str | None
    status: str
    reason: str
    starts_at: str | None
    ends_at: str | None
    pin_changed: bool
    pin_changed_at: str | None


@dataclass(frozen=True, slots=True, kw_only=True)
class OutcomeData:
    """The `data` of an outcome: never a PIN, nothing about the guest."""

    booking_id: str
    revision: int
    state: str
    reason: str
    residual_access_until: str | None
    devices: list[OutcomeDevice]


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """The whole CloudEvent."""

    specversion: Literal["1.0"] = "1.0"
    id: str
    source: str = SOURCE
    type: str
    subject: str
    time: str
    datacontenttype: Literal["application/json"] = "application/json"
    data: OutcomeData


def cloud_event(booking_id: str, notice: OutcomeNotice) -> dict[str, Any]:
    """Return an outcome as a CloudEvents 1.0 object; its id names the booking and the place in its sequence."""
    return {
        "specversion": "1.0",
        "id": f"{booking_id}/{notice.sequence}",
        "source": SOURCE,
        "type": notice.outcome,
        "subject": booking_id,
        "time": notice.at.isoformat(),
        "datacontenttype": "application/json",
        "data": notice.body,
    }
