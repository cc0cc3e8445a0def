"""What reaches a log: one JSON line an event, and no secret in it, whatever went wrong."""

import asyncio
import json
import logging
import os
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.logging_setup import RepeatedLineFilter

PIN = "739158"
KEY = 'seam_"tell\\nobody'
PROGRAM = """
import logging, sys, threading, structlog
from shared.logging_setup import configure_logging
PIN, KEY = sys.argv[2], sys.argv[3]
configure_logging("test", "debug", [KEY, "x"])
log = structlog.get_logger()
library = logging.getLogger("library")
class Holder:
    def __repr__(self):
        return f"Holder({PIN}, {KEY})"
    __str__ = __repr__
class Broken:
    def __str__(self):
        raise ValueError(PIN)
def fail(pin, key):
    holder = Holder()
    raise ValueError(f"code {pin} with {key}")
"""


def lines_of(project: Path, code: str) -> tuple[list[dict[str, Any]], str]:
    """Run some code in a process that logs as ours do; return its events and everything that it wrote."""
    ran = subprocess.run(
        [sys.executable, "-c", PROGRAM + code, "", PIN, KEY],
        cwd=project,
        capture_output=True,
        text=True,
        check=False,
        timeout=30,
    )
    written = ran.stdout + ran.stderr
    return [json.loads(line) for line in written.splitlines() if line.startswith("{")], written


LEAKS = {
    "under its name": "log.info('a.b', code=PIN, api_key=KEY, webhook_secret=KEY, Authorization=KEY)",
    "inside a structure": "log.info('a.b', data={'args': [PIN, {'token': KEY}], 'inner': ({'pin': PIN},)})",
    "an object in a structure": "log.info('a.b', data={'args': [Holder()]})",
    "an exception": "\ntry:\n    fail(PIN, KEY)\nexcept ValueError:\n    log.exception('a.b')",
    "an exception's text": "\ntry:\n    fail(PIN, KEY)\nexcept ValueError as it:\n    log.error('a.b', error=str(it))",
    "a library's exception": "\ntry:\n    fail(PIN, KEY)\nexcept ValueError:\n    library.exception('task failed')",
    "a library's arguments": "library.error('task %s failed: %r', Holder(), (PIN, KEY))",
    "a library's extra": "library.error('failed', extra={'data': {'args': [PIN], 'kwargs': KEY, 'hostname': 'h'}})",
    "a record that can't be written": "library.error('%s', Broken())",
    "a thread that dies": "\nthread = threading.Thread(target=fail, args=(PIN, KEY)); thread.start(); thread.join()",
    "a process that dies": "fail(PIN, KEY)",
}


@pytest.mark.parametrize("code", LEAKS.values(), ids=LEAKS.keys())
def test_no_way_to_log_leaks(project: Path, code: str) -> None:
    """Something is written, on the level of debugging too, and it holds neither the PIN nor the key."""
    events, written = lines_of(project, code)
    assert events, written
    assert PIN not in written
    assert KEY not in written
    assert json.dumps(KEY)[1:-1] not in written


def test_what_is_said_is_said(project: Path) -> None:
    """Ids, counts and names stay; a traceback names its lines."""
    events, _ = lines_of(project, "log.info('a.b', booking_id='BK-123456', count=123456, stream='s')")
    assert {"event": "a.b", "booking_id": "BK-123456", "count": 123456, "process": "test"}.items() <= events[0].items()
    events, _ = lines_of(project, "\ntry:\n    fail(PIN, KEY)\nexcept ValueError:\n    log.exception('a.b')")
    assert "in fail" in events[0]["exception"]
    assert "ValueError: code ######" in events[0]["exception"]


def test_ids_can_be_searched_for(project: Path) -> None:
    """Several ids in one line stay whole; what isn't one there is masked like anything else."""
    events, _ = lines_of(project, "log.info('a.b', event_ids=['msg_2Lx8123456', PIN, 'it is 739158', 7, None, [PIN]])")
    assert events[0]["event_ids"] == ["msg_2Lx8123456", "######", "it is ######", 7, None, ["######"]]


@pytest.mark.parametrize("text", ["a\\nb", "\\x1b[31mred", "\\u202egnorw", "\\ud800", "\\x00", "{}", '"'], ids=repr)
def test_nothing_breaks_a_line(project: Path, text: str) -> None:
    """Whatever is logged is one line of printable ASCII, and JSON."""
    events, written = lines_of(project, f"log.info('a.b', why='{text}')\nlog.info('c.d')")
    assert [event["event"] for event in events] == ["a.b", "c.d"]
    assert len(written.splitlines()) == 2
    assert written.replace("\n", "").isprintable()
    assert written.isascii()


def test_where_the_server_listens_can_be_read(project: Path) -> None:
    """Its address isn't masked; what it warns of is."""
    events, _ = lines_of(
        project,
        "server = logging.getLogger('uvicorn.error'); server.info('on http://%s:%d', '127.0.0.1', 8080)\n"
        "server.warning('got %s', '739158')",
    )
    assert [event["event"] for event in events] == ["on http://127.0.0.1:8080", "got ######"]


def test_a_short_word_is_no_secret(project: Path) -> None:
    """A password of one letter must not eat the log."""
    events, _ = lines_of(project, "log.info('a.b', why='exact')")
    assert events[0]["why"] == "exact"


