"""What reaches a log: one JSON line an event, and no secret in it, whatever went wrong."""

import json
import logging
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from shared.telemetry import AtMost

PIN = "739158"
KEY = 'seam_"tell\\nobody'
PROGRAM = """
import logging, sys, threading, structlog
from shared.telemetry import configure_logging
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
    at_most = AtMost(3, 60, clock=lambda: now[0])

    def passes(text: str, level: int = logging.WARNING) -> logging.LogRecord | None:
        record = logging.LogRecord("uvicorn.error", level, "", 0, text, ("noise",), None)
        return record if at_most.filter(record) else None

    assert sum(passes("Invalid %s") is not None for _ in range(10)) == 3
    assert passes("Something else %s") is not None
    assert all(passes("Invalid %s", logging.ERROR) is not None for _ in range(10))
    now[0] = 61
    after = passes("Invalid %s")
    assert after is not None
    assert getattr(after, "left_out", 0) == 7
