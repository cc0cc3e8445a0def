"""A cancellation by a type that stands outside of the message: in a header, or in another field of the stream entry.

CloudEvents has a binary mode (HTTP Protocol Binding 1.0, 3.1): the type is a header, and the body is the data alone. It
isn't read here, and such a body looks like a bare booking. A cancellation must not be taken for one.
"""

import json
from collections.abc import Mapping
from typing import Final

from shared.domain.messages.cancellations import HOW_TO_CANCEL, is_about_cancelling
from shared.domain.messages.message import InvalidMessage, MessageType, Problem
from shared.domain.quoting import quoted

OUTER_TYPE: Final = "type"
"""The field of a stream entry that holds the type which a broker had beside the message."""
# The names under which a type stands beside a message: in HTTP, in AMQP, in entries that a system writes itself.
_NAMES: Final = ("ce-type", "ce_type", "cloudEvents:type", "cloudEvents_type", OUTER_TYPE)


def outer_cancellation(outside: Mapping[str, object]) -> tuple[str, str] | None:
    """Return the name and the value of what says beside a message that it cancels; None where nothing does."""
    for name in _NAMES:
        said = outside.get(name)
        if isinstance(said, str) and is_about_cancelling(said):
            return name, said
    return None


def check_outer_type(outside: Mapping[str, object], kind: MessageType) -> None:
    """Raise InvalidMessage where something beside a message says that it cancels, and the message is a booking."""
    found = outer_cancellation(outside)
    if found is None or kind is MessageType.CANCELLED:
        return
    name, said = found
    wrong = f"{quoted(said)} stands beside the message, and the message itself is a {kind}"
    raise InvalidMessage((Problem(name, wrong, HOW_TO_CANCEL),))


def with_outer_type(text: str, outside: Mapping[str, object]) -> str:
    """Return a parked message with what stood beside it: so that it is never replayed as a booking."""
    found = outer_cancellation(outside)
    if found is None:
        return text
    try:
        message = json.loads(text)
    except (ValueError, RecursionError):
        return text
    if not isinstance(message, dict) or message.get("type") == found[1]:
        return text
    return json.dumps({"type": found[1], "data": message})
