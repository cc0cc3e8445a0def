"""The options of a part of the benchmark, and its outcome."""

import time
from dataclasses import dataclass, field
from typing import Any

from bench.targets import Target


@dataclass(frozen=True, slots=True)
class Options:
    """How thoroughly to measure. `quick` is for trying things out: its figures prove nothing."""

    quick: bool = False
    profile: bool = False
    started_at: float = field(default_factory=time.monotonic)

    @property
    def rounds(self) -> int:
        """How often each variant takes its turn."""
        return 1 if self.quick else 3

    def say(self, text: str) -> None:
        """Print the progress."""
        print(f"[{time.monotonic() - self.started_at:6.1f} s] {text}", flush=True)


@dataclass(frozen=True, slots=True)
class Outcome:
    """The outcome of one part: figures for `results.json`, targets with their verdicts, and a table for people."""

    figures: dict[str, Any]
    targets: tuple[Target, ...]
    text: str
