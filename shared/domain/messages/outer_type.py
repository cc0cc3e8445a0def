"""A type that stands outside of the message: in a header, or in another field of the stream entry.

CloudEvents has a binary mode (HTTP Protocol Binding 1.0, 3.1): the type is a header, and the body is the data alone. It
isn't read here, and such a body looks like a bare booking. A cancellation must not be taken for one; and a type that
isn't known may be one.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from typing import Final

from shared.domain.messages.cancellations import HOW_TO_CANCEL
from shared.domain.messages.message import BookingMessage, InvalidMessage, MessageType, Problem
from shared.domain.messages.near_misses import plain_name
from shared.domain.messages.status_fields import LONGEST_NAME, is_of_the_booking
from shared.domain.messages.status_words import Meaning, meaning_of
from shared.domain.messages.unknown_statuses import unknown_status
from shared.domain.quoting import quoted

OUTER_TYPE: Final = "type"
"""The field of a stream entry that holds the type which a broker had beside the message."""
# Headers that are about the body itself, whatever it says.
_OF_THE_BODY: Final = re.compile(r".*content.*|accept.*|.*mime.*")
# Names that end so may say it in a way of their own (`x-shopify-topic`): only words for a cancellation count there.
_MAY_SAY_IT: Final = re.compile(r".*(?:type|event|action|operation|topic|subject|status|state|key)")
_MOST_LOOKED_AT: Final = 100


@dataclass(frozen=True, slots=True)
class OuterType:
    """What stands beside a message, under which name, and what it says of the booking: anything but that it stands."""

    name: str
    said: str
    meaning: Meaning

    @property
    def cancels(self) -> bool:
        """Whether it says that the booking is cancelled, or doesn't stand."""
        return self.meaning is not Meaning.UNKNOWN

    def problem(self, what: str = "") -> Problem:
        """Return what to say of it beside a booking; `what` is what the message itself says."""
        if not self.cancels:
            return unknown_status(self.name, self.said)
        itself = f", and the message itself is a {what}" if what else ""
        return Problem(self.name, f"{quoted(self.said)} stands beside the message{itself}", HOW_TO_CANCEL)


def outer_type(outside: Mapping[str, object], own_words: Collection[str] = ()) -> OuterType | None:
    """Return what says beside a message that its booking is cancelled, else what isn't known; None for neither.

    `own_words` are words of the booking system that say that a booking stands, by `status_key`.
    """
    unknown = None
    for name, said in list(outside.items())[:_MOST_LOOKED_AT]:
        plain = plain_name(name[:LONGEST_NAME])
        if not isinstance(said, str) or _OF_THE_BODY.fullmatch(plain):
            continue
        is_type = is_of_the_booking(plain)
        if not is_type and not _MAY_SAY_IT.fullmatch(plain):
            continue
        meaning = meaning_of(said, own_words)
        if meaning is Meaning.CANCELLED or (meaning is Meaning.GONE and is_type):
            return OuterType(name, said, meaning)
        if meaning is Meaning.UNKNOWN and is_type:
            unknown = unknown or OuterType(name, said, meaning)
    return unknown


def check_outer_type(outside: Mapping[str, object], message: BookingMessage, own_words: Collection[str] = ()) -> None:
    """Raise InvalidMessage where what stands beside a booking says that it is cancelled, or isn't known.

    A message with an envelope says its own type: what isn't known beside it doesn't matter then.
    """
    found = outer_type(outside, own_words)
    if found is not None and contradicts(found, message):
        raise InvalidMessage((found.problem(message.type),))


def contradicts(found: OuterType, message: BookingMessage) -> bool:
    """Say whether the message must not be taken for what it says, because of what stands beside it."""
    if message.type is MessageType.CANCELLED:
        return False
    return found.cancels or not message.source


def with_outer_type(text: str, outside: Mapping[str, object]) -> str:
    """Return a parked message with what stood beside it: so that it is never replayed as a booking by itself."""
    found = outer_type(outside)
    if found is None:
        return text
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(message, dict) or message.get("type") == found.said:
        return text
    if found.cancels:
        return json.dumps({"type": found.said, "data": message})
    # As a field of a bare booking: once the word is known, it can be replayed.
    return text if "type" in message or "data" in message else json.dumps({"type": found.said, **message})
