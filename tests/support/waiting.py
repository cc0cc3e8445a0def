"""Waiting for a condition with a deadline; no test sleeps for a fixed time."""

import os
import time
from collections.abc import Callable
from typing import Final, Literal, TypeVar

T = TypeVar("T")

PATIENCE: Final = 3 if "PYTEST_XDIST_WORKER" in os.environ else 1
"""How many times as long everything may take: other tests keep the processors busy where tests run side by side.

What is promised about time holds for a machine that does nothing else. `make faults` checks that.
"""


def wait_until(condition: Callable[[], T | Literal[False]], *, within: float = 15.0, what: str = "") -> T:
    """Return the first truthy answer of `condition`. Fails, naming `what`, after PATIENCE * `within` seconds."""
    within *= PATIENCE
    deadline = time.monotonic() + within
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or condition}; last answer: {answer!r}")
        time.sleep(0.02)
