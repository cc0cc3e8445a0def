"""`oracode bookings check`: what each message of a file would do to the ledger as it is now. Nothing is published."""

import json
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from shared.domain.booking.own_message import rules_for
from shared.domain.booking.record import Booking
from shared.domain.booking.transitions import Repeated, Superseded, apply_message
from shared.domain.messages.far_ahead import check_not_far_ahead
from shared.domain.messages.message import (
    BookingMessage,
    InvalidMessage,
    MessageType,
    Problem,
    stay_of,
)
from shared.domain.messages.parse import parse_booking_message
from shared.domain.stay.stay import UnitRules
from shared.ledger.bookings import BookingLedger, UnknownBooking
from worker.cli.printable import printable

PARKED: Final = "parked"
# Later than any entry in the stream, because the messages would be published now, one after the other.
_AFTER_ALL_ENTRIES: Final = 10**15


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """What one message would do: `created`, `changed`, `cancelled`, `nothing` or `parked`; `why` says more."""

    number: int
    would: str
    booking_id: str | None = None
    revision: int | None = None
    why: str = ""
    problems: tuple[Problem, ...] = ()

    def as_json(self) -> str:
        """Return the finding as one JSON object."""
        problems = [{"field": one.field, "wrong": one.wrong, "right": one.right} for one in self.problems]
        found: dict[str, Any] = {
            "number": self.number,
            "booking_id": self.booking_id,
            "would": self.would,
            "revision": self.revision,
            "why": self.why,
            "problems": problems,
        }
        return json.dumps(found)

    def lines(self) -> Iterator[str]:
        """Yield the finding as lines for people."""
        would = {"nothing": "would change nothing", PARKED: "would be parked"}.get(self.would, f"would be {self.would}")
        why = f": {self.why}" if self.why else ""
        yield printable(f"message {self.number}  {self.booking_id or '(no booking)'}  {would}{why}")
        for problem in self.problems:
            yield printable(f"  {problem}")


def findings(
    texts: Iterable[str],
    ledger: BookingLedger,
    units: Mapping[str, UnitRules],
    *,
    now: datetime,
    status_words: Collection[str] = (),
) -> Iterator[Finding]:
    """Yield what each message would do if all were published now, in their order. `units` are those of DOORS_FILE.

    `status_words` are further words for "this booking stands", as `status_key` makes them.
    """
    bookings: dict[str, Booking | None] = {}
    for number, text in enumerate(texts, start=1):
        try:
            message = parse_booking_message(text, status_words)
        except InvalidMessage as invalid:
            yield Finding(number=number, would=PARKED, problems=invalid.problems, booking_id=_booking_id(text))
            continue
        if message.booking_id not in bookings:
            bookings[message.booking_id] = _known(ledger, message.booking_id)
        before = bookings[message.booking_id]
        finding, after = _judged(number, message, before, units, now)
        bookings[message.booking_id] = after
        yield finding


def _judged(
    number: int, message: BookingMessage, before: Booking | None, units: Mapping[str, UnitRules], now: datetime
) -> tuple[Finding, Booking | None]:
    """Return the finding, and the booking as it would be after the message."""
    booking_id = message.booking_id
    try:
        rules = rules_for(message, units)
        cancels = message.type is MessageType.CANCELLED
        check_not_far_ahead(None if cancels else message.check_in, now)
        change = apply_message(
            before,
            message,
            stay=None if cancels else stay_of(message, rules),
            device_ids=rules.device_ids if rules else message.device_ids,
            lead_time=rules.lead_time if rules else None,
            now=now,
            arrival=f"{_AFTER_ALL_ENTRIES}-{number}",
        )
    except InvalidMessage as invalid:
        return Finding(number=number, would=PARKED, booking_id=booking_id, problems=invalid.problems), before
    except Repeated:
        return _nothing(number, booking_id, "it was applied before"), before
    except Superseded:
        return _nothing(number, booking_id, "a newer message was applied, or this one under the same revision"), before
    after = change.booking
    if not change.is_news:
        return _nothing(number, booking_id, "it says what is known"), after
    would = "cancelled" if cancels else "changed" if before is not None else "created"
    return Finding(number=number, would=would, booking_id=booking_id, revision=after.revision), after


def _nothing(number: int, booking_id: str, why: str) -> Finding:
    return Finding(number=number, would="nothing", booking_id=booking_id, why=why)


def _known(ledger: BookingLedger, booking_id: str) -> Booking | None:
    try:
        return ledger.get(booking_id)
    except UnknownBooking:
        return None


def _booking_id(text: str) -> str | None:
    from shared.domain.messages.hints import hints_of  # noqa: PLC0415 - for what can't be read alone

    return hints_of(text).booking_id
