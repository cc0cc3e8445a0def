"""What the doctor says: one line a check."""

from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Finding:
    """One line: what was looked at, how it stands, and what to do where it isn't well."""

    subject: str
    verdict: Literal["ok", "warn", "bad"]
    text: str
    remedy: str = ""
