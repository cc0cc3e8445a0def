"""Takes PINs out of whatever the vendor sends, before anything is written (design decision "no PIN at rest").

Seam puts the PIN in clear text into webhooks: `code` of `access_code.set_on_device`, `from`/`to` of a changed code,
and now and then into a sentence. So a key named `code` goes wherever it stands, a change of a code loses both its
sides, and in every other text runs of four or more digits are masked; identifiers, times and vendor enums alone are
kept as they are.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from shared.domain.masking import mask_digits

__all__ = ["REMOVED", "is_identifier", "mask_digits", "redact_event"]

REMOVED: Final = "[removed]"
_PIN_KEYS: Final = frozenset({"code", "pin", "access_code", "pin_code", "preferred_code"})
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
_LONGEST_TEXT: Final = 200
_MOST_TEXTS: Final = 4096
# Of a change; a PIN where it is a code that changes.
_SIDES: Final = frozenset({"from", "to"})
# An identifier or a time may keep its digits under the keys above, but only if it looks like one.
_IDENTIFIER: Final = re.compile(
    r"[A-Za-z][\w.:+-]*|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\d{4}-\d\d-\d\dT[\d:.+Z-]+",
    re.ASCII,
)
is_identifier: Final = _IDENTIFIER.fullmatch
_has_digit_run: Final = _DIGIT_RUN.search


def redact_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of a Seam event that holds no PIN.

    `access_code` as a nested object is walked like any other; as a text it is treated as a PIN. Raises RecursionError
    for nesting beyond the interpreter's limit; the caller has parsed JSON, whose own limit is the same.
    """
    redacted: dict[str, Any] = {}
    for key, value in event.items():
        rule = _RULES.get(key) or _rule_of(key)
        # Texts are most of an event, and most hold nothing: told apart here, for a call each costs more than the look.
        if rule.is_plain:
            if type(value) is str:
                if value in _harmless or (rule.is_verbatim and is_identifier(value)):
                    redacted[key] = value
                    continue
                if not _has_digit_run(value):
                    _remember(value)
                    redacted[key] = value
                    continue
            elif type(value) is dict:
                redacted[key] = redact_event(value)
                continue
        _redact_entry(event, key, rule, redacted)
    return redacted


def _redact_entry(event: Mapping[str, Any], key: str, rule: "_Rule", redacted: dict[str, Any]) -> None:
    """Put one key of an event, and what may stay of its value, into `redacted`."""
    value = event[key]
    is_pin = rule.is_pin and not isinstance(value, Mapping | list)
    if not is_pin and key in _SIDES:
        is_pin = str(event.get("property")) in _CODE_CHANGES or str(event.get("mutation_code")) in _CODE_CHANGES
    if not is_pin:
        redacted[rule.shown] = _redact_value(rule, value)
    elif value is not None:
        redacted[key] = REMOVED


class _Rule:
    """What a key says about its value: how it is shown, and what may stand under it."""

    __slots__ = ("is_id", "is_pin", "is_plain", "is_verbatim", "shown")

    def __init__(self, key: str) -> None:
        self.shown = mask_digits(key)
        self.is_pin = key.lower() in _PIN_KEYS
        self.is_verbatim = key in _VERBATIM_KEYS or key.endswith(_VERBATIM_SUFFIXES)
        self.is_id = key.endswith("_id")
        # What is under it is to be looked at alone: neither the key nor its neighbours matter.
        self.is_plain = not self.is_pin and key not in _SIDES and self.shown == key


# The vendor's keys are a few dozen; reading each again for every event cost more than checking its signature.
_RULES: Final[dict[str, _Rule]] = {}
# Texts without a run of digits that were seen: names, sites, sentences come again with every event of a door.
_harmless: Final[set[str]] = set()


def _rule_of(key: str) -> _Rule:
    rule = _Rule(key)
    if len(key) <= _LONGEST_REMEMBERED and len(_RULES) < _MOST_REMEMBERED:
        _RULES[key] = rule
    return rule


def _remember(text: str) -> None:
    if len(text) <= _LONGEST_TEXT:
        if len(_harmless) >= _MOST_TEXTS:
            _harmless.clear()
        _harmless.add(text)


def _redact_value(rule: _Rule, value: Any) -> Any:
    match value:
        case str():
            is_known = rule.is_verbatim and is_identifier(value)
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
