"""One JSON object, read strictly: from text, from bytes, or from a mapping under the same rules."""

import hashlib
import json
from collections.abc import Mapping
from typing import Any, Never

from shared.domain.messages.message import InvalidMessage, Problem
from shared.domain.quoting import LONGEST_QUOTE, quoted, shown


def load_object(raw: str | bytes | Mapping[str, Any]) -> Mapping[str, Any]:
    """Return the JSON object in `raw`. A mapping is written as text first, so the same rules hold.

    Raises InvalidMessage for anything else, and for a key that occurs twice.
    """
    twice: list[str] = []

    def unique(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
        loaded = dict(pairs)
        if len(loaded) < len(pairs):
            seen: set[str] = set()
            twice.extend(name for name, _ in pairs if name in seen or seen.add(name))  # type: ignore[func-returns-value]
        return loaded

    try:
        if isinstance(raw, bytes):
            raw = raw.decode("utf-8-sig")
        elif not isinstance(raw, str):
            raw = json.dumps(raw, default=_as_dict, allow_nan=False)
        content = json.loads(raw, object_pairs_hook=unique, parse_constant=_refuse_constant)
    except (ValueError, TypeError, RecursionError) as unreadable:
        raise _unusable(_why_not_json(unreadable), "send one JSON object") from None
    if not isinstance(content, dict):
        raise _unusable(f"{quoted(content)} is not a JSON object", "send one JSON object")
    if twice:
        raise InvalidMessage(
            tuple(
                Problem(shown(name[:LONGEST_QUOTE]), "is given more than once", "give it once")
                for name in dict.fromkeys(twice)
            )
        )
    return content


def _as_dict(value: object) -> Any:
    if isinstance(value, Mapping):
        return dict(value)
    raise TypeError(f"{quoted(value)} has no place in JSON")


def _refuse_constant(name: str) -> Never:
    raise ValueError(f"{name} is not a number in JSON")


def _why_not_json(error: Exception) -> str:
    match error:
        case RecursionError():
            return "is nested too deeply"
        case UnicodeDecodeError():
            return f"is not UTF-8 at byte {error.start}"
        case json.JSONDecodeError():
            return f"is not JSON: {error.msg} at line {error.lineno}, column {error.colno}"
        case ValueError() if "integer string conversion" in str(error):
            return "holds a number too long to read"
    return f"is not JSON: {error}"


def _unusable(wrong: str, right: str) -> InvalidMessage:
    return InvalidMessage((Problem("message", wrong, right),))


def hash_of(content: Mapping[str, Any]) -> str:
    """Return a hash of the content, in whatever order its keys are. Raises InvalidMessage if it nests too deeply."""
    try:
        canonical = json.dumps(content, sort_keys=True, separators=(",", ":"))
    except (RecursionError, ValueError):  # nested just deeply enough to be read, not to be written
        raise _unusable("is nested too deeply", "send one JSON object") from None
    return hashlib.sha256(canonical.encode()).hexdigest()
