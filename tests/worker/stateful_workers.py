"""Workers that a test can kill at any call, or stop in the middle of one, with one data server and one Seam."""

import json
import threading
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from datetime import UTC, datetime
from queue import SimpleQueue
from typing import Any, Final
from unittest.mock import patch

import httpx
from pydantic import SecretStr
from redis import Redis
from redis.connection import Connection

from shared.redis_client import connect
from shared.seam.client import SeamClient
from shared.settings import Settings
from tests.worker.machine import kept
from tests.worker.stateful_faults import PIN
from tests.worker.stateful_model import LEAD_TIME
from tests.worker.stateful_seam import OPERATIONS, FakeSeam
from worker import assembly, ports
from worker.assembly import Handlers

START: Final = datetime(2036, 11, 21, 12, tzinfo=UTC)
# The workers keep one client to Seam for each thread, so all stopped calls use one thread.
_HELD_WORK: Final = kept(ThreadPoolExecutor(1))


class Killed(BaseException):
    """kill -9: nothing that the worker would have done after this happens."""


class Clock:
    """A clock that the test sets."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> datetime:
        """Return the time that was set."""
        return self.now


class Hold:
    """Stops a thread in the middle of its first call of one operation, before or after the effect, until `let_go`."""

    def __init__(self, operation: str, *, after: bool) -> None:
        self._operation = operation
        self._after = after
        self._is_used = False
        self._go = threading.Event()
        self.news: SimpleQueue[str] = SimpleQueue()

    def at(self, operation: str, *, after: bool) -> None:
        """Stop here if this is the place."""
        if not self._is_used and (operation, after) == (self._operation, self._after):
            self._is_used = True
            self.news.put("held")
            assert self._go.wait(30)

    def let_go(self) -> None:
        """Let the thread go on."""
        self._go.set()


class Worker:
    """One worker process: its handlers, with a counter of their calls, so that it can be killed at any of them."""

    def __init__(self, redis_url: str, clock: Clock) -> None:
        self._clock = clock
        self._settings = Settings(
            seam_api_key=SecretStr("seam_key"),
            seam_endpoint="http://seam.test",
            redis_url=SecretStr(redis_url),
            create_lead_time=LEAD_TIME,
        )
        self.seam: FakeSeam | None = None
        self.hold: Hold | None = None
        self.fuse: int | None = None
        self.leaks: list[str] = []
        self.redis = self._watched(redis_url)
        self.looks: list[tuple[str, str]] = []
        self.handlers: Handlers

    def start(self) -> None:
        """Start it again: it remembers nothing."""
        transport = httpx.MockTransport(self._call)
        client = SeamClient(
            endpoint="http://seam.test",
            api_key="seam_key",
            answer_within=self._settings.seam_timeout,
            transport=transport,
        )
        self.fuse, self.hold, self.looks = None, None, []
        with (
            patch.object(ports, "connect", lambda _, **__: self.redis),
            patch.object(assembly, "seam_client", lambda _, **__: client),
        ):
            self.ports = ports.open_ports(self._settings, (), self._clock)
            self.handlers = assembly.build_handlers(
                self._settings,
                self.ports,
                channels=(),
                units={},
                look=lambda booking_id, key: self.looks.append((booking_id, key)),
                clock=self._clock,
            )

    def run(self, work: Callable[[], Any], *, kill_at: int | None = None) -> bool:
        """Do some work, killed before the `kill_at`-th call (of Seam or the data server); return whether it was."""
        self.fuse = kill_at
        try:
            work()
        except Killed:
            self.start()
            return True
        finally:
            self.fuse = None
        return False

    def run_held(self, work: Callable[[], Any], operation: str, meanwhile: Callable[[], Any], *, after: bool) -> None:
        """Do some work in a thread; in the middle of the call, do `meanwhile`, then let it go on."""
        hold = self.hold = Hold(operation, after=after)
        done: Future[Any] = _HELD_WORK.submit(work)
        done.add_done_callback(lambda _: hold.news.put("done"))
        try:
            if hold.news.get(timeout=30) == "held":
                meanwhile()
        finally:
            hold.let_go()
            done.result(30)
            self.hold = None

    def _call(self, request: httpx.Request) -> httpx.Response:
        operation = OPERATIONS[request.url.path]
        hold = self.hold if threading.current_thread() is not threading.main_thread() else None
        self._burn()
        assert self.seam is not None
        body = json.loads(request.content)
        if operation == "create":
            self.seam.asked(body)
        if hold is not None:
            hold.at(operation, after=False)
        response = self.seam.answer(operation, body)
        if hold is not None:
            hold.at(operation, after=True)
        return response

    def _burn(self) -> None:
        if self.fuse is not None:
            self.fuse -= 1
            if self.fuse < 0:
                raise Killed

    def _watched(self, redis_url: str) -> Redis:
        worker = self

        class Watched(Connection):
            """A connection that dies with its worker, and that fails if a PIN is sent through it."""

            def send_packed_command(self, command: Any, check_health: bool = True) -> None:  # noqa: FBT001, FBT002
                worker._burn()
                sent = b"".join(command) if isinstance(command, list) else command
                if PIN.encode() in sent:
                    worker.leaks.append(sent.decode(errors="replace"))
                super().send_packed_command(command, check_health)  # type: ignore[no-untyped-call]

        redis = connect(redis_url)
        redis.connection_pool.connection_class = Watched
        redis.connection_pool.connection_kwargs["health_check_interval"] = 0
        redis.ping()
        return redis
