"""The versions of what one process writes and another reads: while a new version is rolled out, both run.

A version is `MAJOR.MINOR`. MINOR grows with every field or value that is added: an older process reads what it knows
and keeps the rest (`UnknownFields`) when it writes back. It doesn't touch a record with a value that it doesn't know.
MAJOR grows if a field means something else: older processes touch none of these records. The rules for a change
are in docs/two-versions.md.

Some things have no number. The task's name is its version, and so is the subject of a member of the due-set: other
arguments are another name. Entries of the event stream, and so the stories of codes, are Seam's events as Seam sent
them; bookings and outcomes are CloudEvents, whose `specversion` and `type` the contract fixes. Lines of a booking's
story, and silences, are written once and never rewritten, so an older reader may ignore what it doesn't know.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Final, Protocol

BOOKING: Final = "1.6"
ALERT: Final = "1.4"
ALERT_GROUP: Final = "1.0"
CHANNEL_BUDGET: Final = "1.1"
ORDER: Final = "1.5"
OUTCOME_QUEUE: Final = "1.0"
PARKED: Final = "1.2"
REPLAY: Final = "1.2"
BULK_ORDER: Final = "1.0"

# What an older process doesn't know of an object, as it stood there: (name, JSON value) each. As a field of a dataclass
# it is kept, but neither compared nor shown. It is no field of the JSON: `shared.ledger.newer_version_records` puts
# each of its parts back where it stood.
UnknownFields = tuple[tuple[str, Any], ...]
NOT_IN_JSON: Final[Mapping[str, Any]] = {"exclude": True}


class Versioned(Protocol):
    """A record: a dataclass with the version that wrote it, and the fields that this version doesn't know."""

    @property
    def schema(self) -> str:
        """The version, `MAJOR.MINOR`."""

    @property
    def unknown_fields(self) -> UnknownFields:
        """The fields that this version doesn't know."""


class NewerVersionNeeded(Exception):
    """Only a process of a newer version can read this: it isn't damaged, but this version doesn't know enough of it."""

    def __init__(self, what: str, schema: str, ours: str) -> None:
        super().__init__(f"{what} of version {schema[:20]}; this process knows {ours}")


def is_newer(schema: str, ours: str) -> bool:
    """Say whether a version is newer than ours; False for a text that is no version."""
    return _numbers(schema) > _numbers(ours)


def is_incompatible(schema: str, ours: str) -> bool:
    """Say whether what we know of this version may mean something else in it."""
    return _numbers(schema)[0] > _numbers(ours)[0]


def _numbers(schema: str) -> tuple[int, int]:
    major, _, minor = schema.partition(".")
    return _number(major), _number(minor)


def _number(text: str) -> int:
    # Only we write versions. Anything else is damage, and a newer process couldn't read it either.
    return int(text) if text.isascii() and text.isdigit() and len(text) < len("1000000") else 0


def schema_in(content: Any) -> str:
    """Return the version in decoded JSON; "" if it has none, as in records that were written before there were any."""
    schema = content.get("schema") if isinstance(content, dict) else None
    return schema if isinstance(schema, str) else ""


def unknown_fields(content: dict[str, Any], known: Iterable[str]) -> UnknownFields:
    """Return the fields of a JSON object that aren't among the `known` names."""
    names = frozenset(known)
    return tuple((name, value) for name, value in content.items() if name not in names)
