"""Which fields tell the state of a booking, and which only look as if they did. Pure."""

import re
from collections.abc import Iterable
from typing import Final

from shared.domain.messages.near_misses import plain_name

LONGEST_NAME: Final = 48
_TELLS_A_STATE: Final = re.compile(
    r".*(?:status|state)|state(?:code|name)|type|kind|event|eventtype|msgtype|transactiontype|action|operation|change|subject"
    r"|topic|phase|stage|situation|disposition|outcome|lifecycle|method|verb|command|intent|request|tags?|flags?"
)
# Fields about the booking itself. In others `declined` may be about a payment, while the booking stands.
_OF_THE_BOOKING: Final = re.compile(
    r"(?:x|ce|cloudevents:?)?(?:"
    r"(?:current|new)?(?:booking|reservation|stay|order)?status(?:code|name|text)?"
    r"|(?:current|new|booking|reservation|stay|order)?state|(?:booking|reservation|stay|order)state(?:code|name)"
    r"|(?:event|message|change|update|action|operation|notification|webhook)?(?:type|kind)"
    r"|(?:booking|reservation|webhook)?(?:event|action)(?:name)?|operation(?:name)?|op|change"
    r"|statut|estado|estatus|stato|situacao|stav|tila|durum|статус|状態|状态|狀態|상태|ステータス"
    r")"
)
_ADDRESS: Final = frozenset({"city", "street", "address", "address1", "zip", "zipcode", "postalcode", "country"})
WRAPS_THE_BOOKING: Final = (
    "booking", "reservation", "stay", "order", "attributes", "payload", "body", "details", "resource", "object",
)  # fmt: skip
HOLD_BOOKINGS: Final = ("bookings", "reservations")
"""A list under one of these names that has one entry holds the booking."""
# These fields tell an earlier state.
_OF_THE_PAST: Final = re.compile(r"(?:previous|prior|former|old).*|.*(?:history|policy)")


def tells_state(plain: str) -> bool:
    """Say whether a field of this plain name may tell that the booking is cancelled; it may be about a payment, too."""
    return _TELLS_A_STATE.fullmatch(plain) is not None or is_of_the_booking(plain)


def is_of_the_booking(plain: str) -> bool:
    """Say whether a field of this plain name tells the state of the booking, or what happened to it."""
    return _OF_THE_BOOKING.fullmatch(plain) is not None


def is_of_the_past(name: str) -> bool:
    """Say whether a field of this name tells an earlier state."""
    return _OF_THE_PAST.fullmatch(plain_name(name[:LONGEST_NAME])) is not None


def may_say_gone(plain: str) -> bool:
    """Say whether a word such as `declined` under this plain name is about the booking: also in `stateCode`."""
    return is_of_the_booking(plain) or plain in ("statecode", "statename")


def is_an_address(names: Iterable[str]) -> bool:
    """Say whether fields of these names are an address: `state` is Nevada then."""
    return not _ADDRESS.isdisjoint(plain_name(name[:LONGEST_NAME]) for name in names)