def test_what_strangers_cause_is_written_a_few_times(project: Path) -> None:
    """A flood of one message is a few lines, and how many were left out is said later; errors are never left out."""
    del project
    now = [0.0]
    at_most = RepeatedLineFilter(3, 60, clock=lambda: now[0])

    def passes(text: str, level: int = logging.WARNING, error: BaseException | None = None) -> logging.LogRecord | None:
        exc_info = (type(error), error, None) if error else None
        record = logging.LogRecord("uvicorn.error", level, "", 0, text, ("noise",), exc_info)
        return record if at_most.filter(record) else None

    assert sum(passes("Invalid %s") is not None for _ in range(10)) == 3
    assert passes("Something else %s") is not None
    assert all(passes("Invalid %s", logging.ERROR) is not None for _ in range(10))
    assert all(passes("Crashed %s", logging.ERROR, LookupError()) is not None for _ in range(10))
    assert sum(passes("Cut off %s", logging.ERROR, asyncio.CancelledError()) is not None for _ in range(10)) == 3
    now[0] = 61
    after = passes("Invalid %s")
    assert after is not None
    assert getattr(after, "left_out", 0) == 14


CONNECTIONS = {
    "the data server is away": "from redis.exceptions import ConnectionError as It",
    "it answers too late": "from redis.exceptions import TimeoutError as It",
    "it is loading": "from redis.exceptions import BusyLoadingError as It",
    "the broker is away": "from kombu.exceptions import OperationalError as It",
    "RabbitMQ is away": "from amqp.exceptions import RecoverableConnectionError as It",
    "refused": "It = ConnectionRefusedError",
    "no way to there": "import errno; It = lambda text: OSError(errno.EHOSTUNREACH, text)",
}
WHOLE = {
    "a bug": "It = KeyError",
    "another answer of the data server": "from redis.exceptions import ResponseError as It",
    "a file": "It = FileNotFoundError",
    "a full disk": "import errno; It = lambda text: OSError(errno.ENOSPC, text)",
}
RAISED = """
def deep(number):
    if number:
        deep(number - 1)
    raise It('refused by 10.0.0.1')
try:
    deep(10)
except Exception as error:
    data = {'traceback': 'deep', 'id': 'i'}
    library.error('Message Error: %s\\n%s', error, 'a stack' * 500, exc_info=True, extra={'data': data})
    log.warning('a.b', exc_info=error)
"""


@pytest.mark.parametrize("imported", CONNECTIONS.values(), ids=CONNECTIONS.keys())
def test_a_failed_connection_is_one_short_line(project: Path, imported: str) -> None:
    """With its kind: every process writes it each second while a data server is restarted."""
    events, written = lines_of(project, f"\n{imported}\n{RAISED}")
    assert [event["event"].split(":")[0] for event in events] == ["Message Error", "a.b"]
    assert all("refused by" in event["exception"] for event in events)
    assert "Error: " in events[0]["exception"]
    assert events[0]["data"] == {"id": "i"}
    assert "deep" not in written
    assert max(map(len, written.splitlines())) < 500


@pytest.mark.parametrize("imported", WHOLE.values(), ids=WHOLE.keys())
def test_whatever_else_fails_is_told_whole(project: Path, imported: str) -> None:
    """With every line of its traceback."""
    events, _ = lines_of(project, f"\n{imported}\n{RAISED}")
    assert all(event["exception"].count("in deep") > 3 for event in events)


def test_a_bug_beside_a_failed_connection_is_told_whole(project: Path) -> None:
    """What went wrong while a failure was handled is no failed connection itself."""
    code = "\ntry:\n    try:\n        raise ConnectionRefusedError\n    except OSError:\n        fail(PIN, KEY)\n"
    events, _ = lines_of(project, code + "except ValueError:\n    log.exception('a.b')")
    assert "in fail" in events[0]["exception"]


def test_what_ends_a_process_is_told_whole(project: Path) -> None:
    """Once, and where it happened."""
    events, _ = lines_of(project, "\ndef start():\n    raise ConnectionRefusedError('x')\nstart()")
    assert "in start" in events[0]["exception"]


FULL = Path("/dev/full")
SURVIVES = {
    "a line": ("log.info('a.b'); library.error('a sentence'); os._exit(42)", 42),
    "a stalled process": ("from shared.liveness.watchdog import *; end_process(timedelta(seconds=8))", 70),
    "a drain that is cut": ("from worker.graceful_stop import _cut; _cut()", 0),
}


@pytest.mark.parametrize(("code", "status"), SURVIVES.values(), ids=SURVIVES)
@pytest.mark.parametrize("unbuffered", ["", "1"], ids=["buffered", "unbuffered"])
def test_a_full_disk_costs_the_line_and_nothing_else(project: Path, code: str, status: int, unbuffered: str) -> None:
    """Neither stdout nor stderr can be written: no logging call raises, and who means to end does."""
    if not FULL.exists():
        pytest.skip("A LOG ON A FULL DISK WAS NOT TRIED: there is no /dev/full")
    with FULL.open("wb") as full:
        ran = subprocess.run(
            [sys.executable, "-c", f"import os\n{PROGRAM}\n{code}", "", PIN, KEY],
            cwd=project,
            env={**os.environ, "PYTHONUNBUFFERED": unbuffered},
            stdout=full,
            stderr=full,
            check=False,
            timeout=30,
        )
    assert ran.returncode == status
