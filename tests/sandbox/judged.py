"""Hold what the sandbox answers against the schema of Seam's SDK, in the SDK's own interpreter."""

import json
import os
import subprocess
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Self

import httpx
import pytest

from tests.sandbox.harness import ROOT, Sandbox


def sdk_python() -> str:
    """Return the interpreter that has Seam's SDK: it needs an older svix than the service.

    `SDK_PYTHON`, or `.venv-sdk/bin/python` in the project's root. Without one the test is skipped, and fails in CI.
    """
    named = os.environ.get("SDK_PYTHON")
    own = ROOT / ".venv-sdk" / "bin" / "python"
    if named or own.exists():
        return named or str(own)
    reason = "no interpreter with the Seam SDK: set SDK_PYTHON, or make .venv-sdk"
    if os.environ.get("CI"):
        pytest.fail(reason)
    pytest.skip(reason)


def run_with_sdk(module: str, *arguments: str, sent: str = "") -> Any:
    """Run a module of `tests.sandbox.sdk` and return the JSON that it prints."""
    done = subprocess.run(
        [sdk_python(), "-m", f"tests.sandbox.sdk.{module}", *arguments],
        input=sent,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


@dataclass(frozen=True, slots=True)
class Verdict:
    """What the SDK's types say of one answer or event."""

    line: dict[str, Any]
    violations: list[str]


class Schema:
    """What the SDK knows: its calls, and the types of events."""

    @cached_property
    def _facts(self) -> dict[str, Any]:
        facts: dict[str, Any] = run_with_sdk("judge")
        return facts

    @property
    def routes(self) -> dict[str, Any]:
        """Every call of our subjects by its path, with its parameters and the keys of its answer."""
        found: dict[str, Any] = self._facts["routes"]
        return found

    @property
    def event_types(self) -> set[str]:
        """Every event type that exists."""
        return set(self._facts["event_types"])


class Recorder:
    """Keeps every answer that a sandbox's API gives, to be judged together."""

    def __init__(self, sandbox: Sandbox) -> None:
        self._api = sandbox.api
        self.lines: list[dict[str, Any]] = []

    def __enter__(self) -> Self:
        self._api.event_hooks["response"].append(self._keep)
        return self

    def __exit__(self, *_: object) -> None:
        self._api.event_hooks["response"].remove(self._keep)

    def add_events(self, events: list[Any]) -> None:
        """Have events judged too."""
        self.lines += [{"event": event} for event in events]

    def judge(self) -> list[Verdict]:
        """Return the verdict on each answer and event, in order."""
        sent = "\n".join(json.dumps(line) for line in self.lines)
        found = run_with_sdk("judge", sent=sent)["violations"]
        return [Verdict(line, each) for line, each in zip(self.lines, found, strict=True)]

    def _keep(self, answer: httpx.Response) -> None:
        answer.read()
        line = {"path": answer.request.url.path, "status": answer.status_code, "body": answer.json()}
        # A poll that got the same answer again has nothing new to judge.
        if line not in self.lines[-1:]:
            self.lines.append(line)
