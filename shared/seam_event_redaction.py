"""Takes PINs out of everything that Seam sends, before anything is written: no PIN is stored (docs/security.md).

Seam's webhooks hold PINs in clear text: `code` of `access_code.set_on_device`, `original_code` and `new_code` of a
warning, `from` and `to` of a changed code, and sometimes a sentence. Most PINs are digits, but not all: Seam's SDK
calls a code "a numeric or alphanumeric string". So there are three rules:

- A value under a key that names a code is removed, at any depth.
- If an object says that a code changed, its old and its new value are removed.
- In every other text runs of four or more digits are masked. Only ids, times and the vendor's enums stay as they are.

Log lines are redacted by `shared.logging_setup`, booking messages by `shared.booking_message_redaction`.
`tests/shared/test_redaction_places.py` has every place in Seam's SDK that can hold a PIN.
"""

import re
from collections.abc import Mapping
from typing import Any, Final

from shared.domain.masking import REMOVED, mask_digits

__all__ = ["REMOVED", "Redactor", "is_identifier", "mask_digits", "redact_event"]

# A key with one of these as its last word holds a PIN: `code`, `new_code`, `doorPin`. Exceptions: the enums below.
_PIN_WORDS: Final = frozenset(
    {"code", "codes", "pin", "pins", "passcode", "passcodes", "pincode", "keycode", "doorcode", "accesscode"}
)
# A key with one of these as its last word holds no PIN: `common_code_key`, `supported_code_lengths`.
_NO_PIN_WORDS: Final = frozenset({"key", "keys", "id", "ids", "length", "lengths", "type", "count"})
# Under a key with these last two words an object is an access code, and is redacted key by key; a text is a PIN.
_CODE_OBJECTS: Final = (["access", "code"], ["access", "codes"])
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
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
_VERBATIM_KEYS: Final = frozenset({"event_type", "status", "property", "field", "type"})
# Seam's keys are short. A hostile one may be as long as a body, and isn't remembered.
_LONGEST_REMEMBERED: Final = 64
_MOST_REMEMBERED: Final = 1024
_LONGEST_TEXT: Final = 200
_MOST_TEXTS: Final = 4096
# Keys of the old and the new value of a change. They hold PINs if a code changed. One of _NAMES_OF_CHANGED says what
# changed: `property` in events, `field` in `modified_fields`, `mutation_code` in mutations.
_SIDES: Final = frozenset(
    {"from", "to", "old", "new", "previous", "before", "after", "value", "old_value", "new_value"}
)
_NAMES_OF_CHANGED: Final = ("property", "field", "mutation_code")
# Under the verbatim keys an id or a time keeps its digits, but only if it looks like an id or a time.
_IDENTIFIER: Final = re.compile(
    r"[A-Za-z][\w.:+-]*|[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}|\d{4}-\d\d-\d\dT[\d:.+Z-]+",
    re.ASCII,
)
is_identifier: Final = _IDENTIFIER.fullmatch
_has_digit_run: Final = _DIGIT_RUN.search


