"""Untrusted values, quoted so that they fit in a sentence and can't garble a terminal or a log."""

LONGEST_QUOTE = 80
_MANY_DIGITS = 256  # bits; Python refuses to write out ints of more than 4300 digits
_BIDI_CONTROLS = frozenset("\u202a\u202b\u202c\u202d\u202e\u2066\u2067\u2068\u2069")


def quoted(value: object) -> str:  # noqa: PLR0911 - one answer for each kind of value
    """Return at most 80 characters of `value` as a quotation, everything unprintable escaped."""
    if isinstance(value, str):
        rest = "" if len(value) <= LONGEST_QUOTE else f"… ({len(value)} characters)"
        return f"{value[:LONGEST_QUOTE]!r}{rest}"
    if value is None or isinstance(value, bool):
        return {None: "null", True: "true", False: "false"}[value]
    if isinstance(value, int) and value.bit_length() > _MANY_DIGITS:
        return "a number of more than 77 digits"
    if isinstance(value, int | float):
        return repr(value)
    if isinstance(value, list | tuple):
        return "a list"
    if isinstance(value, dict):
        return "an object"
    return f"a {type(value).__name__[:LONGEST_QUOTE]}"


def shown(text: str) -> str:
    """Return `text` for people's eyes: what breaks a line or turns its direction is escaped.

    Wider than `str.isprintable`, which refuses no-break spaces and joined emoji: both occur in
    honest names.
    """
    if text.isprintable():
        return text
    return "".join(c if is_showable(c) else repr(c)[1:-1] for c in text)


def is_showable(text: str) -> bool:
    """Whether every character may be shown: no controls, surrogates, line breaks, overrides."""
    return text.isprintable() or all(_is_showable_character(c) for c in text)


def _is_showable_character(character: str) -> bool:
    code = ord(character)
    is_control = code < 0x20 or 0x7F <= code < 0xA0  # noqa: PLR2004 - the C0 and C1 blocks of Unicode
    is_surrogate = 0xD800 <= code < 0xE000  # noqa: PLR2004 - halves of UTF-16 pairs, never characters
    is_line_break = character in "\u2028\u2029"
    return not (is_control or is_surrogate or is_line_break or character in _BIDI_CONTROLS)
