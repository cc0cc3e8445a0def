"""Fixtures: each proxy server in front of a real `web`, or of one that keeps what reached it."""

from collections.abc import Iterator
from resource import RLIM_INFINITY, RLIMIT_NOFILE, getrlimit, setrlimit
from typing import Any

import pytest

from tests.proxy.recording_web import RecordingWeb, recording_web
from tests.proxy.servers import BALANCER, SERVERS, Proxy, missing, running
from tests.receiver.process import WebProcess, web_process
from tests.support.server import DataServer

_FILES = 16_384


@pytest.fixture(scope="session", autouse=True)
def _many_files() -> Iterator[None]:
    """Let the tests, and the servers that they start, open as many files as the system allows, up to _FILES."""
    soft, hard = getrlimit(RLIMIT_NOFILE)
    if soft != RLIM_INFINITY:
        allowed = _FILES if hard == RLIM_INFINITY else min(hard, _FILES)
        setrlimit(RLIMIT_NOFILE, (max(soft, allowed), hard))
    yield
    setrlimit(RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module", params=SERVERS, ids=lambda server: server.name)
def server(request: Any) -> type[Proxy]:
    """Each kind of proxy server in turn; skips, saying so, where it can't be had."""
    kind: type[Proxy] = request.param
    if reason := missing(kind):
        pytest.skip(reason)
    return kind


@pytest.fixture(scope="module")
def web(data_server: DataServer, tmp_path_factory: pytest.TempPathFactory) -> Iterator[WebProcess]:
    """Run a process `web` that knows a load balancer, and counts failed tries after the third."""
    log = tmp_path_factory.mktemp("web") / "log"
    trusted = f"127.0.0.1,{BALANCER}"
    with web_process(data_server.url, log, REJECTION_LIMIT="3", FORWARDED_ALLOW_IPS=trusted) as process:
        yield process


@pytest.fixture(scope="module")
def proxy(server: type[Proxy], web: WebProcess, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run a proxy server in front of `web`."""
    with running(server, tmp_path_factory.mktemp(server.name), web.port) as it:
        yield it


@pytest.fixture(scope="module")
def recorder() -> Iterator[RecordingWeb]:
    """Run a server in place of `web` that keeps the requests it gets."""
    with recording_web() as it:
        yield it


@pytest.fixture(scope="module")
def recorded(server: type[Proxy], recorder: RecordingWeb, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxy]:
    """Run a proxy server in front of the recorder."""
    with running(server, tmp_path_factory.mktemp(server.name), recorder.port) as it:
        yield it
