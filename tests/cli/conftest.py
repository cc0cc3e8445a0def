"""Fixtures: the system that commands are pointed at, and the device file of `oracode match`."""

import json
from pathlib import Path

import pytest
from redis import Redis

from tests.cli.match_runs import DEVICE
from tests.sandbox.harness import API_KEY, Sandbox
from tests.support.server import DataServer
from tests.worker.conftest import sandbox, shared_sandbox
from tests.worker.machine import Machine

__all__ = ["sandbox", "shared_sandbox"]

# Settings of the tests' own environment that would change what commands do.
_OTHER_SETTINGS = ("ALERT_URLS", "ALERTS_FILE", "DOORS_FILE", "ORACODE_DATA_DIR", "CREATE_LEAD_TIME")


@pytest.fixture
def files(tmp_path: Path) -> Path:
    """Return a folder with `device.json` in it, for `tests.cli.match_runs.run`."""
    (tmp_path / "device.json").write_text(json.dumps({"device": DEVICE}))
    return tmp_path


@pytest.fixture
def machine(redis_client: Redis, data_server: DataServer, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> Machine:
    """Return a worker on the stand-in of Seam, and point the command line at both, and at its ledger."""
    for name in _OTHER_SETTINGS:
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("REDIS_URL", data_server.url)
    monkeypatch.setenv("SEAM_API_KEY", API_KEY)
    monkeypatch.setenv("SEAM_ENDPOINT", sandbox.url)
    return Machine(redis_client, data_server.url, sandbox)
