"""Three separate hosts: one is cut off for 20 s, and one has a clock that is five minutes wrong.

Each host has a data server and a Sentinel; two have `web` and `worker`, the third has Seam (the sandbox). The test is
the booking system and the sender of webhooks, beside them on the network. It needs root; without it nothing is run, and
a message says so.
"""

import argparse
import os
import secrets
import shutil
import sys
import threading
import time
from base64 import b64encode
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import mkdtemp
from typing import Any

import httpx
from redis import Redis
from redis.exceptions import RedisError

from deploy.local.data_server import find_binary
from deploy.local.supervisor import Command, Supervisor
from shared.clock import system_clock
from tests.faults.failing_over import SETTINGS, BookingLoad, not_ready
from tests.faults.load import WebhookLoad, wait_for_all
from tests.faults.table import Row, table
from tests.receiver.web import event_of, signed
from tests.support.hosts import Host, NoHosts, clock_ahead, enter_own_network, make_hosts
from tests.support.machine import PROJECT, Machine
from tests.support.waiting import wait_until

NAME = "oracode"
CUT_OFF_FOR = 20.0
# A webhook with the right time is refused by a clock that is ahead by this much.
AHEAD = 310
_WEB, _SEAM, _DATA, _SENTINEL = 8080, 8765, 6379, 26379
_SERVER = """\
bind *
port {port}
protected-mode no
requirepass {password}
masterauth {password}
dir {directory}
appendonly yes
appendfsync always
save ""
maxmemory-policy noeviction
repl-diskless-sync-delay 0
repl-timeout 10
logfile log
{more}
"""
_SENTINEL_FILE = """\
bind *
port {port}
protected-mode no
dir {directory}
logfile log
sentinel monitor {name} {primary} {data} 2
sentinel auth-pass {name} {password}
sentinel down-after-milliseconds {name} 5000
sentinel failover-timeout {name} 10000
sentinel parallel-syncs {name} 1
"""


