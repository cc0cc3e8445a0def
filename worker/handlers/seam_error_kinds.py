"""What an error of Seam leads to: how it counts for the retry policy, and what people are told.

When a step is repeated or given up: `shared.domain.booking.retries`. The errors themselves: `shared.seam.errors`.
"""

from typing import Final

from shared.domain.booking.problem_catalogue import PlainReason, Reason
from shared.domain.booking.retries import Failure
from shared.seam.errors import (
    CreateNotFound,
    NoSuchDevice,
    OutcomeUnknown,
    RateLimited,
    Refused,
    SeamError,
    Unauthorized,
    UnexpectedNotFound,
)

# The first row that fits an error counts.
_FAILURES: Final = (
    (CreateNotFound, Failure.TRANSIENT, Reason.SEAM_UNEXPECTED),
    (OutcomeUnknown, Failure.TRANSIENT, Reason.IN_DOUBT),
    (UnexpectedNotFound, Failure.TRANSIENT, Reason.SEAM_UNEXPECTED),
    (RateLimited, Failure.RATE_LIMITED, PlainReason.RATE_LIMITED),
    (Unauthorized, Failure.OUR_KEY, Reason.SEAM_UNAUTHORIZED),
    (NoSuchDevice, Failure.PERMANENT, Reason.DEVICE_NOT_FOUND),
    (Refused, Failure.PERMANENT, Reason.REFUSED_BY_SEAM),
    (SeamError, Failure.TRANSIENT, Reason.SEAM_UNAVAILABLE),
)


def failure_of(error: Exception) -> tuple[Failure, str]:
    """Return how an error counts for the retry policy, and the reason under which people are told of it."""
    for kind, failure, reason in _FAILURES:
        if isinstance(error, kind):
            return failure, reason
    return Failure.UNKNOWN, Reason.INTERNAL_ERROR


def describe(error: Exception) -> str:
    """Return what people may read of an error: Seam's own words, but of a bug of ours only its kind."""
    match error:
        case Refused():
            return f"Seam says: {_sentence(error)}"
        case SeamError():
            return _sentence(error)
        case _:
            return f"{type(error).__name__}."


def _sentence(error: SeamError) -> str:
    """Return the error's text with one full stop: Seam's own messages may end with theirs."""
    return f"{str(error).rstrip('.')}."
