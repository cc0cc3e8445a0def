"""The ids of stream entries, such as `1700000000000-0`: when the entry came, in milliseconds since 1970, and a number.

The order of the ids is the order of arrival. A text without a number counts as number 0.
"""

from datetime import datetime

from shared.domain.times.epoch import from_milliseconds, milliseconds


def place_of(entry_id: str) -> tuple[int, int]:
    """Return the two numbers of an id, by which ids are ordered. Raises ValueError."""
    moment, _, number = entry_id.partition("-")
    return int(moment), int(number or 0)


def moment_of(entry_id: str) -> datetime:
    """Return when the entry came into its stream, by the data server's clock. Raises ValueError."""
    return from_milliseconds(place_of(entry_id)[0])


def entry_id_at(moment: datetime) -> str:
    """Return the first id that an entry of this moment can have."""
    return f"{milliseconds(moment)}-0"


def following(entry_id: str) -> str:
    """Return the next possible id."""
    moment, number = place_of(entry_id)
    return f"{moment}-{number + 1}"


def is_before(entry_id: str, other: str) -> bool:
    """Say whether an entry came before another one; False if either is "" (not known)."""
    return bool(entry_id and other) and place_of(entry_id) < place_of(other)


def latest(entry_id: str, other: str) -> str:
    """Return the later one of two ids; if one is "" (not known), the other."""
    return other if is_before(entry_id, other) or not entry_id else entry_id
