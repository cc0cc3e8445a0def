"""Takes PINs, and how a guest is reached, out of what booking systems send, before it is written anywhere.

No field that is read holds either, so nothing is lost: a message means the same without them. All else stays as it was
sent, its digits too: a person who mends a parked message needs its times and its numbers.
"""

import json
import re
from collections.abc import Mapping
from typing import Any, Final

from shared.domain.messages.cancellations import says_cancelled
from shared.redaction import REMOVED, redact_event

# Any word of a name: `guestPhone`, `phone_number`, `contact-email`.
_CONTACT_WORDS: Final = frozenset({"phone", "phones", "telephone", "tel", "mobile", "email", "emails", "mail"})
_WORD: Final = re.compile(r"[A-Z]+(?![a-z])|[A-Z]?[a-z]+")
# A name and its plain value, in what isn't quite JSON.
_PAIR: Final = re.compile(r'"((?:[^"\\]|\\.){1,200})"(\s*:\s*)("(?:[^"\\]|\\.)*"?|[^\s,}\]\["{]+)')


def without_secrets(text: str) -> str:
    """Return a message without what stands under the name of a PIN or of a guest's contact; else as it was sent.

    What isn't JSON keeps its shape: only values beside such names go. Never raises.
    """
    try:
        content = json.loads(text, object_pairs_hook=_once)
        redacted = _each_redacted(content)
        return text if redacted == content else json.dumps(redacted)
    except (ValueError, RecursionError):
        return _PAIR.sub(_without_value, text)


def redacted_fields(content: Mapping[str, Any]) -> dict[str, Any]:
    """Return the content without what stands under the name of a PIN or of a guest's contact, at any depth.

    A word for a cancellation stays under any name. All other texts stay: they may be times. Raises RecursionError for
    what nests too deeply.
    """
    kept = {}
    for name, value in content.items():
        # By the name alone: a long number may be a revision.
        shell = type(value)() if isinstance(value, dict | list) else value if value in (None, True, False) else "x"
        (shown, redacted) = next(iter(redact_event({name: shell}).items()), (name, value))
        if says_cancelled(value):
            # `{"status": {"code": "cancelled"}}`: no PIN, and what would be taken for a booking without it.
            kept[shown] = value
            continue
        kept[shown] = REMOVED if redacted == REMOVED or _is_contact(name, value) else _each_redacted(value)
    return kept


def _each_redacted(value: Any) -> Any:
    if isinstance(value, dict):
        return redacted_fields(value)
    return [_each_redacted(each) for each in value] if isinstance(value, list) else value


def _is_contact(name: str, value: Any) -> bool:
    is_given = value is not None and not isinstance(value, bool)
    return is_given and not _CONTACT_WORDS.isdisjoint(word.lower() for word in _WORD.findall(name[:200]))


def _once(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """Return an object. Raises ValueError where a name stands twice: writing it anew would lose one of the values."""
    content = dict(pairs)
    if len(content) < len(pairs):
        raise ValueError("a name stands twice")
    return content


def _without_value(pair: re.Match[str]) -> str:
    name, between, _ = pair.groups()
    kept = redacted_fields({name: "x"})
    return f'"{name}"{between}"{REMOVED}"' if REMOVED in kept.values() else pair.group()