class Site(Machine):
    """The system on three hosts. It has two `web`: `run` names the first; `seen_by` returns one that names another."""

    def __init__(self, directory: Path, hosts: list[Host]) -> None:
        super().__init__(directory / "none")
        self._base = directory
        self.hosts = hosts
        self._password = secrets.token_urlsafe(16)
        sentinels = ",".join(f"{host.address}:{_SENTINEL}" for host in hosts)
        self._run = {
            "web_url": f"http://{hosts[0].address}:{_WEB}",
            "seam_url": f"http://{hosts[2].address}:{_SEAM}",
            "seam_api_key": secrets.token_urlsafe(16),
            "booking_token": secrets.token_urlsafe(16),
            "webhook_secret": "whsec_" + b64encode(secrets.token_bytes(24)).decode(),
            "redis_url": f"redis+sentinel://:{self._password}@{sentinels}/{NAME}/0",
        }
        self._supervisor = Supervisor(directory / "logs", lambda _: None)

    def run(self) -> dict[str, Any]:
        """Return the URLs and ids of everything."""
        return dict(self._run)

    def seen_by(self, host: Host) -> "Site":
        """Return the same system for calls to another host's `web`."""
        other = Site(self._base, self.hosts)
        other._run = self._run | {"web_url": f"http://{host.address}:{_WEB}"}
        return other

    def begin(self, clocks: Mapping[str, Mapping[str, str]]) -> None:
        """Start everything; `clocks` has more environment variables for our processes on a host."""
        for number, host in enumerate(self.hosts):
            more = f"replicaof {self.hosts[0].address} {_DATA}" if number else ""
            self._server(host, f"data-{host.name}", _SERVER, port=_DATA, more=more)
        wait_until(lambda: self._replicas_in_step() == len(self.hosts) - 1, within=30, what="the replicas")
        for host in self.hosts:
            self._server(host, f"sentinel-{host.name}", _SENTINEL_FILE, port=_SENTINEL)
        wait_until(self._sentinels_agree, within=30, what="the Sentinels")
        seam = self.hosts[2]
        arguments = [sys.executable, "-m", "deploy.sandbox", "--host", seam.address, "--port", str(_SEAM)]
        self._on(seam, "sandbox", arguments, {"SANDBOX_API_KEY": self._run["seam_api_key"]})
        wait_until(self._seam_answers, within=30, what="the sandbox")
        for host in self.hosts[:2]:
            clock = clocks.get(host.name, {})
            self._on(host, f"web-{host.name}", [sys.executable, "-m", "receiver"], clock)
            self._on(host, f"worker-{host.name}", [sys.executable, "-m", "worker", "worker"], clock)
            self._on(host, f"beat-{host.name}", [sys.executable, "-m", "worker", "beat"], clock)
            wait_until(lambda: self.is_ready(host), within=60, what=f"web on {host.name}")  # noqa: B023
        url = f"http://{self.hosts[0].address}:{_WEB}/webhooks/seam"
        self.seam("PUT", "/sandbox/webhook", {"url": url, "secret": self._run["webhook_secret"]})

    def end(self) -> None:
        """End everything."""
        self._supervisor.stop(within=40)

    def is_ready(self, host: Host) -> bool:
        """Say whether the host's `web` accepts webhooks."""
        with suppress(httpx.HTTPError):
            return httpx.get(f"http://{host.address}:{_WEB}/readyz", timeout=2).is_success
        return False

    def primary(self) -> Host | None:
        """Return the host that the Sentinels call the primary; None if they call none."""
        with Redis(self.hosts[2].address, _SENTINEL, socket_timeout=2, decode_responses=True) as client:
            try:
                address, _ = client.sentinel_get_master_addr_by_name(NAME)
            except (RedisError, OSError, TypeError, ValueError):
                return None
        return next((host for host in self.hosts if host.address == address), None)

    def _replicas_in_step(self) -> int:
        with Redis(self.hosts[0].address, _DATA, password=self._password, socket_timeout=2) as client:
            try:
                info: Any = client.info("replication")
            except (RedisError, OSError):
                return 0
        return sum(value.get("state") == "online" for key, value in info.items() if key.startswith("slave"))

    def _sentinels_agree(self) -> bool:
        for host in self.hosts:
            with Redis(host.address, _SENTINEL, socket_timeout=2, decode_responses=True) as client:
                try:
                    seen: Any = client.sentinel_masters()[NAME]
                except (RedisError, OSError, KeyError):
                    return False
            if (seen["num-other-sentinels"], seen["num-slaves"]) != (2, 2):
                return False
        return True

    def _seam_answers(self) -> bool:
        with suppress(httpx.HTTPError):
            return httpx.get(f"{self._run['seam_url']}/health", timeout=2).is_success
        return False

    def _server(self, host: Host, name: str, text: str, **values: Any) -> None:
        directory = self._base / name
        directory.mkdir()
        known = {"directory": directory, "password": self._password, "name": NAME}
        known |= {"primary": self.hosts[0].address, "data": _DATA}
        path = directory / "server.conf"
        path.write_text(text.format(**known, **values))
        options = ["--sentinel"] if text is _SENTINEL_FILE else []
        self._on(host, name, [find_binary(), str(path), *options], {})

    def _on(self, host: Host, name: str, arguments: list[str], more: Mapping[str, str]) -> None:
        sink = self._run["seam_url"].removeprefix("http://")
        kept = {key: os.environ[key] for key in ("PATH", "HOME") if key in os.environ}
        environment = {
            **kept,
            **SETTINGS,
            "PYTHONPATH": str(PROJECT),
            "PYTHONUNBUFFERED": "1",
            "REDIS_URL": self._run["redis_url"],
            "SYNC_REPLICAS": "1",
            "SEAM_API_KEY": self._run["seam_api_key"],
            "SEAM_ENDPOINT": self._run["seam_url"],
            "SEAM_WEBHOOK_SECRET": self._run["webhook_secret"],
            "BOOKING_TOKENS": self._run["booking_token"],
            "ALERT_URLS": f"slack+http://{sink}/alerts/slack",
            "ALERT_GROUP_WINDOW": "1s",
            "HOST": host.address,
            "PORT": str(_WEB),
            **more,
        }
        self._supervisor.start(Command(name=name, arguments=host.command(arguments), environment=environment))

    def told(self) -> str:
        """Return everything that people were told."""
        return str(self.seam("GET", "/alerts.json")["alerts"])


