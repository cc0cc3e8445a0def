"""A newer version of this project, made from ours by replacing text; and a checkout in which both run side by side.

The newer one has parts that ours doesn't know: fields in a booking, its doors and their codes; a state, and an order
that leads to it; a task with another name for webhooks. Each is a change that a later version may well make.
"""

import os
import shutil
import signal
from pathlib import Path
from typing import Final

from shared.domain import versions
from tests.support.machine import PROJECT, Machine
from tests.support.waiting import wait_until

PACKAGES: Final = ("receiver", "worker", "shared")
OLD, NEW = "old", "new"
FLEET: Final = {
    "web": "-m receiver",
    "web2": "-m receiver",
    "worker": "-m worker worker",
    "worker2": "-m worker worker",
    "beat": "-m worker beat",
    "console": "-m receiver.console",
}
# Starts the release that a process is to run. Elsewhere a link `current` does that for all; here each process has one.
_LAUNCH: Final = 'name="$1"; shift; cd "{releases}/$(cat "{releases}/$name")"; PYTHONPATH="$PWD" exec python "$@"\n'
PAUSE: Final = "pause_booking"


def _next(schema: str) -> str:
    major, _, minor = schema.partition(".")
    return f"{major}.{int(minor) + 1}"


NEWER_BOOKING: Final = _next(versions.BOOKING)
NEWER_ORDER: Final = _next(versions.ORDER)

_PATCHES: Final = (
    ("shared/domain/versions.py", f'BOOKING: Final = "{versions.BOOKING}"', f'BOOKING: Final = "{NEWER_BOOKING}"'),
    ("shared/domain/versions.py", f'ORDER: Final = "{versions.ORDER}"', f'ORDER: Final = "{NEWER_ORDER}"'),
    # A field in each object. The booking's field says which of its versions the newer process wrote.
    ("shared/domain/booking/record.py", '    drift: str = ""\n', '    drift: str = ""\n    floor: str = ""\n'),
    (
        "shared/domain/booking/record.py",
        "    user_level_id: str | None = None\n",
        '    user_level_id: str | None = None\n    keycard: str = ""\n',
    ),
    ("shared/domain/booking/record.py", "    version: int = 0\n", "    version: int = 0\n    scribed: int = 0\n"),
    ("shared/ledger/bookings.py", "from datetime import ", "from dataclasses import replace\nfrom datetime import "),
    (
        "shared/ledger/bookings.py",
        "        booking = change.booking\n",
        "        booking = replace(change.booking, scribed=(before.version if before else 0) + 1)\n",
    ),
    (
        "shared/domain/booking/transitions/change.py",
        "    entries = (replace(entry,",
        (
            '    code = replace(door.code, keycard="blue") if door.code else None\n'
            '    door = replace(door, floor="7", code=code)\n'
            "    entries = (replace(entry,"
        ),
    ),
    # A state, and the steps into it and out of it.
    ("shared/domain/booking/record.py", '    READY = "ready"\n', '    READY = "ready"\n    PAUSED = "paused"\n'),
    ("shared/domain/booking/transitions/change.py", "    State.READY,\n", "    State.READY,\n    State.PAUSED,\n"),
    (
        "shared/domain/booking/door_state.py",
        "        case State.READY:\n            return Ready(code)\n",
        "        case State.READY | State.PAUSED:\n            return Ready(code)\n",
    ),
    (
        "shared/domain/booking/door_state.py",
        "        case State.RECEIVED | State.ISSUED | State.READY:\n",
        "        case State.RECEIVED | State.ISSUED | State.READY | State.PAUSED:\n",
    ),
    (
        "shared/domain/booking/transitions/code_status.py",
        "def stop_polling(",
        (
            "def pauses(booking: Booking, *, now: datetime) -> Change:\n"
            "    (door,) = booking.doors\n"
            "    due_at = now + timedelta(seconds=4)\n"
            "    return change_door(booking, replace(door, state=State.PAUSED, due_at=due_at), now)\n\n\n"
            "def stop_polling("
        ),
    ),
    (
        "shared/domain/booking/transitions/code_status.py",
        "from datetime import datetime\n",
        "from datetime import datetime, timedelta\n",
    ),
    (
        "shared/domain/booking/transitions/__init__.py",
        "    record_pin_change,\n",
        "    pauses,\n    record_pin_change,\n",
    ),
    (
        "shared/ops_commands.py",
        "ACTIONS: Final = (",
        f'ACTIONS: Final = ("{PAUSE}", ',
    ),
    (
        "worker/handlers/run_ops_command.py",
        "            case _:\n                self._retry(command)\n",
        (
            f'            case "{PAUSE}":\n'
            "                booking = self._ledger.get(command.target)\n"
            "                self._ledger.record(booking, partial(transitions.pauses, now=self._clock()))\n"
            "            case _:\n                self._retry(command)\n"
        ),
    ),
    (
        "worker/handlers/run_ops_command.py",
        "from shared.clock import Clock\n",
        "from shared.clock import Clock\nfrom shared.domain.booking import transitions\n",
    ),
    # A task with another argument has another name.
    ("shared/contracts.py", '"events.record"', '"events.record.2"'),
)


def checkout(directory: Path) -> Path:
    """Make a checkout in which each process can run either release, ours at first; return it."""
    releases = directory / "releases"
    for release in (OLD, NEW):
        for package in PACKAGES:
            shutil.copytree(PROJECT / package, releases / release / package, ignore=_no_caches)
    for path, old, new in _PATCHES:
        _substitute(releases / NEW / path, old, new)
    for package in (*PACKAGES, "deploy"):
        shutil.copytree(PROJECT / package, directory / package, ignore=_no_caches)
    # The second `web` shares the socket of the first.
    shared_socket = 'listening=listening.get("web" if name[:3] == "web" else name))'
    _substitute(directory / "deploy/local/run.py", "listening=listening.get(name))", shared_socket)
    launch = directory / "launch.sh"
    launch.write_text(_LAUNCH.format(releases=releases))
    lines = (f"{name}: sh '{launch}' {name} {arguments}\n" for name, arguments in FLEET.items())
    (directory / "Procfile").write_text("".join(lines))
    for name in FLEET:
        (releases / name).write_text(OLD)
    return directory


def roll(machine: Machine, project: Path, name: str, release: str) -> None:
    """End one process as a restart does, and let it start again with that release."""
    pid = machine.run()["pids"][name]
    (project / "releases" / name).write_text(release)
    os.kill(pid, signal.SIGTERM)
    wait_until(lambda: machine.run()["pids"].get(name) not in (pid, None), within=40, what=f"another {name}")


def _substitute(path: Path, old: str, new: str) -> None:
    text = path.read_text()
    assert text.count(old) == 1, f"{path.name} has {text.count(old)} times {old!r}"
    path.write_text(text.replace(old, new))


def _no_caches(_directory: str, names: list[str]) -> list[str]:
    return [name for name in names if name == "__pycache__"]
