"""The fixture of the stateful tests, shared by all examples."""

import logging
from collections.abc import Iterator

import pytest
import structlog
from redis import Redis

from tests.support.server import DataServer
from tests.worker.stateful_world import Stage


@pytest.fixture(scope="module")
def stage(data_server: DataServer) -> Iterator[Stage]:
    """Lend the connections of two workers."""
    redis = Redis.from_url(data_server.url, decode_responses=True)
    structlog.configure(wrapper_class=structlog.make_filtering_bound_logger(logging.CRITICAL))
    yield Stage(redis, data_server.url)
    structlog.reset_defaults()
    redis.close()
