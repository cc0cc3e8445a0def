"""Past capacity: refused before any work is done; and more processes on the same port for more capacity."""

import asyncio
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing, contextmanager
from pathlib import Path
from socket import socket
from typing import Any

import httpx
import pytest
from starlette.types import Message

from receiver.http import BodyReader
from receiver.inbox import Inbox
from receiver.rejections import Rejections
from receiver.sidelines import Sidelines
from receiver.verification import Verifier
from receiver.webhook import SeamWebhook
from shared.clock import system_clock
from shared.redis_client import connect_async
from tests.receiver.web import SECRET
from tests.support.waiting import wait_until

NOBODY = "redis://127.0.0.1:9/0"


async def append(inbox: Inbox, message_id: str) -> bool:
    """Append a message, as a coroutine that a task can run."""
    return await inbox.append(message_id, "m")


async def refused() -> list[Message]:
    """Fill an inbox that nobody empties; return what one webhook more is told."""
    redis = connect_async(NOBODY)
    inbox = Inbox(redis, stream="s", field="f", clock=system_clock)
    webhook = SeamWebhook(
        verifier=Verifier([SECRET]),
        inbox=inbox,
        sidelines=Sidelines(redis),
        clock=system_clock,
        bodies=BodyReader(1_000),
        rejections=Rejections(a_minute=60),
        stream="s",
    )
    waiting: list[asyncio.Task[bool]] = []
    while not waiting or not waiting[-1].done():
        waiting.append(asyncio.create_task(append(inbox, str(len(waiting)))))
        await asyncio.sleep(0)
    sent: list[Message] = []

    async def receive() -> Message:
        raise AssertionError("its body was read")

    async def send(message: Message) -> None:
        sent.append(message)

    await webhook({"type": "http", "method": "POST", "headers": []}, receive, send)
    for task in waiting:
        task.cancel()
    await asyncio.gather(*waiting, return_exceptions=True)
    await redis.aclose()
    return sent


def test_what_cannot_be_taken_is_not_even_read() -> None:
    """Reading and verifying cost more than refusing: a flood of them would leave no time for those who were let in."""
    start, body = asyncio.run(refused())
    assert start["status"] == 503
    assert dict(start["headers"])[b"retry-after"] == b"5"
    assert body["body"] == b'{"error":"unavailable"}'


@contextmanager
def web_process(project: Path, port: int, **settings: str) -> Iterator[subprocess.Popen[bytes]]:
    """Run a process `web`, whatever the environment of the tests holds."""
    ours: dict[str, Any] = {"REDIS_URL": NOBODY, "SEAM_WEBHOOK_SECRET": SECRET, "PORT": str(port), **settings}
    process = subprocess.Popen(
        [sys.executable, "-m", "receiver"],
        cwd=project,
        env={**os.environ, **ours},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGTERM)
        process.wait(10)


def is_alive(port: int) -> bool:
    """Say whether some process `web` answers there."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/healthz", trust_env=False).is_success
    except httpx.HTTPError:
        return False


@pytest.mark.skipif(sys.platform != "linux", reason="ports are shared on Linux alone")
def test_processes_share_a_port_if_told_to(project: Path) -> None:
    """Two listen, the second goes on when the first ends; one that wasn't told to share is refused, with status 3."""
    with closing(socket()) as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    with web_process(project, port, SHARE_PORT="true") as first:
        wait_until(lambda: is_alive(port), what="the first")
        with web_process(project, port, SHARE_PORT="true") as second, web_process(project, port) as selfish:
            assert selfish.wait(15) == 3
            wait_until(lambda: listeners(port) == 2, what="the second")
            first.send_signal(signal.SIGTERM)
            first.wait(10)
            assert all(is_alive(port) for _ in range(5))
            assert second.poll() is None


def listeners(port: int) -> int:
    """Return how many sockets listen on a port of this machine."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)
