"""Outcomes with PINs, for OUTCOME_PIN: read from Seam at the moment of sending, and kept nowhere.

The outcome in the queue is the published one, without a PIN. Each try reads the PIN anew.
"""

import json
from collections.abc import Mapping
from copy import deepcopy
from functools import partial
from typing import Any, Final

from pydantic import SecretStr

from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.record import BookedDoor, Booking, HistoryEntry, State
from shared.ledger.bookings import BookingLedger, UnknownBooking
from shared.seam.access_codes import AccessCodes
from shared.seam.errors import SeamError
from worker.alerts.channel import NotDelivered
from worker.outcomes.delivery import Prepared

_WITH_PIN: Final = (State.ISSUED, State.READY)


class WithPins:
    """Makes the body of a POST with `devices[].code`: the PIN of a code that is still the booking's, else null."""

    def __init__(self, *, ledger: BookingLedger, codes: AccessCodes, clock: Clock) -> None:
        self._ledger = ledger
        self._codes = codes
        self._clock = clock

    def __call__(self, receiver: str, event: Mapping[str, Any]) -> Prepared:
        """Return the body, and the call that notes that it was taken. The story first says to whom a PIN is sent.

        Raises NotDelivered where Seam can't be asked now: the outcome is tried again.
        """
        told = deepcopy(dict(event))
        booking = self._booking(told["subject"])
        shown: list[BookedDoor] = []
        for device in told["data"]["devices"]:
            door = _door_of(booking, device) if booking is not None else None
            pin = self._pin(door) if door is not None else None
            device["code"] = pin.get_secret_value() if pin is not None else None
            if door is not None and pin is not None:
                shown.append(door)
        if booking is not None:
            self._note_sent(booking, shown, receiver, told["id"])
        return json.dumps(told).encode(), partial(self._note_taken, booking, tuple(shown), receiver)

    def _booking(self, booking_id: str) -> Booking | None:
        try:
            return self._ledger.get(booking_id)
        except UnknownBooking:
            return None

    def _pin(self, door: BookedDoor) -> SecretStr | None:
        if door.code is None:
            return None
        try:
            return self._codes.pin(door.code.access_code_id)
        except SeamError as error:
            raise NotDelivered(f"the PIN can't be read from Seam: {type(error).__name__}") from None

    def _note_sent(self, booking: Booking, doors: list[BookedDoor], receiver: str, outcome_id: str) -> None:
        for door in doors:
            code = door.code.access_code_id if door.code else ""
            text = f"{receiver} is sent the PIN of access code {code}, with outcome {outcome_id}."
            entry = HistoryEntry(at=self._clock(), what="pin.revealed", text=text, device_id=door.device_id)
            self._ledger.note(booking.booking_id, entry)

    def _note_taken(self, booking: Booking | None, doors: tuple[BookedDoor, ...], receiver: str) -> None:
        for door in doors:
            if booking is None or door.code is None:
                continue
            try:
                booking = self._ledger.record(
                    booking,
                    partial(
                        transitions.record_pin_delivery,
                        key=door.key,
                        access_code_id=door.code.access_code_id,
                        to=receiver,
                        now=self._clock(),
                    ),
                )
            except (UnknownBooking, KeyError):
                return


def _door_of(booking: Booking, device: Mapping[str, Any]) -> BookedDoor | None:
    """Return the door that an outcome's device is about, where its code is still the one that opens it."""
    if booking.cancelled or device["status"] not in _WITH_PIN:
        return None
    for door in booking.doors:
        if door.wanted and door.code is not None and door.code.access_code_id == device["access_code_id"]:
            return door
    return None