@contextmanager
def site(directory: Path, hosts: list[Host], clocks: Mapping[str, Mapping[str, str]]) -> Iterator[Site]:
    """Run the system, and end it afterwards."""
    running = Site(directory, hosts)
    try:
        running.begin(clocks)
        yield running
    finally:
        running.end()


def cut_off(directory: Path, hosts: list[Host]) -> Row:
    """Cut the primary's host off from all others for a while, while both `web` get webhooks and bookings."""
    row = Row(f"the primary's host is cut off for {CUT_OFF_FOR:.0f} s", times=1, within=None)
    with site(directory, hosts, {}) as running:
        other = running.seen_by(hosts[1])
        loads = [WebhookLoad(running), WebhookLoad(other)]
        bookings = BookingLoad(other)
        senders: tuple[WebhookLoad | BookingLoad, ...] = (*loads, bookings)
        for each in senders:
            each.start()
        try:
            wait_until(lambda: all(each.accepted for each in senders), within=30, what="all is accepted")
            began = time.monotonic()
            hosts[0].cut_off()
            threading.Timer(CUT_OFF_FOR, hosts[0].reconnect).start()
            wait_until(
                lambda: running.primary() not in (None, hosts[0]) or time.monotonic() > began + CUT_OFF_FOR,
                within=60,
                what="a promotion, or the host is back",
            )
            promoted = time.monotonic()
            before = len(loads[1].accepted)
            wait_until(lambda: len(loads[1].accepted) > before, within=60, what="the other web accepts")
            row.seconds = [time.monotonic() - promoted]
            if running.primary() == hosts[0]:
                row.notes.append("nobody was promoted: the two Sentinels voted for themselves at the same moment")
            else:
                row.notes.append(
                    f"promoted after {promoted - began:.1f} s; the other web accepts {row.seconds[0]:.1f} s later"
                )
            before = len(loads[0].accepted)
            wait_until(
                lambda: time.monotonic() > began + CUT_OFF_FOR and len(loads[0].accepted) > before,
                within=CUT_OFF_FOR + 60,
                what="the web that was cut off accepts again",
            )
            row.notes.append(
                f"the web that was cut off accepts {time.monotonic() - began - CUT_OFF_FOR:.1f} s after it is back"
            )
            wait_until(bookings.is_done, within=60, what="all bookings")
        finally:
            for each in senders:
                each.stop()
        for load in loads:
            row.lost += wait_for_all(load, running, within=40)
        row.lost += not_ready(running, bookings)
        row.twice += [door for door in bookings.accepted.values() if len(running.codes(door)) > 1]
        accepted = sum(len(load.accepted) for load in loads)
        row.notes.append(f"{accepted} webhooks, {len(bookings.accepted)} bookings were accepted")
    return row


