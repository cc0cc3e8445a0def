"""The search for secrets finds them where they may be hidden, and doesn't take the protocol's numbers for PINs."""

import base64
import json
from pathlib import Path

import pytest

from tests.support.leaks import everything_on, leaks

PIN, LENGTH = "739158", "100000"


def command(*arguments: str) -> str:
    """Return a command as an append-only file holds it."""
    return f"*{len(arguments)}\r\n" + "".join(f"${len(each)}\r\n{each}\r\n" for each in arguments)


HIDDEN = {
    "a value": command("SET", "key", PIN),
    "a sentence": command("XADD", "stream", "*", "event", f"the PIN is {PIN}."),
    "JSON": command("HSET", "key", "field", json.dumps({"code": PIN})),
    "a packed task": command(
        "LPUSH", "queue", json.dumps({"body": base64.b64encode(f'[["{PIN}"]]'.encode()).decode()})
    ),
    "the end of a file that was cut": command("SET", "key", PIN)[:-2],
}


@pytest.mark.parametrize("content", HIDDEN.values(), ids=HIDDEN)
def test_a_pin_in_an_append_only_file_is_found(tmp_path: Path, content: str) -> None:
    """Wherever in it that is."""
    (tmp_path / "it.incr.aof").write_bytes((command("SELECT", "0") + content).encode())
    assert leaks([PIN], dict(everything_on(tmp_path))) == ["7391… in it.incr.aof"]


def test_the_numbers_of_the_protocol_are_no_pins(tmp_path: Path) -> None:
    """How long a value is, when an entry was added, parts of ids and of times."""
    content = command("SET", "key", "x" * int(LENGTH)) + command("XADD", "s", f"17637{PIN}00-0", "at", f"12:00.{PIN}")
    (tmp_path / "it.incr.aof").write_bytes(content.encode())
    assert leaks([PIN, LENGTH], dict(everything_on(tmp_path))) == []


def test_only_what_holds_secrets_by_its_nature_is_left_out(tmp_path: Path) -> None:
    """Logs, drafts and files of others are searched, in all folders."""
    (tmp_path / "logs").mkdir()
    for name in ("state.json", "run.json", "server.conf", "sandbox.sqlite-wal", "logs/web.log", "run.77.tmp"):
        (tmp_path / name).write_text(f'{{"code": "{PIN}"}}')
    found = leaks([PIN], dict(everything_on(tmp_path)))
    assert found == ["7391… in logs/web.log", "7391… in run.77.tmp"]
