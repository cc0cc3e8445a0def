"""Fixtures: a running `web` on the tests' data server."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager
from typing import Any

import pytest
from redis import Redis

from shared.settings import Settings
from tests.receiver.web import Web, running, served, settings_for
from tests.support.server import DataServer


@pytest.fixture(params=[running, served], ids=["asgi", "http"])
def way(request: Any) -> Callable[[Settings], AbstractContextManager[Web]]:
    """Both ways to the same endpoints: over ASGI alone, and on our server, which takes the short way where it can."""
    run: Callable[[Settings], AbstractContextManager[Web]] = request.param
    return run


@pytest.fixture
def web(
    way: Callable[[Settings], AbstractContextManager[Web]], data_server: DataServer, redis_client: Redis
) -> Iterator[Web]:
    """Run `web` on an empty data server."""
    del redis_client
    with way(settings_for(data_server.url)) as it:
        yield it
