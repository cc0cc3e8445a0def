"""Makes text from outside safe for a terminal: no control character gets through."""


def printable(text: str) -> str:
    """Return `text` with every character that isn't printable replaced."""
    return "".join(each if each.isprintable() else "\N{REPLACEMENT CHARACTER}" for each in text)