class Redactor:
    """Takes PINs out of many events. It remembers keys and texts without a PIN, which are most of each event.

    Seam has a few dozen keys, and the same names, sites and sentences come with every event of a door. Searching them
    each time cost more than checking an event's signature. The memory is bounded, and holds no PIN.
    """

    __slots__ = ("_harmless", "_rules")

    def __init__(self) -> None:
        self._rules: dict[str, _Rule] = {}
        self._harmless: set[str] = set()

    def redact(self, event: Mapping[str, Any]) -> dict[str, Any]:
        """Return a copy of a Seam event that holds no PIN. Idempotent.

        `access_code` is redacted key by key if it is an object, and removed as a PIN if it is a text. Raises
        RecursionError if the event nests deeper than the interpreter's limit, at which reading JSON fails too.
        """
        redacted: dict[str, Any] = {}
        rules, harmless = self._rules, self._harmless
        for key, value in event.items():
            rule = rules.get(key) or self._rule_of(key)
            # Most values are harmless texts. They are recognised here, because a call for each would cost more than
            # the check.
            if rule.is_plain:
                if type(value) is str:
                    if is_identifier(value) if rule.is_verbatim else value in harmless:
                        redacted[key] = value
                        continue
                    if not _has_digit_run(value):
                        self._remember(value)
                        redacted[key] = value
                        continue
                elif type(value) is dict:
                    redacted[key] = self.redact(value)
                    continue
            self._redact_entry(event, key, rule, redacted)
        return redacted

    def _redact_entry(self, event: Mapping[str, Any], key: str, rule: "_Rule", redacted: dict[str, Any]) -> None:
        """Put one key of an event, and its value without PINs, into `redacted`."""
        value = event[key]
        is_pin = _is_pin(rule, value) or (rule.is_side and not isinstance(value, bool) and _is_of_code(event, value))
        if not is_pin:
            applied = self._rule_of_side(event) or rule if rule.is_side else rule
            redacted[rule.shown] = self._redact_value(applied, value)
        elif value is not None:
            redacted[rule.shown] = REMOVED

    def _redact_value(self, rule: "_Rule", value: Any) -> Any:
        match value:
            case str():
                is_known = rule.is_verbatim and is_identifier(value)
                return value if is_known else mask_digits(value)
            case Mapping():
                return self.redact(value)
            case list():
                return [
                    REMOVED if _is_pin(rule, item) and item is not None else self._redact_value(rule, item)
                    for item in value
                ]
            case bool() | None:
                return value
            case int() | float() if not rule.is_id:
                return REMOVED if len(str(value)) >= 4 else value  # noqa: PLR2004 - a PIN has four digits or more
            case _:
                return value

    def _rule_of_side(self, change: Mapping[str, Any]) -> "_Rule | None":
        """Return the rule of the field that changed (`property`, `field`), so that a changed time keeps its digits."""
        name = change.get("field") or change.get("property")
        return self._rules.get(name) or self._rule_of(name) if isinstance(name, str) else None

    def _rule_of(self, key: str) -> "_Rule":
        rule = _Rule(key)
        if len(key) <= _LONGEST_REMEMBERED and len(self._rules) < _MOST_REMEMBERED:
            self._rules[key] = rule
        return rule

    def _remember(self, text: str) -> None:
        if len(text) <= _LONGEST_TEXT:
            if len(self._harmless) >= _MOST_TEXTS:
                self._harmless.clear()
            self._harmless.add(text)


def redact_event(event: Mapping[str, Any]) -> dict[str, Any]:
    """Return a copy of one Seam event that holds no PIN. Raises as `Redactor.redact` does."""
    return Redactor().redact(event)


def _is_pin(rule: "_Rule", value: Any) -> bool:
    """Say whether a value is a PIN, or holds PINs, by its key. A flag isn't: `can_unlock_with_code`."""
    return (
        rule.is_pin and not isinstance(value, bool) and not (rule.is_code_object and isinstance(value, Mapping | list))
    )


def _is_of_code(change: Mapping[str, Any], side: Any) -> bool:
    """Say whether an object tells that a code was changed."""
    if any(_names_code(change.get(name)) for name in _NAMES_OF_CHANGED):
        return True
    # Here an old or new value may be an object, with a `code` that is null if there was none: that is redacted by key.
    return change.get("event_type") == "access_code.code_changed" and not isinstance(side, Mapping | list)


def _names_code(name: Any) -> bool:
    """Say whether `name` is `code`, `updating_code` or the like, or a list with one of them."""
    if isinstance(name, list):
        return any(_names_code(each) for each in name)
    words = _words(name[:_LONGEST_TEXT]) if isinstance(name, str) else []
    return not _PIN_WORDS.isdisjoint(words) and words[-1] not in _NO_PIN_WORDS


def _words(text: str) -> list[str]:
    return [word.lower() for word in _WORD.findall(text)]


class _Rule:
    """What a key says about its value: whether it is a PIN, and whether digits in it are masked."""

    __slots__ = ("is_code_object", "is_id", "is_pin", "is_plain", "is_side", "is_verbatim", "shown")

    def __init__(self, key: str) -> None:
        self.shown = mask_digits(key)
        self.is_verbatim = key in _VERBATIM_KEYS or key.endswith(_VERBATIM_SUFFIXES)
        words = _words(key[-_LONGEST_TEXT:])
        self.is_pin = not self.is_verbatim and not _PIN_WORDS.isdisjoint(words[-1:])
        self.is_code_object = words[-2:] in _CODE_OBJECTS
        self.is_id = key.endswith("_id")
        self.is_side = key in _SIDES
        # The value decides alone: neither its key nor the keys beside it matter.
        self.is_plain = not self.is_pin and not self.is_side and self.shown == key
