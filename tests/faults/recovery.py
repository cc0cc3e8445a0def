"""Kills processes, and measures how long it takes until each does its work again: working, not only alive."""

import json
import os
import random
import signal
import time
from collections.abc import Callable, Mapping
from contextlib import suppress
from uuid import uuid4

import httpx
from redis.exceptions import RedisError

from shared import redis_keys
from shared.clock import system_clock
from tests.faults.load import webhook
from tests.faults.table import WITHIN, Row
from tests.support.machine import Machine
from tests.support.waiting import PATIENCE


class Killer:
    """Kills by name: a process of `run.json`, or one of `others`, each with a function that ends and starts it."""

    def __init__(self, machine: Machine, random_: random.Random, others: Mapping[str, Callable[[], None]]) -> None:
        self._machine = machine
        self._random = random_
        self._others = others
        self.kills: dict[str, list[float]] = {}
        self.unmeasured: dict[str, int] = {}

    def kill_and_wait(self, name: str) -> None:
        """Kill one and wait until it works again."""
        killed_at = time.monotonic()
        pid = self._kill(name)
        if pid is None and name not in self._others:
            return
        deadline = killed_at + 2 * PATIENCE * WITHIN
        if name not in self._others:
            _until(lambda: self._machine.run()["pids"].get(name) not in (pid, None), deadline)
        self.kills.setdefault(name, []).append(self.works_again(name, killed_at))

    def kill_at_random(self, victims: tuple[str, ...], is_over: Callable[[], bool]) -> None:
        """Kill one after the other without waiting: each that wasn't killed yet, then any, until it is over."""
        left = [name for name in dict.fromkeys(victims) if name not in self.kills]
        while left or not is_over():
            name = left.pop() if left else self._random.choice(victims)
            self._kill(name)
            self.unmeasured[name] = self.unmeasured.get(name, 0) + 1
            time.sleep(0.5 + self._random.random() * 3)

    def works_again(self, name: str, since: float) -> float:
        """Wait until this process does its work again; return how many seconds after `since` (monotonic) that was."""
        for probe in self._probes(name):
            _until(probe, since + 2 * PATIENCE * WITHIN)
        return time.monotonic() - since

    def rows(self) -> list[Row]:
        """Return a row for each name; for `others` there is no promise how soon they start."""
        return [
            Row(
                f"kill -9: {name}",
                times=len(self.kills.get(name, [])) + self.unmeasured.get(name, 0),
                seconds=self.kills.get(name, []),
                within=None if name in self._others else WITHIN,
                is_counted=False,
            )
            for name in sorted({*self.kills, *self.unmeasured})
        ]

    def _kill(self, name: str) -> int | None:
        if name in self._others:
            self._others[name]()
            return None
        pid: int | None = self._machine.run()["pids"].get(name)
        if pid is not None:
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        return pid

    def _probes(self, name: str) -> tuple[Callable[[], bool], ...]:
        match name:
            case "web":
                return (self._web_accepts,)
            case "worker":
                return (self._event_probe(),)
            case "beat":
                return (self._due_probe(),)
            case _:
                return (self._web_accepts, self._event_probe(), self._due_probe())

    def _web_accepts(self) -> bool:
        run = self._machine.run()
        with httpx.Client(base_url=run["web_url"], timeout=5) as client:
            return webhook(client, run["webhook_secret"].split()[0], "PROBES")[1] == 202

    def _event_probe(self) -> Callable[[], bool]:
        """Return a function that says whether an event that is appended from now on is recorded."""
        code = f"PROBE-{uuid4().hex}"
        event = {"event_id": code, "event_type": "access_code.created", "access_code_id": code}
        appended: list[str] = []

        def is_recorded() -> bool:
            with self._machine.redis() as redis:
                if not appended:
                    appended.append(str(redis.xadd("seam-events", {"event": json.dumps(event)})))
                return bool(redis.exists(redis_keys.code_events(code)))

        return is_recorded

    def _due_probe(self) -> Callable[[], bool]:
        """Return a function that says whether beat's sweep claims something that is due from now on."""
        member = json.dumps(["door", f"PROBE-{uuid4().hex}", "none"], separators=(",", ":"))
        due_at = system_clock().timestamp() * 1000 - 1
        added: list[int] = []

        def is_claimed() -> bool:
            with self._machine.redis() as redis:
                if not added:
                    added.append(int(redis.zadd(redis_keys.DUE, {member: due_at})))
                return bool(redis.zscore(redis_keys.DUE, member) != due_at)

        return is_claimed


def _until(is_so: Callable[[], bool], deadline: float) -> None:
    while time.monotonic() < deadline:
        with suppress(RedisError, OSError, ValueError):
            if is_so():
                return
        time.sleep(0.02)
