"""`POST /bookings/{id}/reveal`: answers a booking's PINs, read from Seam at that moment. Each reveal is recorded."""

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import partial
from typing import Any, Final

import structlog
from pydantic import SecretStr
from starlette.responses import Response
from starlette.types import Receive

from receiver.blocking_calls import BlockingCalls
from receiver.bodies import BodyReader, Headers
from receiver.booking_status import NOT_STORED
from receiver.refusals import Unavailable, json_response
from receiver.tokens import BearerTokens
from shared.clock import Clock
from shared.domain.booking import transitions
from shared.domain.booking.record import BookedDoor, Booking
from shared.ledger.bookings import BookingLedger, UnknownBooking
from shared.seam.access_codes import AccessCodes
from shared.seam.errors import SeamError

_LONGEST_NAME: Final = 80
_FIELDS: Final = frozenset({"device_ids", "by"})

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class InvalidRequest(Exception):
    """The body isn't an object with the documented fields. The text says what would be right."""


@dataclass(frozen=True, slots=True)
class RevealRequest:
    """Which doors' PINs are asked for (all of them if `device_ids` is empty), and `by` whom, for the audit."""

    device_ids: tuple[str, ...] = ()
    by: str = ""


class Reveal:
    """Answers with the PINs if every requested door has one; otherwise with the reason of each door without one."""

    def __init__(
        self,
        *,
        tokens: BearerTokens,
        bodies: BodyReader,
        ledger: BookingLedger,
        codes: AccessCodes,
        calls: BlockingCalls,
        clock: Clock,
    ) -> None:
        self._tokens = tokens
        self._bodies = bodies
        self._ledger = ledger
        self._codes = codes
        self._calls = calls
        self._clock = clock

    async def handle(self, booking_id: str, headers: Headers, receive: Receive) -> Response:
        """Answer 200 with the PINs, or 400, 404, 409. Raises InvalidToken before the body is read, and Unavailable."""
        token = self._tokens.check(headers)
        try:
            request = _request(await self._bodies.read(receive, headers))
        except InvalidRequest as error:
            return json_response(400, {"error": "invalid_request", "right": str(error)}, NOT_STORED)
        by = f"{request.by} (reveal token {token})" if request.by else f"reveal token {token}"
        return await self._calls.run(lambda: self._answer(booking_id, request.device_ids, by))

    def _answer(self, booking_id: str, device_ids: tuple[str, ...], by: str) -> Response:
        try:
            booking = self._ledger.get(booking_id)
        except UnknownBooking:
            return json_response(404, {"error": "unknown_booking"}, NOT_STORED)
        wanted = tuple(dict.fromkeys(door.device_id for door in booking.doors if door.wanted))
        missing: list[dict[str, Any]] = []
        pins: list[tuple[BookedDoor, SecretStr]] = []
        for device_id in device_ids or wanted:
            found, reason = self._of_door(booking, device_id)
            pins += found
            if not found:
                missing.append({"device_id": device_id, **reason})
        if missing or not pins:
            return json_response(409, _no_pin(booking, missing), NOT_STORED)
        # The audit entry is written before a PIN is answered.
        for door, _ in pins:
            audited = partial(transitions.record_pin_reveal, key=door.key, by=by, now=self._clock())
            booking = self._ledger.record(booking, audited)
        devices = [_shown(door, pin) for door, pin in pins]
        return json_response(200, {"booking_id": booking_id, "devices": devices}, NOT_STORED)

    def _of_door(self, booking: Booking, device_id: str) -> tuple[list[tuple[BookedDoor, SecretStr]], dict[str, str]]:
        """Return the PINs of a door (several if its stay is split), or the reason why there is none."""
        doors = [door for door in booking.doors if door.device_id == device_id and door.wanted]
        found: list[tuple[BookedDoor, SecretStr]] = []
        for door in doors:
            pin = self._pin(door)
            if pin is not None and not booking.cancelled:
                found.append((door, pin))
        if not doors:
            return [], {"reason": "not_booked"}
        if booking.cancelled:
            return [], {"state": "cancelled", "reason": "cancelled"}
        first = doors[0]
        reason = "no_pin_yet" if first.code else first.reason or "no_code_yet"
        return found, {"state": str(first.state), "reason": reason, "detail": first.detail}

    def _pin(self, door: BookedDoor) -> SecretStr | None:
        if door.code is None:
            return None
        try:
            return self._codes.pin(door.code.access_code_id)
        except SeamError as error:
            log.warning("reveal.failed", access_code_id=door.code.access_code_id, kind=type(error).__name__)
            raise Unavailable from None


def _no_pin(booking: Booking, missing: Iterable[Mapping[str, Any]]) -> dict[str, Any]:
    state, reason = str(booking.state), booking.reason
    return {
        "error": "no_pin",
        "booking_id": booking.booking_id,
        "state": state,
        "reason": reason,
        "devices": list(missing),
    }


def _shown(door: BookedDoor, pin: SecretStr) -> dict[str, Any]:
    code = door.code
    return {
        "device_id": door.device_id,
        "access_code_id": code.access_code_id if code else None,
        "code": pin.get_secret_value(),
        "starts_at": code.window.starts_at.isoformat() if code else None,
        "ends_at": code.window.ends_at.isoformat() if code else None,
    }


def _request(body: bytes) -> RevealRequest:
    """Read the optional body. Raises InvalidRequest."""
    if not body.strip():
        return RevealRequest()
    try:
        content = json.loads(body)
    except (ValueError, RecursionError):
        content = None
    if not isinstance(content, dict):
        raise InvalidRequest("send no body, or one JSON object")
    # A misspelt name, or an empty list, must not reveal the PINs of all doors.
    if not content.keys() <= _FIELDS:
        raise InvalidRequest(f"the fields are {' and '.join(sorted(_FIELDS))}; leave device_ids out for all doors")
    device_ids, by = content.get("device_ids"), content.get("by", "")
    if "device_ids" in content and not _names_doors(device_ids):
        raise InvalidRequest("device_ids is a list of Seam's device ids, at least one; leave it out for all doors")
    if not isinstance(by, str) or len(by) > _LONGEST_NAME or (by and not by.isprintable()):
        raise InvalidRequest(f"by is up to {_LONGEST_NAME} printable characters: who asks, for the audit")
    return RevealRequest(tuple(dict.fromkeys(each.strip().lower() for each in device_ids or ())), by)


def _names_doors(device_ids: Any) -> bool:
    return isinstance(device_ids, list) and bool(device_ids) and all(isinstance(each, str) for each in device_ids)
