"""Hides digits in texts from outside: a run of four or more may be a PIN."""

import re
from typing import Final

REMOVED: Final = "[removed]"
"""Stands where a value was that may be a PIN."""
_UUID: Final = r"(?<![0-9A-Za-z])[0-9a-fA-F]{8}(?:-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}(?![0-9A-Za-z])"
_UUID_OR_DIGIT_RUN: Final = re.compile(rf"(?P<uuid>{_UUID})|\d(?:[ \t.-]?\d){{3,}}")


def mask_digits(text: str) -> str:
    """Replace every run of four or more digits (also spaced or dashed ones) by `#` signs of the same length.

    UUIDs stay as they are: Seam's support asks for them, and a PIN is never a part of one.
    """
    return _UUID_OR_DIGIT_RUN.sub(lambda run: run["uuid"] or "#" * len(run.group()), text)
