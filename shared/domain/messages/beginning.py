"""Reads the beginning of a message that is too large to be read whole. Pure.

A refusal must say whether it was a cancellation, and of which booking. Both are in the first bytes of most messages.
"""

import re
from typing import Final

# Python's reader can't read half an object. A string without an end gives a token that is one quotation mark.
_TOKEN: Final = re.compile(r'"(?:[^"\\]++|\\.)*+"|["{}\[\],:]|[^\s"{}\[\],:]++', re.DOTALL)
_CLOSED_BY: Final = {"{": "}", "[": "]"}
# No field of a booking is deeper than this.
_DEEPEST: Final = 40


def whole_part(beginning: bytes) -> str:
    """Return the complete fields of a cut-off JSON object, closed so that they can be read as JSON.

    The last field is left out unless it is known to be whole. Returns "" for what doesn't begin with an object. Never
    raises; what is not quite JSON stays so.
    """
    text = beginning.decode("utf-8-sig", errors="replace")
    whole_until, closing_then = 0, ""
    closing = ""
    for token in _TOKEN.finditer(text):
        mark = token.group()
        if not closing and mark != "{":
            return ""
        if mark == '"':
            break
        if mark in _CLOSED_BY:
            closing = _CLOSED_BY[mark] + closing
            if len(closing) > _DEEPEST:
                break
        elif mark == ",":
            # A value before a comma is complete.
            whole_until, closing_then = token.start(), closing
            continue
        elif mark in ("}", "]"):
            if mark != closing[0]:
                break
            closing = closing[1:]
        else:
            continue
        whole_until, closing_then = token.end(), closing
        if not closing:
            break
    return text[:whole_until] + closing_then
