"""Fixtures: commands set up logging of their own, and whoever comes after them gets back what was there."""

from collections.abc import Iterator

import pytest
import structlog


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Take back a command's logging: it writes to where this test's standard error was."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)
