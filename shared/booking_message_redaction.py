"""Takes PINs and guests' contacts out of messages of booking systems, before they are written anywhere.

No field that this service reads holds one, so a message means the same without them. Everything else stays as it was
sent, with its digits: a person who corrects a parked message needs its times and numbers.
"""

import json
import re
from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.domain.messages.status_words import is_status_word
from shared.seam_event_redaction import REMOVED, redact_event

# Any word of a name: `guestPhone`, `phone_number`, `contact-email`.
_CONTACT_WORDS: Final = frozenset({"phone", "phones", "telephone", "tel", "mobile", "email", "emails", "mail"})
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# A name and its plain value, in text that isn't valid JSON.
_PAIR: Final = re.compile(r'"((?:[^"\\]|\\.){1,200})"(\s*:\s*)("(?:[^"\\]|\\.)*"?|[^\s,}\]\["{]+)')


def without_secrets(text: str) -> str:
    """Return a message without the values under names of PINs and of guests' contacts. Never raises.

    In text that isn't JSON only the values beside such names are removed.
    """
    try:
        content = json.loads(text, object_pairs_hook=_once)
        redacted = _each_redacted(content)
        return text if redacted == content else json.dumps(redacted)
    except (ValueError, RecursionError):
        return _PAIR.sub(_without_value, text)


def redacted_fields(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content without the values under names of PINs and of guests' contacts, at any depth.

    A word for a booking's state stays under any name. All other texts stay: they may be times. Raises RecursionError
    for what nests too deeply.
    """
    kept = {}
    for name, value in content.items():
        # Only the name decides: a long number may be a revision.
        shell = type(value)() if isinstance(value, dict | list) else value if value in (None, True, False) else "x"
        (shown, redacted) = next(iter(redact_event({name: shell}).items()), (name, value))
        if isinstance(value, str) and is_status_word(value):
            # `{"status": {"code": "cancelled"}}`: no PIN, and it decides whether there is a booking.
            kept[shown] = value
            continue
        is_contact = _is_contact(name, value)
        if redacted == REMOVED and not is_contact:
            kept[shown] = _words_of_state(value)
        else:
            kept[shown] = REMOVED if is_contact else _each_redacted(value)
    return kept


def _words_of_state(value: Any) -> Any:
    """Return the words for a booking's state that a removed object or list holds, and REMOVED for all else of it.

    `{"status": {"code": {"name": "cancelled"}}}` must stay a cancellation.
    """
    held = list(_held(value))
    words = [each for each in held if isinstance(each, str) and each != REMOVED and is_status_word(each)]
    if not words:
        return REMOVED
    kept = words if len(words) == len(held) else [*words, REMOVED]
    # Of an object one part says it, of a list each may be the one that counts. Names in it may be PINs, too.
    return kept if isinstance(value, list) else {str(number): each for number, each in enumerate(kept, start=1)}


def _held(value: Any) -> Iterator[Any]:
    """Yield what an object or a list holds at any depth. Raises RecursionError for what nests too deeply."""
    for each in value.values() if isinstance(value, dict) else value if isinstance(value, list) else ():
        if isinstance(each, dict | list):
            yield from _held(each)
        elif each is not None and not isinstance(each, bool):
            yield each


def _each_redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return redacted_fields(value)
    return [_each_redacted(each) for each in value] if isinstance(value, list) else value


def _is_contact(name: str, value: Any) -> bool:
    is_given = value is not None and not isinstance(value, bool)
    return is_given and not _CONTACT_WORDS.isdisjoint(word.lower() for word in _WORD.findall(name[:200]))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object. Raises ValueError if a name is there twice: one of its values would be lost."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a name stands twice")
    return content


def _without_value(pair: re.Match[str]) -> str:
    name, between, _ = pair.groups()
    kept = redacted_fields({name: "x"})
    return f'"{name}"{between}"{REMOVED}"' if REMOVED in kept.values() else pair.group()
