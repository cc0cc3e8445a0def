"""Drills that need a setup of their own: a full disk, and a data server that is gone for minutes."""

import os
import signal
import time
from collections import Counter
from pathlib import Path
from random import Random

from tests.faults.recovery import Killer
from tests.faults.table import Row
from tests.faults.traffic import Tally, Traffic
from tests.support.machine import Machine
from tests.support.small_disk import SmallDisk
from tests.support.waiting import wait_until

OURS = ("web", "worker", "beat")
# Share of one processor, while there is nothing to do but wait.
_MOST_CPU = 0.25
# Log lines of one process in a second: each loop may log once in two seconds that it waits, and each sweep once.
_MOST_LINES = 6.0
_TICKS = os.sysconf("SC_CLK_TCK") if hasattr(os, "sysconf") else 100


def disk_full(machine: Machine, disk: SmallDisk, seconds: float) -> tuple[Row, set[str]]:
    """Fill the disk of the data server, the logs and `run.json` for so long; return the row and all answers."""
    row = Row(f"disk full for {seconds:.0f} s", times=1)
    traffic = Traffic(machine)
    before = machine.run()["pids"]
    traffic.start()
    disk.fill()
    wait_until(lambda: traffic.load.answers[503] > 0, within=30, what="refusals")
    _last(seconds, traffic, row, meanwhile=disk.fill)
    if machine.run()["pids"]["redis"] != before["redis"]:
        row.broken.append("run.json was written to a full disk: it was none")
    mended_at = time.monotonic()
    disk.make_room()
    row.seconds.append(Killer(machine, Random(1), {}).works_again("redis", mended_at))
    _told_again(machine, before, row)
    return _counted(row, traffic), traffic.said


def data_server_away(machine: Machine, seconds: float) -> tuple[Row, set[str]]:
    """Let no data server start for so long, and watch the other processes meanwhile."""
    row = Row(f"data server gone for {seconds:.0f} s", times=1)
    traffic = Traffic(machine)
    traffic.start()
    configuration = machine.directory / "redis" / "server.conf"
    away = configuration.with_suffix(".away")
    before = machine.run()["pids"]
    alerts = len(machine.seam("GET", "/alerts.json")["alerts"])
    configuration.rename(away)
    os.kill(before["redis"], signal.SIGKILL)
    wait_until(lambda: traffic.load.answers[503] > 0, within=30, what="refusals")
    # A worker may end when Celery's connection breaks while it has messages. Those that wait after that must not end.
    _last(seconds / 4, traffic, row)
    waiting = machine.run()["pids"]
    row.notes += [f"{name} was started anew as its connections broke" for name in OURS if waiting[name] != before[name]]
    cpu, lines, began = {name: _cpu(waiting[name]) for name in OURS}, _lines(machine), time.monotonic()
    _last(seconds * 3 / 4, traffic, row)
    took = time.monotonic() - began
    for name in OURS:
        pid = machine.run()["pids"].get(name)
        if pid != waiting[name]:
            row.broken.append(f"{name} didn't wait: it was started anew")
            continue
        share, said = (_cpu(pid) - cpu[name]) / took, (_lines(machine)[name] - lines[name]) / took
        row.notes.append(f"{name} meanwhile: {share:.1%} of a processor, {said:.1f} lines a second")
        # The cost of `web` depends on its clients.
        if (name != "web" and share > _MOST_CPU) or said > _MOST_LINES:
            row.broken.append(f"{name} doesn't wait quietly")
    mended_at = time.monotonic()
    away.rename(configuration)
    row.seconds.append(Killer(machine, Random(1), {}).works_again("redis", mended_at))
    _counted(row, traffic)
    more = len(machine.seam("GET", "/alerts.json")["alerts"]) - alerts
    row.notes.append(f"messages to people about it: {more}")
    return row, traffic.said


def _last(seconds: float, traffic: Traffic, row: Row, meanwhile: object = None) -> None:
    """Let it go on; every answer in this time must be a refusal with a Retry-After."""
    before = Counter(traffic.load.answers)
    until = time.monotonic() + seconds

    def is_over() -> bool:
        if callable(meanwhile):
            meanwhile()
        return time.monotonic() > until

    wait_until(is_over, within=seconds + 10, what="its end")
    answers = traffic.load.answers - before
    row.notes.append("answers meanwhile: " + ", ".join(f"{status} {times}x" for status, times in answers.items()))
    if not answers[503]:
        row.broken.append("nobody was refused")
    if wrong := [status for status in answers if status not in (202, 503)]:
        row.broken.append(f"answers that are none: {wrong}")
    if traffic.load.impolite:
        row.broken.append(f"{traffic.load.impolite} refusals without Retry-After")


def _told_again(machine: Machine, before: dict[str, int], row: Row) -> None:
    """Check that `run.json` names the running processes, although it couldn't be written when they started."""

    def is_told() -> bool:
        pids = machine.run()["pids"]
        return pids["redis"] != before["redis"] and all(Path(f"/proc/{pid}").exists() for pid in pids.values())

    wait_until(is_told, what="run.json names the processes that run")
    row.broken += [f"left behind: {draft.name}" for draft in machine.directory.glob("*.tmp")]
    if machine.run()["pids"]["web"] != before["web"]:
        row.broken.append("web didn't live through it")


def _counted(row: Row, traffic: Traffic) -> Row:
    tally: Tally = traffic.stop()
    row.lost, row.twice = tally.lost, tally.twice
    row.notes.append(f"under way: {tally.events} webhooks and {tally.bookings} bookings that were accepted")
    return row


def _cpu(pid: int) -> float:
    """Return the processor seconds that a process has used; Linux's."""
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / _TICKS


def _lines(machine: Machine) -> Counter[str]:
    return Counter({path.stem: path.read_bytes().count(b"\n") for path in (machine.directory / "logs").glob("*.log")})
