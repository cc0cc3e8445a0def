"""Waiting for a condition, with a deadline."""

import time
from collections.abc import Callable


class TooLong(RuntimeError):
    """A condition didn't come true in time; the text says which."""


def wait_until(condition: Callable[[], object], *, within: float, what: str, every: float = 0.05) -> float:
    """Wait until the condition is true; return how many seconds that took. Raises TooLong."""
    started = time.monotonic()
    while not condition():
        if time.monotonic() - started > within:
            raise TooLong(f"not within {within:.0f} s: {what}")
        time.sleep(every)
    return time.monotonic() - started
