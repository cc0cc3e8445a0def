"""Fixtures: the running app of `console` on the tests' data server."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.console.console import Console, running, settings_for
from tests.support.server import DataServer


@pytest.fixture
def console(data_server: DataServer, redis_client: Redis) -> Iterator[Console]:
    """Run the app on an empty data server."""
    del redis_client
    with running(settings_for(data_server.url)) as it:
        yield it
