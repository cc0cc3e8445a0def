"""The errors of calls to Seam, grouped by what the caller does next.

SeamError
├── TryAgainLater              the same call may be sent again
│   ├── Unreachable            Seam wasn't reached, or a read got no answer
│   │   └── UnexpectedNotFound a 404 that isn't about the device or the code in the call
│   │       └── UnnamedNotFound    a 404 of Seam that may be about it: its type names no resource
│   ├── RateLimited            too many calls for this door; `retry_after` if Seam named it (`shared.seam.client`)
│   └── Unauthorized           our key isn't accepted: no call works until a person has corrected it
├── OutcomeUnknown             a create may have happened: only a look may follow, never another create
│   └── CreateNotFound         a create was answered by a 404 that isn't about its device
├── Refused                    Seam understood and said no; the same call will be refused again
│   └── NotFound               what was asked for doesn't exist
│       ├── NoSuchDevice       Seam has no such device
│       └── NoSuchAccessCode   Seam has no such access code
└── Unreadable                 an answer to a read that isn't what Seam's documentation promises

Which 404 is which is decided in `shared.seam.refusals`, by the endpoint and by the type of Seam's error.
"""

from datetime import timedelta


class SeamError(Exception):
    """A call to Seam failed. The text holds no PIN, key or body; by `request_id` Seam's support finds the call."""

    def __init__(self, text: str, *, request_id: str | None = None) -> None:
        super().__init__(f"{text} (request {request_id})" if request_id else text)
        self.request_id = request_id


class TryAgainLater(SeamError):
    """The same call may be sent again: nothing happened at Seam, or sending it twice does no harm."""

    retry_after: timedelta | None = None


class Unreachable(TryAgainLater):
    """Seam wasn't reached, is failing, or a read got no answer in time."""


class UnexpectedNotFound(Unreachable):
    """A 404 that isn't about the device or the code in the call: the endpoint doesn't exist, or a proxy answered."""


class UnnamedNotFound(UnexpectedNotFound):
    """A 404 with the type `not_found` alone, for a read of one resource.

    It may be the resource or the endpoint that doesn't exist. A second, independent sign decides
    (`shared.seam.second_sign`).
    """


class RateLimited(TryAgainLater):
    """Too many calls for this door."""

    def __init__(self, text: str, *, retry_after: timedelta | None, request_id: str | None = None) -> None:
        super().__init__(text, request_id=request_id)
        self.retry_after = retry_after


class Unauthorized(TryAgainLater):
    """Seam doesn't accept our key."""


class OutcomeUnknown(SeamError):
    """A create was sent and its answer never came, or can't be read: it may have happened."""


class CreateNotFound(OutcomeUnknown):
    """A create was answered by a 404 that isn't about its device. Only a look can tell whether a code was made."""


class Refused(SeamError):
    """Seam understood the call and refused it; `reason` is Seam's own text, if it was kept."""

    def __init__(
        self, text: str, *, status: int, error_type: str, request_id: str | None = None, reason: str = ""
    ) -> None:
        super().__init__(text, request_id=request_id)
        self.status = status
        self.error_type = error_type
        self.reason = reason


class NotFound(Refused):
    """Seam doesn't have the resource that the call is about."""


class NoSuchDevice(NotFound):
    """Seam has no such device."""


class NoSuchAccessCode(NotFound):
    """Seam has no such access code."""


class NoSuchAccount(NotFound):
    """Seam has no such connected account."""


class Unreadable(SeamError):
    """An answer to a read isn't what Seam documents."""
