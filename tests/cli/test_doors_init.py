"""`oracode doors init` without a key says what to do next."""

from pathlib import Path

import pytest
from click.testing import CliRunner

from worker.cli.doors import command


def test_without_a_key_it_says_where_one_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """And that the sandbox needs none."""
    monkeypatch.chdir(tmp_path)
    for name in ("SEAM_API_KEY", "SEAM_API_KEY_FILE", "ORACODE_DATA_DIR"):
        monkeypatch.delenv(name, raising=False)
    done = CliRunner().invoke(command, ["init"])
    assert done.exit_code == 2
    assert "SEAM_API_KEY is not set" in done.output
    assert "export SEAM_API_KEY=" in done.output
    assert "`oracode up`" in done.output
