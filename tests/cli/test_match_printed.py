"""`oracode match`: what people read in a terminal."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.cli.match_runs import FITS, MISSES, run
from tests.domain.building import device, vendor_slot

HUMAN = """\
BK-1002 at Room 101 (America/Los_Angeles)
2026-12-01 14:00 → 2026-12-05 10:15, 3 days 20 h 15 min, hourly

                              00    03    06    09    12    15    18    21    24
check-in                                                  ▼
check-out                                         ▼
Guest 4pm-10am                ████████████████████············████████████████
Owner                         ████████████████████████████████████████████████

  ✘ Guest 4pm-10am (in: 2 h later, out: 15 min earlier): check-in is more than
  60 minutes away
  ✘ Owner (in: 10 h later, out: 10 h 15 min earlier): a master slot is never
  used

✘ NO SLOT: no usable slot lies within 60 minutes of both check-in and check-out

What would help, smallest change first:
  1. Move the check-in 2 h later, to 2026-12-01 16:00: a code of “Guest
  4pm-10am” then works from 2026-12-01 16:00 to 2026-12-05 10:00
  America/Los_Angeles.
  2. Ask the dormakaba installer for a time slot 14:00 to 10:30: a code then
  works from 2026-12-01 14:00 to 2026-12-05 10:30 America/Los_Angeles.
"""


def test_what_an_operator_sees(files: Path) -> None:
    """The booking, the day, every slot with its gaps, the reason, what to do."""
    assert run(files, MISSES).stdout == HUMAN


def test_matched_for_people(files: Path) -> None:
    """What the gaps mean to the guest."""
    text = run(files, FITS).stdout
    assert "✔ MATCHED: “Guest 4pm-10am”" in text
    assert "The guest waits 15 min at check-in; it ends 15 min before check-out." in text
    assert "← this one" in text


def test_width_and_hostile_names(files: Path) -> None:
    """Lines of 80 columns, and no control character reaches the terminal."""
    names = [
        "\x1b[31mred",
        "[bold]x[/bold]",
        "a\nb",
        "清掃スタッフのための長い名前です" * 3,
        "x" * 200,
        "\u202eabc",
        "",
    ]
    slots = [vendor_slot("16:00[UTC]", "10:00Z", name=name) for name in names]
    (files / "device.json").write_text(json.dumps(device(*slots, display_name="\x1b]0;title\x07")))
    text = run(files, FITS | {"label": "[red]Räume 1"}).stdout
    assert "[bold]x[/bold]" in text
    assert "[red]Räume 1" in text
    for line in text.splitlines():
        assert line.isprintable(), line
        assert len(line) <= 80 or "x" * 100 in line


@pytest.mark.parametrize("encoding", ["ascii", "latin-1", "utf-8"])
def test_terminals_that_cannot_draw(files: Path, encoding: str) -> None:
    """The picture is in ASCII if the terminal has nothing else. It never fails."""
    (files / "booking.json").write_text(json.dumps(MISSES | {"label": "Räume 清"}))
    args = ["--device", str(files / "device.json"), "--booking", str(files / "booking.json")]
    code = "from worker.cli.match import command; command()"
    finished = subprocess.run(
        [sys.executable, "-c", code, *args],
        env={**os.environ, "PYTHONIOENCODING": encoding, "PYTHONUTF8": "0"},
        capture_output=True,
        check=False,
    )
    assert finished.returncode == 1, finished.stderr
    text = finished.stdout.decode(encoding)
    assert ("█" if encoding == "utf-8" else "####") in text
