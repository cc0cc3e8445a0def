"""What a parked message is, as far as it can be read: a booking, a change, a cancellation. For people alone. Pure."""

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from shared.domain.messages.cancellations import cancellations, is_about_cancelling
from shared.domain.messages.fields import FieldReader
from shared.domain.messages.message import MessageType


class ParkedKind(StrEnum):
    """What a parked message is. `unreadable` names no booking; `event` is a webhook of Seam."""

    BOOKING = "booking"
    CHANGE = "change"
    CANCELLATION = "cancellation"
    UNREADABLE = "unreadable"
    EVENT = "event"


def kind_said(text: str) -> ParkedKind:
    """Return what a booking message says it is: `change` by its type alone. Never raises.

    Whether its booking exists, which makes a booking a change, only the ledger knows.
    """
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return ParkedKind.UNREADABLE
    if not isinstance(message, Mapping):
        return ParkedKind.UNREADABLE
    data = message.get("data")
    fields: Mapping[str, Any] = data if isinstance(data, Mapping) else message
    envelope = {name: value for name, value in message.items() if name != "data"}
    if is_about_cancelling(message.get("type")) or _says_cancelled(envelope) or _says_cancelled(fields):
        return ParkedKind.CANCELLATION
    if FieldReader().booking_id(fields) is None:
        return ParkedKind.UNREADABLE
    return ParkedKind.CHANGE if message.get("type") == MessageType.UPDATED else ParkedKind.BOOKING


def _says_cancelled(fields: Mapping[str, Any]) -> bool:
    return any(True for _ in cancellations(fields, MessageType.CREATED))
