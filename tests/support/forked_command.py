"""Runs `oracode` as a process of its own that was forked from one which has imported everything.

A command takes more than a second of a core, nearly all of it for imports, and the tests run hundreds of commands. What
is imported apart, the process is as a person would start it: its arguments, environment, folder, standard streams and
exit code are its own.
"""

import io
import os
import subprocess
import sys
import tempfile
from collections.abc import Mapping, Sequence
from multiprocessing import get_context
from pathlib import Path

import worker.cli

_WITHIN = 60.0
_CONTEXT = get_context("forkserver")
_CONTEXT.set_forkserver_preload([f"worker.cli.{path.stem}" for path in Path(worker.cli.__file__).parent.glob("*.py")])


def run_oracode(
    arguments: Sequence[str], *, environment: Mapping[str, str], folder: Path, stdin: str | None = None
) -> subprocess.CompletedProcess[str]:
    """Run one command to its end, and return what it wrote. Raises TimeoutExpired after a minute; then it is killed."""
    with tempfile.TemporaryDirectory() as directory:
        streams = [Path(directory) / name for name in ("stdin", "stdout", "stderr")]
        for stream in streams:
            stream.touch()
        streams[0].write_text(stdin or "", encoding="utf-8")
        process = _CONTEXT.Process(target=_run, args=(tuple(arguments), dict(environment), folder, streams))
        process.start()
        process.join(_WITHIN)
        if process.is_alive():
            process.kill()
            process.join()
            raise subprocess.TimeoutExpired(["oracode", *arguments], _WITHIN)
        assert process.exitcode is not None
        _, out, err = (stream.read_text(encoding="utf-8") for stream in streams)
        return subprocess.CompletedProcess(["oracode", *arguments], process.exitcode, out, err)


def _run(arguments: tuple[str, ...], environment: dict[str, str], folder: Path, streams: list[Path]) -> None:
    os.chdir(folder)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["oracode", *arguments]
    for number, stream in enumerate(streams):
        os.dup2(os.open(stream, os.O_RDWR), number)
    sys.stdin = io.TextIOWrapper(os.fdopen(0, "rb", closefd=False), encoding="utf-8")
    sys.stdout = io.TextIOWrapper(os.fdopen(1, "wb", closefd=False), encoding="utf-8")
    sys.stderr = io.TextIOWrapper(os.fdopen(2, "wb", closefd=False), encoding="utf-8", line_buffering=True)
    worker.cli.main()
