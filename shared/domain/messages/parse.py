"""Untrusted booking messages turned into `BookingMessage`, or refused with every fault named.

A message is a CloudEvents 1.0 envelope in structured mode, or its `data` object alone. Unknown fields are ignored:
booking systems may say more than is needed here. But a message is refused if an unknown field could have been meant for
a known one, says that the booking is cancelled, or says what state it is in with a word that isn't known.
"""

from collections.abc import Collection, Mapping
from typing import Any, Final

from shared.domain.messages.cancellations import HOW_TO_CANCEL, cancellations, is_about_cancelling
from shared.domain.messages.fields import LONGEST_SOURCE, FieldReader
from shared.domain.messages.json_object import hash_of, load_object
from shared.domain.messages.message import CHECK_OUT_NOT_AFTER_CHECK_IN, BookingMessage, InvalidMessage, MessageType
from shared.domain.messages.near_misses import near_misses
from shared.domain.messages.unknown_statuses import unknown_statuses
from shared.domain.quoting import quoted
from shared.domain.stay.stay import in_order

# Only an envelope has these fields: a message with any of them is one.
ENVELOPE_MARKS: Final = ("data", "specversion", "data_base64")
_ENVELOPE: Final = ("specversion", "id", "source", "type", "time", "data", "data_base64")
# Used if the type can't be read: the other fields are then checked as those of a booking.
_ANY: Final = MessageType.CREATED


def parse_booking_message(raw: str | bytes | Mapping[str, Any], own_words: Collection[str] = ()) -> BookingMessage:
    """Read one message; raise InvalidMessage with every problem found, never anything else.

    `own_words` are words of the booking system that say that a booking stands, by `status_key`.

    A bare `data` object gets the source "" and, as its id, a hash of its canonical content. So the same object again is
    the same message, even if its keys come in another order.
    """
    fields = FieldReader()
    content = load_object(raw)
    if _is_envelope(content):
        # It may be empty, to cancel a booking that came by bare messages: those have no source.
        source = fields.text(content, "source", required=True, longest=LONGEST_SOURCE, may_be_empty=True)
        message_id = fields.text(content, "id", required=True, longest=LONGEST_SOURCE)
        kind = _message_type(content, fields)
        _check_specversion(content, fields)
        body = _data_of(content, fields)
        beside = {name: value for name, value in content.items() if name not in _ENVELOPE}
        fields.problems.extend(cancellations(beside, kind or _ANY))
        fields.problems.extend(unknown_statuses(beside, kind or _ANY, own_words))
    else:
        source, message_id, kind, body = "", hash_of(content), MessageType.CREATED, content
        if content.get("type") == MessageType.UPDATED:
            right = "wrap the booking as the data of a CloudEvents envelope, where type stands"
            fields.note("type", f"{quoted(content['type'])} stands beside the booking's fields", right)
    if body is None:  # without data there are no fields to name
        raise InvalidMessage(tuple(fields.problems))
    # If the type is unknown, that problem is enough.
    if kind is not None:
        fields.problems.extend((*cancellations(body, kind), *unknown_statuses(body, kind, own_words)))
        fields.problems.extend(near_misses(body, kind))
    return _read(body, source or "", message_id or "", kind or _ANY, fields)


def _read(
    body: Mapping[str, Any], source: str, message_id: str, kind: MessageType, fields: FieldReader
) -> BookingMessage:
    needs_stay = kind is not MessageType.CANCELLED
    booking_id = fields.booking_id(body)
    revision = fields.revision(body)
    device_ids = fields.device_ids(body)
    unit = fields.text(body, "unit")
    if device_ids is not None and body.get("unit") is not None:
        fields.note("unit", "is given beside device_ids", "give device_ids or unit, not both")
    if needs_stay and body.get("device_ids") is None and body.get("unit") is None:
        fields.note("device_ids", "is missing, and so is unit", "give a list of Seam device ids, or a unit")
    zone = fields.zone(body)
    check_in = fields.time(body, "check_in", zone, required=needs_stay)
    check_out = fields.time(body, "check_out", zone, required=needs_stay)
    if check_in is not None and check_out is not None and not in_order(check_in, check_out):
        fields.problems.append(CHECK_OUT_NOT_AFTER_CHECK_IN)
    granularity = fields.granularity(body)
    slot = fields.text(body, "slot")
    label = fields.label(body)
    fields.raise_if_any()
    return BookingMessage(
        source=source,
        message_id=message_id,
        type=kind,
        booking_id=booking_id or "",
        revision=revision,
        device_ids=device_ids or (),
        unit=unit,
        check_in=check_in,
        check_out=check_out,
        granularity=granularity,
        slot=slot,
        label=label or None,
    )


def _is_envelope(content: Mapping[str, Any]) -> bool:
    return any(name in content for name in ENVELOPE_MARKS)


def _message_type(content: Mapping[str, Any], fields: FieldReader) -> MessageType | None:
    kind = content.get("type")
    if isinstance(kind, str) and kind in tuple(MessageType):
        return MessageType(kind)
    wrong = "is missing" if kind is None else f"{quoted(kind)} is not known"
    right = HOW_TO_CANCEL if is_about_cancelling(kind) else f"give {', '.join(MessageType)}"
    fields.note("type", wrong, right)
    return None


def _check_specversion(content: Mapping[str, Any], fields: FieldReader) -> None:
    """Accept any version 1.x, and a missing one: nothing here depends on it, and senders forget it."""
    version = content.get("specversion")
    if version is None or (isinstance(version, int | float) and not isinstance(version, bool) and version == 1):
        return
    if not (isinstance(version, str) and (version == "1" or version.startswith("1."))):
        fields.note("specversion", f"{quoted(version)} is not a version read here", "give 1.0")


def _data_of(content: Mapping[str, Any], fields: FieldReader) -> Mapping[str, Any] | None:
    body = content.get("data")
    if isinstance(body, dict):
        return body
    right = "give the booking as a JSON object"
    if body is None:
        binary = content.get("data_base64") is not None
        fields.note("data", "is in data_base64" if binary else "is missing", right)
    else:
        fields.note("data", f"{quoted(body)} is not an object", right)
    return None
