"""The assembly of `oracode up`: which processes run, with which settings, and waiting until all of them answer."""

import os
import shlex
import socket
import sys
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, Final

import httpx
import redis
from celery import Celery

from deploy.local import data_server
from deploy.local.addresses import LOOPBACK, addresses_of, run_json
from deploy.local.state import LocalState, write_private
from deploy.local.supervisor import Command, Supervisor
from shared.console_tokens import Role
from shared.redis_client import connect
from shared.settings import Settings
from shared.streams import GROUP
from worker.broker import broker_settings

# The user of the console whom the printed link logs in.
LOCAL_USER: Final = "local"
PROJECT: Final = Path(__file__).resolve().parents[2]
_READY_WITHIN: Final = 60.0
_POLL: Final = 0.05
_BACKLOG: Final = 1024


class NotReady(RuntimeError):
    """Something didn't answer in time; the text names it and its log."""


class Machine:
    """All processes of one `oracode up`."""

    def __init__(self, directory: Path, state: LocalState, environment: Mapping[str, str]) -> None:
        self._directory = directory
        self._state = state
        self._given = dict(environment)
        self._ready = False
        self.addresses = addresses_of(directory, state, environment)
        self.supervisor = Supervisor(directory / "logs", self._processes_changed)

    def start(self, progress: Callable[[str], None]) -> None:
        """Start everything, each process after those that it depends on. Raises NotReady."""
        state, addresses = self._state, self.addresses
        if "REDIS_URL" not in self._given:
            progress("starting the data server")
            arguments = data_server.configure(
                self._directory / "redis", port=state.redis_port, password=state.redis_password
            )
            self._run("redis", arguments, {}, rank=0)
        self._wait("redis", self._redis_answers)
        if addresses.has_sandbox:
            progress("starting the Seam sandbox")
            arguments = [sys.executable, "-m", "deploy.sandbox", "--port", str(state.seam_port)]
            arguments += ["--data", str(self._directory / "sandbox.sqlite")]
            self._run("sandbox", arguments, {"SANDBOX_API_KEY": state.seam_api_key}, rank=1)
            self._wait("sandbox", lambda: httpx.get(f"{addresses.seam_url}/health").is_success)
            httpx.put(
                f"{addresses.seam_url}/sandbox/webhook",
                json={"url": f"{addresses.web_url}/webhooks/seam", "secret": addresses.webhook_secret.split()[0]},
            ).raise_for_status()
        progress("starting web, worker, beat and console")
        host, console_host = (self._given.get(name, LOOPBACK) for name in ("HOST", "CONSOLE_HOST"))
        listening = {
            "web": _listen("HOST", host, state.web_port),
            "console": _listen("CONSOLE_HOST", console_host, state.console_port),
        }
        for number, (name, arguments) in enumerate(procfile(PROJECT / "Procfile").items()):
            more = {"PORT": str(state.web_port), "HOST": host}
            more |= {"CONSOLE_PORT": str(state.console_port), "CONSOLE_HOST": console_host}
            if port := self._given.get("METRICS_PORT"):
                # One port for each process: they share this machine.
                more |= {"METRICS_PORT": str(int(port) + number)}
            self._run(name, arguments, more, rank=2, listening=listening.get(name))
        self._wait("web", lambda: httpx.get(f"{addresses.web_url}/readyz").is_success)
        self._wait("worker", self._worker_answers)
        self._wait("console", lambda: httpx.get(f"{addresses.console_url}/healthz").is_success)
        self._ready = True
        self._processes_changed(self.supervisor.pids())

    def _run(
        self,
        name: str,
        arguments: list[str],
        more: Mapping[str, str],
        *,
        rank: int,
        listening: socket.socket | None = None,
    ) -> None:
        environment = {**self._environment(), **more}
        command = Command(name=name, arguments=arguments, environment=environment, rank=rank, listening=listening)
        self.supervisor.start(command)

    def _settings(self) -> dict[str, str]:
        """Return the settings that are used if the environment doesn't have them."""
        addresses = self.addresses
        ours = {
            "REDIS_URL": addresses.redis_url,
            "SEAM_WEBHOOK_SECRET": addresses.webhook_secret,
            "BOOKING_TOKENS": addresses.booking_token,
            "CONSOLE_TOKENS": f"{LOCAL_USER}:{Role.REVEALER}:{addresses.console_token}",
        }
        if addresses.has_sandbox:
            sink = addresses.seam_url.removeprefix("http://")
            ours |= {
                "SEAM_API_KEY": addresses.seam_api_key,
                "SEAM_ENDPOINT": addresses.seam_url,
                "ALERT_URLS": f"slack+http://{sink}/alerts/slack "
                f"webhook+http://{self._state.alert_secret.replace('/', '%2F')}@{sink}/alerts/webhook",
                "ALERT_GROUP_WINDOW": "2s",
                "WAITING_RETRY_EVERY": "15s",
                "DOOR_CACHE_FOR": "5s",
            }
        return ours

    def _environment(self) -> dict[str, str]:
        """Return the environment of every process: our settings, unless the environment has others."""
        path = f"{Path(sys.executable).parent}{os.pathsep}{self._given.get('PATH', os.defpath)}"
        loopback = {"NO_PROXY": "127.0.0.1,localhost", "no_proxy": "127.0.0.1,localhost"}
        ours = {**self._settings(), **loopback, "PYTHONUNBUFFERED": "1"}
        return {**ours, **self._given, "PYTHONPATH": str(PROJECT), "PATH": path}

    def _redis_answers(self) -> bool:
        client = connect(self.addresses.redis_url, answer_within=1, connect_within=1)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _worker_answers(self) -> bool:
        broker = self._given.get("CELERY_BROKER_URL", self.addresses.redis_url)
        app = Celery(set_as_current=False)
        app.conf.update(broker_settings(broker))
        client = connect(self.addresses.redis_url)
        try:
            stream = self._given.get("BOOKING_STREAM", "booking-created")
            groups: Any = client.xinfo_groups(stream)
            return any(group["name"] == GROUP for group in groups) and bool(app.control.ping(timeout=0.5, limit=1))
        except redis.RedisError:
            return False
        finally:
            client.close()
            app.close()

    def _wait(self, name: str, answers: Callable[[], bool]) -> None:
        deadline = time.monotonic() + _READY_WITHIN
        while time.monotonic() < deadline:
            try:
                if answers():
                    return
            except httpx.HTTPError:
                pass
            if self.supervisor.failures().get(name) == 2:  # noqa: PLR2004 - "unusable settings", by our own contract
                break
            time.sleep(_POLL)
        log = self._directory / "logs" / f"{name}.log"
        tail = log.read_text(encoding="utf-8", errors="replace").splitlines()[-12:] if log.exists() else []
        raise NotReady("\n".join([f"{name} doesn't answer; the end of {log}:", *tail]))

    def _processes_changed(self, pids: Mapping[str, int]) -> None:
        if self._ready:
            given = {name: self._given[name] for name in map(str.upper, Settings.model_fields) if name in self._given}
            settings = {**self._settings(), **given}
            write_private(self._directory / "run.json", run_json(self.addresses, pids, settings))


def procfile(path: Path) -> dict[str, list[str]]:
    """Return each process of a Procfile as its arguments."""
    lines = (
        line.partition(":") for line in path.read_text(encoding="utf-8").splitlines() if line.strip() and line[0] != "#"
    )
    return {name.strip(): shlex.split(command) for name, _, command in lines}


def _listen(setting: str, host: str, port: int) -> socket.socket:
    """Open a listening socket. Raises NotReady, naming the setting."""
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), backlog=_BACKLOG, family=family)
    except OSError as error:
        raise NotReady(f"can't listen on {setting} {host}, port {port}: {error.strerror}") from None
