"""A type that stands outside of the message: in a header, or in another field of the stream entry.

CloudEvents has a binary mode (HTTP Protocol Binding 1.0, 3.1): the type is a header, and the body is the data alone. It
isn't read here, and such a body looks like a bare booking. A cancellation must not be taken for one; and a type that
isn't known may be one.
"""

import json
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from itertools import islice
from typing import Final
from urllib.parse import unquote

from shared.domain.messages.cancellations import HOW_TO_CANCEL, ending_of
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
# In fields whose names end so (`x-shopify-topic`) only words for a cancellation count.
_MAY_SAY_IT: Final = re.compile(
    r".*(?:type|event|action|operation|topic|subject|status|state|key|name|method|override)"
)
# Fields of a stream entry in which a bridge may keep the headers or attributes of another broker, as JSON.
_HOLD_HEADERS: Final = ("headers", "header", "attributes", "properties", "meta", "metadata", "messageattributes")
_LONGEST_HEADERS: Final = 10_000
_LONGEST_FLAG: Final = len("false")
_MOST_LOOKED_AT: Final = 100


@dataclass(frozen=True, slots=True)
class OuterType:
    """A field beside the message which says that the booking is cancelled or gone, or says something unknown."""

    name: str
    said: str
    meaning: Meaning

    @property
    def cancels(self) -> bool:
        """Whether it says that the booking is cancelled, or doesn't stand."""
        return self.meaning is not Meaning.UNKNOWN

    @property
    def field(self) -> str:
        """The field of a stream entry under which it is kept: `type`, or its own name if that says it (`cancelled`)."""
        says_it = not self.cancels or meaning_of(self.said) in (Meaning.CANCELLED, Meaning.GONE)
        return OUTER_TYPE if says_it else self.name

    def problem(self, what: str = "") -> Problem:
        """Return the problem of a booking that has this beside it; `what` is what the message itself says it is."""
        if not self.cancels:
            return unknown_status(self.name, self.said)
        itself = f", and the message itself is a {what}" if what else ""
        # What stands under the name of a cancellation may be a text about a guest.
        said = quoted(self.said) if self.field == OUTER_TYPE or len(self.said) <= _LONGEST_FLAG else "a text"
        return Problem(self.name, f"{said} stands beside the message{itself}", HOW_TO_CANCEL)


def outer_type(outside: Mapping[str, object], own_words: Collection[str] = (), *, depth: int = 0) -> OuterType | None:
    """Return the field beside a message which ends its booking; else one with an unknown word; None if there is none.

    `own_words` are words of the booking system that say that a booking stands, by `status_key`.
    """
    unknown = None
    for name, said in islice(outside.items(), _MOST_LOOKED_AT):
        plain = plain_name(name[:LONGEST_NAME])
        if _OF_THE_BODY.fullmatch(plain):
            continue
        held = _object_in(said)
        ending = ending_of(name, said) if held is None else None
        if ending is not None:
            return OuterType(name, str(said), ending)
        if held is not None and depth < 1 and plain in _HOLD_HEADERS:
            found = outer_type(held, own_words, depth=depth + 1)
            if found is not None and found.cancels:
                return found
        found = _in_words(name, plain, said, own_words) if isinstance(said, str) else None
        if found is not None and found.cancels:
            return found
        unknown = unknown or found
    return unknown


def _in_words(name: str, plain: str, said: str, own_words: Collection[str]) -> OuterType | None:
    """Return what a field's text says: that the booking is cancelled, else an unknown word; None if neither.

    CloudEvents percent-encodes headers (HTTP Protocol Binding 1.0, 3.1.3.2), so a cancellation counts in both
    spellings. A word that is unknown as it came stays unknown.
    """
    is_type = is_of_the_booking(plain)
    if not is_type and not _MAY_SAY_IT.fullmatch(plain):
        return None
    unknown = None
    for text in dict.fromkeys((said, unquote(said))):
        meaning = meaning_of(text, own_words)
        if meaning is Meaning.CANCELLED or (meaning is Meaning.GONE and is_type):
            return OuterType(name, text, meaning)
        if meaning is Meaning.UNKNOWN and is_type:
            unknown = unknown or OuterType(name, text, meaning)
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
    """Return a parked message with the type that was beside it, so that it is never replayed without it."""
    found = outer_type(outside)
    if found is None:
        return text
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(message, dict) or message.get("type") == found.said:
        return text
    if found.field != OUTER_TYPE:
        data = message.get("data")
        said = {found.field: found.said}
        return json.dumps({**message, "data": {**data, **said}} if isinstance(data, dict) else {**message, **said})
    if found.cancels:
        return json.dumps({"type": found.said, "data": message})
    # As a field of a bare booking. Once the word is known, the message can be replayed.
    return text if "type" in message or "data" in message else json.dumps({"type": found.said, **message})


def _object_in(value: object) -> Mapping[str, object] | None:
    """Return the object that a value is, or holds as JSON; None for anything else."""
    if isinstance(value, str) and value.lstrip()[:1] == "{" and len(value) <= _LONGEST_HEADERS:
        try:
            value = json.loads(value)
        except (ValueError, RecursionError):
            return None
    return value if isinstance(value, dict) else None
