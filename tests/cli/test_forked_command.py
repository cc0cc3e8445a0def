"""A command that the tests run in a forked process does what the installed `oracode` does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.forked_command import run_oracode

ORACODE = Path(sys.executable).parent / "oracode"
# A data server that isn't there, whatever the tests' own settings say.
ELSEWHERE = {"REDIS_URL": "redis://127.0.0.1:1", "SEAM_API_KEY": "seam_key", "NO_COLOR": "1"}


@pytest.mark.parametrize(
    ("arguments", "stdin", "code"),
    [
        (["--version"], None, 0),
        (["bookings", "chek"], None, 2),
        (["bookings", "check", "-"], '{"booking_id": "BK-ü"}', 1),
        (["bookings", "list"], None, 3),
    ],
    ids=["done", "unusable", "no", "not reached"],
)
def test_it_is_the_same(tmp_path: Path, arguments: list[str], stdin: str | None, code: int) -> None:
    """Output, errors and exit code; from its arguments, standard input, environment and folder."""
    environment = {**os.environ, **ELSEWHERE}
    real = subprocess.run(
        [str(ORACODE), *arguments],
        env=environment,
        cwd=tmp_path,
        input=stdin,
        capture_output=True,
        check=False,
        encoding="utf-8",
    )
    forked = run_oracode(arguments, environment=environment, folder=tmp_path, stdin=stdin)
    assert (forked.stdout, forked.stderr, forked.returncode) == (real.stdout, real.stderr, real.returncode)
    assert real.returncode == code
