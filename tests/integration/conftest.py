"""One running system for all tests that leave it whole."""

from collections.abc import Iterator

import pytest

from tests.receiver.test_slack_actions import SECRET as SLACK_SECRET
from tests.support.machine import Machine


@pytest.fixture(scope="package")
def machine(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Machine]:
    """Run everything once, with waits that a test can sit out."""
    running = Machine(
        tmp_path_factory.mktemp("machine") / "data",
        {
            "WAITING_RETRY_EVERY": "2s",
            "DOOR_CACHE_FOR": "1s",
            "RECLAIM_AFTER": "5s",
            "SEAM_TIMEOUT": "2s",
            "SLACK_SIGNING_SECRET": SLACK_SECRET,
        },
    )
    running.start()
    yield running
    running.stop()
