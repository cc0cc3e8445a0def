"""The assembly of `oracode up`: which processes run, with which settings, and waiting until all of them answer."""

import os
import shlex
import socket
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import httpx
import redis
from celery import Celery

from deploy.local import data_server
from deploy.local.state import LocalState, write_private
from deploy.local.supervisor import Command, Supervisor
from shared.console_tokens import Role
from shared.redis_client import connect
from shared.settings import Settings
from shared.streams import GROUP
from worker.broker import broker_settings

# The user of the log-in link that is printed.
LOCAL_USER: Final = "local"
PROJECT: Final = Path(__file__).resolve().parents[2]
_READY_WITHIN: Final = 60.0
_POLL: Final = 0.05
_BACKLOG: Final = 1024
_LOOPBACK: Final = "127.0.0.1"


class NotReady(RuntimeError):
    """Something didn't answer in time; the text names it and its log."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """The URLs and tokens of everything, as in `run.json`."""

    directory: Path
    web_url: str
    console_url: str
    seam_url: str
    redis_url: str = field(repr=False)
    booking_token: str = field(repr=False)
    console_token: str = field(repr=False)
    seam_api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    alerts_url: str | None

    @property
    def has_sandbox(self) -> bool:
        """Whether Seam is the sandbox."""
        return self.alerts_url is not None


class Machine:
    """All processes of one `oracode up`."""

    def __init__(self, directory: Path, state: LocalState, environment: Mapping[str, str]) -> None:
        self._directory = directory
        self._state = state
        self._given = dict(environment)
        self._ready = False
        self.place = _place(directory, state, environment)
        self.supervisor = Supervisor(directory / "logs", self._processes_changed)

    def start(self, progress: Callable[[str], None]) -> None:
        """Start everything, each process after those that it depends on. Raises NotReady."""
        state, place = self._state, self.place
        if "REDIS_URL" not in self._given:
            progress("starting the data server")
            arguments = data_server.configure(
                self._directory / "redis", port=state.redis_port, password=state.redis_password
            )
            self._run("redis", arguments, {}, rank=0)
        self._wait("redis", self._redis_answers)
        if place.has_sandbox:
            progress("starting the Seam sandbox")
            arguments = [sys.executable, "-m", "deploy.sandbox", "--port", str(state.seam_port)]
            arguments += ["--data", str(self._directory / "sandbox.sqlite")]
            self._run("sandbox", arguments, {"SANDBOX_API_KEY": state.seam_api_key}, rank=1)
            self._wait("sandbox", lambda: httpx.get(f"{place.seam_url}/health").is_success)
            httpx.put(
                f"{place.seam_url}/sandbox/webhook",
                json={"url": f"{place.web_url}/webhooks/seam", "secret": place.webhook_secret.split()[0]},
            ).raise_for_status()
        progress("starting web, worker, beat and console")
        host, console_host = (self._given.get(name, _LOOPBACK) for name in ("HOST", "CONSOLE_HOST"))
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
        self._wait("web", lambda: httpx.get(f"{place.web_url}/readyz").is_success)
        self._wait("worker", self._worker_answers)
        self._wait("console", lambda: httpx.get(f"{place.console_url}/healthz").is_success)
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
        place = self.place
        ours = {
            "REDIS_URL": place.redis_url,
            "SEAM_WEBHOOK_SECRET": place.webhook_secret,
            "BOOKING_TOKENS": place.booking_token,
            "CONSOLE_TOKENS": f"{LOCAL_USER}:{Role.REVEALER}:{place.console_token}",
        }
        if place.has_sandbox:
            sink = place.seam_url.removeprefix("http://")
            ours |= {
                "SEAM_API_KEY": place.seam_api_key,
                "SEAM_ENDPOINT": place.seam_url,
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
        client = connect(self.place.redis_url, answer_within=1, connect_within=1)
        try:
            return bool(client.ping())
        except redis.RedisError:
            return False
        finally:
            client.close()

    def _worker_answers(self) -> bool:
        broker = self._given.get("CELERY_BROKER_URL", self.place.redis_url)
        app = Celery(set_as_current=False)
        app.conf.update(broker_settings(broker))
        client = connect(self.place.redis_url)
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
            write_private(self._directory / "run.json", run_json(self.place, pids, settings))


def run_json(place: Place, pids: Mapping[str, int], settings: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of `run.json`; `settings` are those with which commands reach the same system."""
    return {
        "web_url": place.web_url,
        "console_url": place.console_url,
        "console_token": place.console_token,
        "booking_token": place.booking_token,
        "seam_url": place.seam_url,
        "seam_api_key": place.seam_api_key,
        "webhook_secret": place.webhook_secret,
        "redis_url": place.redis_url,
        "alerts_url": place.alerts_url,
        "pids": dict(pids),
        "settings": dict(settings),
    }


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


def _reachable(host: str) -> str:
    """Return the host for a URL by which this machine reaches a server that listens on `host`."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - nothing is bound here
        return _LOOPBACK if host != "::" else "[::1]"
    return f"[{host}]" if ":" in host else host


def _place(directory: Path, state: LocalState, environment: Mapping[str, str]) -> Place:
    api_key = environment.get("SEAM_API_KEY")
    local_redis = f"redis://:{state.redis_password}@127.0.0.1:{state.redis_port}/0"
    local_seam = f"http://127.0.0.1:{state.seam_port}"
    return Place(
        directory=directory,
        web_url=f"http://{_reachable(environment.get('HOST', _LOOPBACK))}:{state.web_port}",
        console_url=f"http://{_reachable(environment.get('CONSOLE_HOST', _LOOPBACK))}:{state.console_port}",
        seam_url=environment.get("SEAM_ENDPOINT", "https://connect.getseam.com") if api_key else local_seam,
        redis_url=environment.get("REDIS_URL", local_redis),
        booking_token=environment.get("BOOKING_TOKENS", state.booking_token).replace(",", " ").split()[0],
        console_token=_console_token(environment.get("CONSOLE_TOKENS", "")) or state.console_token,
        seam_api_key=api_key or state.seam_api_key,
        webhook_secret=environment.get("SEAM_WEBHOOK_SECRET", state.webhook_secret).replace(",", " "),
        alerts_url=None if api_key else f"{local_seam}/alerts",
    )


def _console_token(tokens: str) -> str:
    """Return the first token of CONSOLE_TOKENS; empty if there is none."""
    first = next(iter(tokens.replace(",", " ").split()), "")
    return first.rpartition(":")[2]
