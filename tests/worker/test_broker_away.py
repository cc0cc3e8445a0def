"""The log of `beat` while its broker is away: one short line for each try."""

import json
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

from shared.contracts import QUEUE
from shared.redis_client import connect
from tests.support.server import DataServer
from tests.support.waiting import wait_until


def test_beat_without_a_broker_writes_short_lines(project: Path, tmp_path: Path) -> None:
    """It has the kind of the error, without a traceback, because there is one such line each second."""
    server = DataServer(tmp_path)
    path = tmp_path / "beat.log"
    environment = {**os.environ, "REDIS_URL": server.url, "CELERY_BROKER_URL": "", "LOG_LEVEL": "info"}

    def failures() -> list[dict[str, Any]]:
        lines = [json.loads(line) for line in path.read_text().splitlines() if line.startswith("{")]
        return [line for line in lines if "exception" in line]

    def sends() -> bool:
        with connect(server.url) as redis:
            return bool(redis.llen(QUEUE))

    server.start()
    with path.open("w") as output:
        beat = subprocess.Popen(
            [sys.executable, "-m", "worker", "beat"], cwd=project, env=environment, stdout=output, stderr=output
        )
        try:
            wait_until(sends, within=30, what="beat's first sweep")
            server.kill()
            wait_until(lambda: len(failures()) > 1, within=30, what="beat's failures")
        finally:
            beat.terminate()
            beat.wait(20)
            server.stop()
    for failure in failures():
        assert "SchedulingError" in failure["exception"]
        assert "File " not in json.dumps(failure)
        assert len(json.dumps(failure)) < 1000
