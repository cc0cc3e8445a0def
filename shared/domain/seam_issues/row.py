"""A row of the catalogue: what an issue of Seam means, whether it blocks, whether people are told."""

from dataclasses import dataclass
from typing import Final

# The reason of a booking whose code has an issue that has no reason of its own.
CODE_PROBLEM: Final = "code_problem"
RECONNECT: Final = "Connect the account again in Seam's console, under Connected Accounts."


@dataclass(frozen=True, slots=True)
class IssueMeaning:
    """One row of the catalogue.

    `words` say for people what the issue means. `blocks`: the code may not open the door, or not at the booked times.
    `is_told`: people get an alert, under `reason` if the issue is one of an access code. `is_retried`: Seam is still at
    work on it, so it may end without anybody's doing.
    `next_step` and `actor` (`ops`, `installer`, `seam`, `dormakaba`) are for issues of doors and accounts: what is to
    be done, and by whom. Where they are empty, the row of the alert's problem says it.
    """

    words: str
    blocks: bool = True
    is_told: bool = True
    is_retried: bool = False
    reason: str = CODE_PROBLEM
    next_step: str = ""
    actor: str = ""


def harmless(
    words: str, *, is_told: bool = False, is_retried: bool = False, next_step: str = "", actor: str = ""
) -> IssueMeaning:
    """Return a row for an issue that keeps no code from opening its door."""
    return IssueMeaning(words, blocks=False, is_told=is_told, is_retried=is_retried, next_step=next_step, actor=actor)


def retried(words: str, *, next_step: str = "", actor: str = "") -> IssueMeaning:
    """Return a row for an issue that blocks for as long as Seam has not succeeded."""
    return IssueMeaning(words, is_retried=True, next_step=next_step, actor=actor)


def delayed(words: str) -> IssueMeaning:
    """Return a row for a code that is not there yet. The clock decides when that is told (LATE_SET_AFTER)."""
    return IssueMeaning(words, is_told=False, is_retried=True)
