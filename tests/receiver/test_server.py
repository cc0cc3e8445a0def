"""How `web` listens, stops and notices that it hangs, on processes of their own."""

import os
import signal
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from redis import Redis

from deploy.local.ports import free_port
from deploy.local.supervisor import Command, Supervisor
from shared.liveness.watchdog import EXIT_STALLED
from tests.receiver.process import (
    WebProcess,
    environment_of,
    is_being_written,
    read_all,
    request,
    statuses,
    web_process,
    webhook,
)
from tests.support.server import DataServer
from tests.support.waiting import wait_until

HELLO = request("GET", "/hello")


@pytest.fixture
def port() -> int:
    """Return a free port."""
    return free_port()


@pytest.fixture
def hanging(port: int) -> Iterator[subprocess.Popen[bytes]]:
    """Run the server that can hang; it is killed afterwards if it is still there."""
    command = [sys.executable, "-m", "tests.receiver.hanging_web", str(port)]
    with subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL) as running:
        wait_until(lambda: answer_of(port), what="the server")
        yield running
        running.kill()


def answer_of(port: int) -> bytes:
    """Ask for a hello; blank where nobody listens."""
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=5) as connection:
            connection.sendall(HELLO)
            return connection.recv(4096)
    except OSError:
        return b""


def test_clients_that_had_connected_are_served_and_told_to_close(hanging: subprocess.Popen[bytes], port: int) -> None:
    """A connection without a request yet, and one that is kept alive, both get their answer after SIGTERM."""
    with (
        socket.create_connection(("127.0.0.1", port), timeout=5) as fresh,
        socket.create_connection(("127.0.0.1", port), timeout=5) as kept,
    ):
        kept.sendall(HELLO)
        wait_until(lambda: kept.recv(4096).endswith(b"hello"), what="the first answer")
        hanging.send_signal(signal.SIGTERM)
        wait_until(lambda: not answer_of(port), what="no new connection is taken")
        for connection in (fresh, kept):
            connection.sendall(HELLO)
            answer = read_all(connection)
            assert statuses(answer) == [200]
            assert b"connection: close" in answer.lower()
    hanging.wait(10)


def test_an_event_loop_that_does_not_turn_ends_the_process(hanging: subprocess.Popen[bytes], port: int) -> None:
    """It ends itself with a status of its own, to be started anew, within the promised time."""
    with socket.create_connection(("127.0.0.1", port)) as connection:
        connection.sendall(request("GET", "/hang"))
        assert hanging.wait(14) == EXIT_STALLED


def test_an_event_that_is_being_written_is_answered_after_sigterm(
    data_server: DataServer, redis_client: Redis, tmp_path: Path
) -> None:
    """It is accepted, and then the process ends."""
    with web_process(data_server.url, tmp_path / "log") as web, web.connect() as connection:
        redis_client.client_pause(60_000, all=False)
        connection.sendall(webhook())
        wait_until(lambda: is_being_written(redis_client), what="it is being written")
        web.signal(signal.SIGTERM)
        wait_until(lambda: not web.listens(), what="it stops listening")
        redis_client.client_unpause()
        assert statuses(read_all(connection)) == [202]
        wait_until(lambda: not web.is_alive(), what="it has ended")
    assert redis_client.xlen("seam-events") == 1


def test_a_stop_does_not_wait_for_half_a_request(data_server: DataServer, tmp_path: Path) -> None:
    """It gets 408 or the end; one that becomes whole within the second is served. None of it is an error in the log."""
    whole = request("POST", "/webhooks/seam", b"{}")
    web = WebProcess(data_server.url, tmp_path / "log")
    with web.connect() as no_head, web.connect() as no_body, web.connect() as late:
        no_head.sendall(whole[:20])
        no_body.sendall(whole[:-1])
        late.sendall(whole[:-1])
        started = time.monotonic()
        with ThreadPoolExecutor() as pool:
            stopped = pool.submit(web.stop)
            wait_until(lambda: not web.listens(), what="no new connection is taken")
            late.sendall(whole[-1:])
            assert statuses(read_all(late)) == [401]
            assert [statuses(read_all(each)) for each in (no_head, no_body)] == [[408], [408]]
            stopped.result()
        # uvicorn would wait for five seconds.
        assert time.monotonic() - started < 5
    assert "exception" not in web.log()


@pytest.mark.skipif(sys.platform != "linux", reason="ports are shared on Linux alone")
def test_processes_share_a_port_if_told_to(data_server: DataServer, tmp_path: Path, port: int) -> None:
    """Two listen, the second goes on when the first ends; one that wasn't told to share is refused, with status 3."""
    with (
        web_process(data_server.url, tmp_path / "first", port=port, SHARE_PORT="true") as first,
        web_process(data_server.url, tmp_path / "second", port=port, SHARE_PORT="true") as second,
    ):
        environment = environment_of(data_server.url, PORT=str(port))
        selfish = subprocess.run(
            [sys.executable, "-m", "receiver"], env=environment, capture_output=True, timeout=15, check=False
        )
        assert selfish.returncode == 3
        wait_until(lambda: listeners(port) == 2, what="the second")
        first.stop()
        assert all(statuses(second.raw(request("GET", "/healthz", close=True))) == [200] for _ in range(5))


def listeners(port: int) -> int:
    """Return how many sockets listen on a port of this machine."""
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return sum(row[1].endswith(f":{port:04X}") and row[3] == "0A" for row in rows)


def test_restarts_under_load_refuse_nobody(data_server: DataServer, redis_client: Redis, tmp_path: Path) -> None:
    """With an inherited socket clients that connect during a restart wait for the next process: no request is lost."""
    accepted: list[bytes] = []
    refused: list[object] = []
    is_over = threading.Event()

    with closing(socket.create_server(("127.0.0.1", 0), backlog=1_000)) as listening:
        address = listening.getsockname()
        supervisor = Supervisor(tmp_path, lambda _: None)
        command = [sys.executable, "-m", "receiver"]
        environment = environment_of(data_server.url)
        supervisor.start(Command(name="web", arguments=command, environment=environment, listening=listening))

        def send() -> None:
            while not is_over.is_set():
                try:
                    with socket.create_connection(address, timeout=20) as connection:
                        connection.sendall(webhook(close=True))
                        answer = read_all(connection)
                    (accepted if statuses(answer) == [202] else refused).append(answer)
                except OSError as error:
                    refused.append(error)

        senders = [threading.Thread(target=send) for _ in range(4)]
        try:
            for sender in senders:
                sender.start()
            for _ in range(2):
                before, pid = len(accepted), supervisor.pids()["web"]
                wait_until(lambda: len(accepted) > before + 20, what="it serves")  # noqa: B023
                os.kill(pid, signal.SIGTERM)
                wait_until(lambda: supervisor.pids().get("web", pid) != pid, what="it is started anew")  # noqa: B023
            before = len(accepted)
            wait_until(lambda: len(accepted) > before + 20, what="it serves again")
        finally:
            is_over.set()
            for sender in senders:
                sender.join()
            supervisor.stop()
    assert refused == []
    assert redis_client.xlen("seam-events") == len(accepted)
