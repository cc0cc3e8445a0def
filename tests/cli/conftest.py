"""Fixtures: the logging of a command ends with its test; the device file of `oracode match`."""

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
import structlog

from tests.cli.match_runs import DEVICE


@pytest.fixture(autouse=True)
def own_logging() -> Iterator[None]:
    """Restore the logging that the command replaced: it wrote to the standard error of this test."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with `device.json` in it, for `tests.cli.match_runs.run`."""
    (tmp_path / "device.json").write_text(json.dumps({"device": DEVICE}))
    return tmp_path
