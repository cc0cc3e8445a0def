"""Takes PINs out of whatever the vendor sends, before anything is written (design decision "no PIN at rest").

Seam puts the PIN in clear text into webhooks: `code` of `access_code.set_on_device`, `from`/`to` of a changed code,
and now and then into a sentence. So a key named `code` goes wherever it stands, a change of a code loses both its
sides, and in every other text runs of four or more digits are masked; identifiers, times and vendor enums alone are
kept as they are.
"""

import re
from collections.abc import Mapping
from typing import Any, Final, NamedTuple, Self

REMOVED: Final = "[removed]"
_PIN_KEYS: Final = frozenset({"code", "pin", "access_code", "pin_code", "preferred_code"})
_UUID: Final = r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z])"
_UUID_OR_DIGIT_RUN: Final = re.compile(rf"(?P<uuid>{_UUID})|\d(?:[ \t.-]?\d){{3,}}")
_DIGIT_RUN: Final = re.compile(r"\d(?:[ \t.-]?\d){3}")
_VERBATIM_SUFFIXES: Final = (
    "_id",
    "_ids",
    "_at",
    "_type",
    "error_code",
    "warning_code",
    "mutation_code",
    "_key",
)
_VERBATIM_KEYS: Final = frozenset({"event_type", "status", "property", "type"})
_CODE_CHANGES: Final = frozenset({"code", "updating_code", "code_changed"})
# A key that nobody of ours would use is not worth remembering, and one may be as long as a body.
_LONGEST_REMEMBERED: Final = 64
_MOST_REMEMBERED: Final = 1024
# An identifier or a time may keep its digits under the keys above, but only if it looks like one.
_IDENTIFIER: Final = re.compile(
    r"[A-Za-z][\w.:+-]*|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\d{4}-\d\d-\d\dT[\d:.+Z-]+"
)
_is_identifier: Final = _IDENTIFIER.fullmatch
_has_digit_run: Final = _DIGIT_RUN.search


def mask_digits(text: str) -> str:
    """Replace every run of four or more digits (also spaced or dashed ones) by `#` signs of the same length.

    UUIDs stay as they are: Seam's support asks for them, and a PIN is never a part of one.
    """
    return _UUID_OR_DIGIT_RUN.sub(lambda run: run["uuid"] or "#" * len(run.group()), text)


def redact_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a Seam event that holds no PIN.

    `access_code` as a nested object is walked like any other; as a text it is treated as a PIN. Raises RecursionError
    for nesting beyond the interpreter's limit; the caller has parsed JSON, whose own limit is the same.
    """
    changes_a_code = str(event.get("property")) in _CODE_CHANGES or str(event.get("mutation_code")) in _CODE_CHANGES
    redacted: dict[str, Any] = {}
    for key, value in event.items():
        shown, is_pin, is_verbatim, _ = rule = _RULES.get(key) or _rule_of(key)
        if (is_pin and not isinstance(value, Mapping | list)) or (changes_a_code and key in ("from", "to")):
            if value is not None:
                redacted[key] = REMOVED
        elif type(value) is str:
            # Most of an event; told apart here, because a call each costs as much as the look itself.
            is_known = is_verbatim and _is_identifier(value)
            redacted[shown] = value if is_known or not _has_digit_run(value) else mask_digits(value)
        else:
            redacted[shown] = _redact_value(rule, value)
    return redacted


class _Rule(NamedTuple):
    """What a key says about its value: how it is shown, and what may stand under it."""

    shown: str
    is_pin: bool
    is_verbatim: bool
    is_id: bool

    @classmethod
    def of(cls, key: str) -> Self:
        return cls(
            shown=mask_digits(key),
            is_pin=key.lower() in _PIN_KEYS,
            is_verbatim=key in _VERBATIM_KEYS or key.endswith(_VERBATIM_SUFFIXES),
            is_id=key.endswith("_id"),
        )


# The vendor's keys are a few dozen; reading each again for every event cost more than checking its signature.
_RULES: Final[dict[str, _Rule]] = {}


def _rule_of(key: str) -> _Rule:
    rule = _Rule.of(key)
    if len(key) <= _LONGEST_REMEMBERED and len(_RULES) < _MOST_REMEMBERED:
        _RULES[key] = rule
    return rule


def _redact_value(rule: _Rule, value: Any) -> Any:
    match value:
        case str():
            is_known = rule.is_verbatim and _is_identifier(value)
            return value if is_known else mask_digits(value)
        case Mapping():
            return redact_event(value)
        case list():
            return [_redact_value(rule, item) for item in value]
        case bool() | None:
            return value
        case int() | float() if not rule.is_id:
            return REMOVED if len(str(value)) >= 4 else value  # noqa: PLR2004 - a PIN has four digits or more
        case _:
            return value
