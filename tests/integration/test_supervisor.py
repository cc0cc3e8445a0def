"""The supervisor is the last who may die: whatever fails around it, it goes on supervising."""

import errno
import os
import signal
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

from deploy.local.state import write_private
from deploy.local.supervisor import Command, Supervisor
from tests.support.waiting import wait_until


def test_it_goes_on_where_nobody_can_be_told(tmp_path: Path) -> None:
    """While `run.json` can't be written processes are started all the same; afterwards it is written, once."""
    told: list[Mapping[str, int]] = []
    is_full = False

    def changed(pids: Mapping[str, int]) -> None:
        if is_full:
            raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))
        told.append(pids)

    supervisor = Supervisor(tmp_path, changed)
    environment = {"PATH": os.environ["PATH"]}
    supervisor.start(Command(name="it", arguments=[sys.executable, "-c", "input()"], environment=environment))
    supervisor.start(
        Command(name="stays", arguments=[sys.executable, "-c", "import time; time.sleep(600)"], environment=environment)
    )
    try:
        is_full = True
        before = len(told)
        first = supervisor.pids()["stays"]
        os.kill(first, signal.SIGKILL)
        second = wait_until(lambda: _other(supervisor, first), what="it is started anew")
        os.kill(second, signal.SIGKILL)
        third = wait_until(lambda: _other(supervisor, second), what="and again")
        assert len(told) == before
        is_full = False
        wait_until(lambda: told[-1].get("stays") == third, what="who runs is told")
    finally:
        supervisor.stop()


def test_logs_are_for_their_user_alone(tmp_path: Path) -> None:
    """Also the folder and the file that an older version left open to all."""
    logs = tmp_path / "logs"
    logs.mkdir(mode=0o755)
    (logs / "old.log").write_text("before\n")
    (logs / "old.log").chmod(0o644)
    supervisor = Supervisor(logs, lambda _: None)
    try:
        for name in ("old", "new"):
            supervisor.start(
                Command(name=name, arguments=[sys.executable, "-c", "print('x')"], environment=dict(os.environ))
            )
        assert [stat.S_IMODE(path.stat().st_mode) for path in (logs, *sorted(logs.iterdir()))] == [0o700, 0o600, 0o600]
        assert (logs / "old.log").read_text().startswith("before\n")
    finally:
        supervisor.stop()


def _other(supervisor: Supervisor, pid: int) -> int:
    found = supervisor.pids().get("stays", pid)
    return 0 if found == pid else found


def test_what_cannot_be_written_leaves_the_old_file(tmp_path: Path) -> None:
    """No half a file, and no draft beside it."""
    path = tmp_path / "run.json"
    write_private(path, {"pids": {"web": 1}})
    before = path.read_text()
    path.unlink()
    path.mkdir()
    (path / "inside").touch()
    try:
        write_private(path, {"pids": {"web": 2}})
    except OSError:
        assert [each.name for each in tmp_path.iterdir()] == ["run.json"]
    else:
        raise AssertionError(before)