def clocks_differ(directory: Path, hosts: list[Host]) -> Row:
    """Let one host's clock, and then the sender's, be ahead; Seam sometimes times out after the effect."""
    row = Row(f"a host's and the sender's clock {AHEAD} s ahead", times=1, within=None)
    skewed = hosts[1]
    with site(directory, hosts, {skewed.name: clock_ahead(AHEAD)}) as running:
        fault = {
            "operation": "access_codes.create",
            "kind": "timeout_after",
            "probability": 0.3,
            "seconds": 4,
            "times": None,
            "seed": 1,
        }
        running.seam("POST", "/sandbox/faults", fault)
        right, wrong = _signed_at(running, hosts[0], 0), _signed_at(running, skewed, 0)
        if (right, wrong) != (202, 401):
            row.broken.append(f"webhooks that are signed now are answered {right} and, by the clock ahead, {wrong}")
        load, bookings = WebhookLoad(running), BookingLoad(running.seen_by(skewed))
        load.start()
        bookings.start()
        for name in (f"worker on {skewed.name}", f"web on {skewed.name}"):
            wait_until(lambda: f"Clock of {name}" in running.told(), within=90, what=f"people are told of {name}")  # noqa: B023
        wait_until(bookings.is_done, within=60, what="all bookings")
        load.stop()
        bookings.stop()
        if "Clock of the sender" in running.told():
            row.broken.append("the sender's clock was blamed while it was right")
        row.lost += wait_for_all(load, running, within=40) + not_ready(running, bookings)
        row.twice += [door for door in bookings.accepted.values() if len(running.codes(door)) > 1]
        began = time.monotonic()
        answers = _until_told_of_sender(running, hosts[0])
        row.notes.append(
            f"webhooks from a clock {AHEAD} s ahead are answered {answers}, and people are told after"
            f" {time.monotonic() - began:.0f} s"
        )
        row.notes.append(f"{len(load.accepted)} webhooks, {len(bookings.accepted)} bookings were accepted")
    return row


def _until_told_of_sender(running: Site, host: Host) -> set[int]:
    """Send a webhook each second, as a sender whose clock is ahead does, until people are told; return the answers.

    One alone proves little: the next webhook of the sandbox, whose clock is right, is a newer measurement.
    """
    answers: set[int] = set()
    sent_at = float("-inf")

    def is_told() -> bool:
        nonlocal sent_at
        if time.monotonic() - sent_at > 1.0:
            sent_at = time.monotonic()
            answers.add(_signed_at(running, host, AHEAD))
        return "Clock of the sender" in running.told()

    # The check, and then the alert, may be due by the clock that is ahead. Then only sweeps on that host find them, and
    # it discards those of the other host: they seem too old.
    wait_until(is_told, within=180, what="people are told of the sender")
    return answers


def _signed_at(running: Site, host: Host, ahead: float) -> int:
    """Send a webhook that is signed by a clock so far ahead; return the status of the answer."""
    body = str(event_of()).replace("'", '"').encode()
    headers = signed(body, secret=running.run()["webhook_secret"], at=system_clock().timestamp() + ahead)
    return httpx.post(f"http://{host.address}:{_WEB}/webhooks/seam", content=body, headers=headers).status_code


SCENES = (cut_off, clocks_differ)


def main() -> int:
    """Print the table; exit 1 if a promise wasn't kept. If there can be no hosts, say so and exit 0."""
    parser = argparse.ArgumentParser()
    parser.add_argument("--times", type=int, default=1)
    parser.add_argument("--scene", choices=[each.__name__ for each in SCENES], action="append")
    options = parser.parse_args()
    try:
        enter_own_network("tests.faults.three_hosts")
        hosts = make_hosts(3)
        if options.scene is None or clocks_differ.__name__ in options.scene:
            clock_ahead(AHEAD)
    except NoHosts as why:
        print(*table([Row("three hosts", notes=[f"NOT TRIED: {why}"])]), sep="\n")
        return 0
    rows = []
    for scene in SCENES:
        for _ in range(options.times if options.scene is None or scene.__name__ in options.scene else 0):
            directory = Path(mkdtemp(prefix="three-hosts-"))
            row = scene(directory, hosts)
            if row.is_clean():
                shutil.rmtree(directory)
            else:
                print(f"its data is in {directory}", flush=True)
            rows.append(row)
            print(*table([row])[2:-2], sep="\n", flush=True)
    print(*table(rows), sep="\n")
    return 0 if all(row.is_clean() for row in rows) else 1


if __name__ == "__main__":
    raise SystemExit(main())
