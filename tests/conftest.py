"""Fixtures for all tests."""

import os
import signal
import ssl
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Any

import certifi
import pytest
import structlog
from hypothesis import HealthCheck, settings
from redis import Redis

from shared.redis_client import connect
from tests.support.server import DataServer

settings.register_profile("project", deadline=None, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile("project")


# Whole files of minutes: begun last, they would keep one core busy while the others have nothing left to do.
_LONG = ("faults", "integration", "brokers", "standin", "test_stateful.py")


def pytest_configure() -> None:
    """Let what the tests start be ended by Ctrl-C (in the background of a shell it would ignore it), and start fast."""
    if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
        signal.signal(signal.SIGINT, signal.default_int_handler)
    # Tests start hundreds of processes. Where the environment forbids compiled files, each would compile all modules.
    os.environ.pop("PYTHONDONTWRITEBYTECODE", None)


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Begin with the tests that take long; their order is otherwise as it was."""
    items.sort(key=lambda item: not any(name in item.path.parts for name in _LONG))


@pytest.fixture(scope="session", autouse=True)
def changeable_logging() -> Iterator[None]:
    """Keep loggers from being cached: one that was cached by an earlier test's logging writes past `capture_logs`."""
    configure = structlog.configure

    def configure_without_cache(**options: Any) -> None:
        configure(**options | {"cache_logger_on_first_use": False})

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(structlog, "configure", configure_without_cache)
        yield


@pytest.fixture(autouse=True)
def logging_as_before() -> Iterator[None]:
    """Take back what a test changes of the logging: a level that it set would hide what a later test looks for."""
    before = structlog.get_config()
    yield
    structlog.configure(**before)


@pytest.fixture(scope="session", autouse=True)
def one_tls_context() -> Iterator[None]:
    """Read the trusted certificates once a session: each HTTP client would read them anew, for 20 to 40 ms.

    What asks for certificates of its own gets a context of its own, as always.
    """
    create = ssl.create_default_context
    shared = cache(create)
    # What Python takes, and what httpx takes without and with regard to the environment.
    files = {certifi.where(), os.environ.get("SSL_CERT_FILE", certifi.where())}
    usual = [{}, *({"cafile": file} for file in files)]

    def create_or_share(*arguments: Any, **options: Any) -> ssl.SSLContext:
        if not arguments and options in usual:
            return shared(**options)
        return create(*arguments, **options)

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(ssl, "create_default_context", create_or_share)
        yield


@pytest.fixture(scope="session")
def data_server(tmp_path_factory: pytest.TempPathFactory) -> Iterator[DataServer]:
    """Run one real data server for all tests that only need its answers."""
    server = DataServer(tmp_path_factory.mktemp("data-server"))
    server.start()
    yield server
    server.stop()


@pytest.fixture
def redis_client(data_server: DataServer) -> Iterator[Redis]:
    """Lend an empty database."""
    client = connect(data_server.url)
    client.flushall()
    yield client
    client.close()


@pytest.fixture
def project() -> Path:
    """Return the project's root."""
    return Path(__file__).resolve().parents[1]
