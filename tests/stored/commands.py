"""The commands, asked about a data server: what they answer as JSON."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

_ORACODE = Path(sys.executable).parent / "oracode"
_OURS = ("SEAM_", "REDIS_", "CELERY_", "BOOKING_", "ALERT", "DOORS_", "ORACODE_", "SANDBOX_")


class Commands:
    """`oracode`, on one data server and nothing else."""

    def __init__(self, redis_url: str) -> None:
        kept = {name: value for name, value in os.environ.items() if not name.startswith(_OURS)}
        self._environment = {**kept, "REDIS_URL": redis_url, "ORACODE_DATA_DIR": os.devnull}

    def lines(self, *arguments: str) -> list[dict[str, Any]]:
        """Return the objects that a command prints, one a line; nothing may be said on standard error."""
        return [json.loads(line) for line in self._answer(*arguments, "--json").splitlines()]

    def one(self, *arguments: str) -> dict[str, Any]:
        """Return the one object that a command prints."""
        found: dict[str, Any] = json.loads(self._answer(*arguments, "--json"))
        return found

    def by(self, name: str, *arguments: str) -> dict[str, dict[str, Any]]:
        """Return the objects that a command prints, by one of their fields."""
        return {each[name]: each for each in self.lines(*arguments)}

    def _answer(self, *arguments: str) -> str:
        ran = subprocess.run(
            [_ORACODE, *arguments], env=self._environment, capture_output=True, text=True, timeout=60, check=False
        )
        assert ran.stderr == "", ran.stderr
        assert ran.returncode in (0, 1), ran.stdout
        return ran.stdout


def texts_in(content: Any) -> Iterator[str]:
    """Yield every text in a JSON value."""
    match content:
        case str():
            yield content
        case dict():
            for name, value in content.items():
                yield name
                yield from texts_in(value)
        case list():
            for value in content:
                yield from texts_in(value)
        case _:
            return
