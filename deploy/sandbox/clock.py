"""The one place where the sandbox looks at the wall clock.

Instants have whole milliseconds, because that is all that Seam's timestamps show: what is compared
inside is then exactly what a client can read and send back.
"""

from collections.abc import Callable
from datetime import UTC, datetime
from typing import TypeAlias

Clock: TypeAlias = Callable[[], datetime]


def now() -> datetime:
    """Return this instant in UTC, cut to milliseconds."""
    moment = datetime.now(UTC)  # noqa: TID251 -- the sandbox's only look at the clock
    return moment.replace(microsecond=moment.microsecond // 1000 * 1000)
