"""Waiting for a condition with a deadline; no test sleeps for a fixed time."""

import time
from collections.abc import Callable
from typing import TypeVar

T = TypeVar("T")


def wait_until(condition: Callable[[], T], *, within: float = 15.0, what: str = "") -> T:
    """Return the first truthy answer of `condition`. Fails the test, naming `what`, after `within` seconds."""
    deadline = time.monotonic() + within
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > deadline:
            raise AssertionError(f"not within {within} s: {what or condition}; last answer: {answer!r}")
        time.sleep(0.02)
