"""``python -m deploy.sandbox``: the command line; the environment can give every option too."""

import argparse
import logging
import os
import sqlite3
import sys
from collections.abc import Mapping, Sequence
from contextlib import suppress
from pathlib import Path

from pydantic import ValidationError

from deploy.sandbox.app import create_app
from deploy.sandbox.assembly import build
from deploy.sandbox.server import serve
from deploy.sandbox.settings import DEFAULT_API_KEY

DEFAULT_PORT = 8765
# The command line's names of the settings.
_OPTIONS = {
    "latency": "latency_seconds",
    "program_lead": "program_lead_seconds",
    "step": "step_seconds",
    "set_again": "set_again_seconds",
    "retry_scale": "retry_scale",
}


def parser(environment: Mapping[str, str]) -> argparse.ArgumentParser:
    """Return the parser; the environment supplies the defaults."""
    options = argparse.ArgumentParser(prog="python -m deploy.sandbox", description="A stand-in for the Seam API.")

    def add(name: str, kind: type, default: object, text: str) -> None:
        variable = f"SANDBOX_{name.replace('-', '_').upper()}"
        options.add_argument(
            f"--{name}",
            type=kind,
            default=environment.get(variable) or default,
            help=f"{text} ({variable})",
        )

    add("port", int, DEFAULT_PORT, "port to listen on; 0: any free one")
    add("host", str, "127.0.0.1", "address to listen on")
    add("data", Path, None, "SQLite file that keeps the state; without it, memory only")
    add("api-key", str, DEFAULT_API_KEY, "the API key that is accepted")
    add("latency", float, None, "seconds that every API call takes")
    add(
        "program-lead",
        float,
        None,
        "seconds before its start at which a code is programmed; none: at creation",
    )
    add("step", float, None, "seconds that each step of a code's life takes")
    add("set-again", float, None, "seconds after which Seam tries again what the device didn't take")
    add("retry-scale", float, None, "factor on the pauses of the webhook retry schedule")
    return options


def main(arguments: Sequence[str] | None = None) -> int:
    """Run the sandbox; return the exit code."""
    logging.basicConfig(level=logging.WARNING, format="%(levelname)s %(name)s: %(message)s")
    for noisy in ("httpx", "httpcore"):
        logging.getLogger(noisy).setLevel(logging.ERROR)
    options = parser(os.environ).parse_args(arguments)
    given = {setting: getattr(options, name) for name, setting in _OPTIONS.items()}
    overrides = {setting: value for setting, value in given.items() if value is not None}
    try:
        sandbox = build(data=options.data, api_key=options.api_key, overrides=overrides)
    except (ValidationError, sqlite3.Error) as problem:
        print(f"sandbox: {problem}", file=sys.stderr)
        return 2
    with suppress(KeyboardInterrupt):
        serve(create_app(sandbox), options.host, options.port)
    return 0


if __name__ == "__main__":
    sys.exit(main())
