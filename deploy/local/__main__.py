"""`python -m deploy.local`, which `oracode up` runs: starts everything, prints its URLs, keeps it running, ends it."""

import argparse
import os
import signal
import sys
import threading
from pathlib import Path

from deploy.local.addresses import Addresses
from deploy.local.check import take_secret_files, unusable_settings
from deploy.local.data_server import NoDataServer
from deploy.local.demo import run_demo
from deploy.local.run import LOCAL_USER, Machine, NotReady
from deploy.local.state import AlreadyRunning, PortTaken, load, lock
from deploy.local.supervisor import end_on_signals
from receiver.console.sessions import make_login_link
from shared.console_tokens import ConsoleToken, Role
from shared.redis_client import connect

UNUSABLE = 2
_DATA_DIR = Path(".oracode")
UNREACHABLE = 3


def main(arguments: list[str]) -> int:
    """Run until a signal ends it, or until the demo is over; return the exit code."""
    options = _options(arguments)
    take_secret_files()
    # An empty setting is a setting that isn't there, here as in every process.
    environment = {name: value for name, value in os.environ.items() if value}
    if problem := _problem(environment, demo=options.demo):
        print(problem, file=sys.stderr)
        return UNUSABLE
    if problems := unusable_settings():
        print("\n".join(problems), file=sys.stderr)
        return UNUSABLE
    stopping = threading.Event()
    end_on_signals(stopping)
    try:
        lock_file = lock(options.data_dir)
        state = load(
            options.data_dir, web_port=options.web_port, seam_port=options.seam_port, console_port=options.console_port
        )
    except (AlreadyRunning, PortTaken, OSError, ValueError) as error:
        print(error, file=sys.stderr)
        return UNUSABLE
    (options.data_dir / "run.json").unlink(missing_ok=True)
    machine = Machine(options.data_dir, state, environment)
    try:
        machine.start(lambda line: print(f"· {line}", flush=True))
        if options.demo:
            return run_demo(machine.addresses, stopping)
        print_addresses(machine.addresses)
        _wait(stopping)
    except (NotReady, NoDataServer) as error:
        print(error, file=sys.stderr)
        return UNREACHABLE
    finally:
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        machine.supervisor.stop()
        (options.data_dir / "run.json").unlink(missing_ok=True)
        lock_file.close()
    return 0


def _options(arguments: list[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="oracode up", description="Run everything on this machine.")
    parser.add_argument("--demo", action="store_true", help="publish bookings that end in every state, and follow them")
    parser.add_argument("--data-dir", type=Path, default=_DATA_DIR, help="where everything is kept between runs")
    parser.add_argument("--web-port", type=_port, help="port of web; a free one by default")
    parser.add_argument("--console-port", type=_port, help="port of the console; a free one by default")
    parser.add_argument("--seam-port", type=_port, help="port of the Seam sandbox; a free one by default")
    return parser.parse_args(arguments)


def _port(text: str) -> int:
    if not text.isdigit() or not 0 < int(text) < 65536:  # noqa: PLR2004 - the range of ports
        raise argparse.ArgumentTypeError(f"{text!r} is not a port: 1 to 65535")
    return int(text)


def _problem(environment: dict[str, str], *, demo: bool) -> str | None:
    if "SEAM_API_KEY" in environment:
        if demo:
            return "The demo makes codes that can't be taken back: it runs on the sandbox alone. Unset SEAM_API_KEY."
        if "SEAM_WEBHOOK_SECRET" not in environment:
            return "SEAM_API_KEY is set, so SEAM_WEBHOOK_SECRET must be too: it is in Seam's console, at the webhook."
    elif "SEAM_ENDPOINT" in environment:
        return "SEAM_ENDPOINT is set without SEAM_API_KEY: set both for a real workspace, or neither for the sandbox."
    return None


def print_addresses(addresses: Addresses) -> None:
    """Print the URLs; with real doors, also that this isn't made for production."""
    run_file = addresses.directory / "run.json"
    print(f"\nEverything runs. Where it is: {run_file}\n")
    print(f"  webhooks for Seam    {addresses.web_url}/webhooks/seam")
    if link := _login_link(addresses):
        print(f"  console              {link}   (logs in once, within the hour)")
    kind = "   (the sandbox: doors, codes, alerts)" if addresses.has_sandbox else ""
    print(f"  Seam                 {addresses.seam_url}{kind}")
    if addresses.alerts_url:
        print(f"  alerts sent          {addresses.alerts_url}")
    print(f"  logs                 {addresses.directory / 'logs'}/")
    if addresses.directory != _DATA_DIR:
        print(f"\nCommands find it with:  export ORACODE_DATA_DIR={addresses.directory}")
    if not addresses.has_sandbox:
        print("\nThese are real doors. This is for trying them, not for guests: logs aren't rotated, nobody is told of")
        print("restarts, and all of it ends with this session. docs/deploy.md says how to run it.")
    print("\nTry:  oracode bookings watch   oracode doctor   oracode bookings list\nEnd with Ctrl-C.", flush=True)


def _login_link(addresses: Addresses) -> str:
    """Return a URL that logs in at the console once; if CONSOLE_TOKENS is set, just the console's URL."""
    if os.environ.get("CONSOLE_TOKENS"):
        return addresses.console_url
    token = ConsoleToken(name=LOCAL_USER, role=Role.REVEALER, token=addresses.console_token)
    redis = connect(addresses.redis_url)
    try:
        return f"{addresses.console_url}/login/{make_login_link(redis, token)}"
    finally:
        redis.close()


def _wait(stopping: threading.Event) -> None:
    while not stopping.wait(3600):
        pass


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
