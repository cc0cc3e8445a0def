"""Fixtures: the running app of `web` on the tests' data server."""

from collections.abc import Iterator

import pytest
from redis import Redis

from tests.receiver.web import Web, running, settings_for
from tests.support.server import DataServer


@pytest.fixture
def web(data_server: DataServer, redis_client: Redis) -> Iterator[Web]:
    """Run the app on an empty data server."""
    del redis_client
    with running(settings_for(data_server.url)) as it:
        yield it
