"""How commands find the running system: the environment's settings, else `run.json` of `oracode up` in this folder."""

import getpass
import json
import os
import sys
from collections.abc import Mapping
from contextlib import closing
from pathlib import Path
from typing import Any

import click

from shared.domain.door.issues import Issue
from shared.doors_file import InvalidDoorsFile
from shared.settings import InvalidSettings, Settings, load_settings
from worker.alerts.setup import Alerting, InvalidAlerting
from worker.ports import Ports, alerting_of, open_ports

_WHERE_KEYS_ARE = (
    "Make a key in Seam's console (Developer, API keys), then: export SEAM_API_KEY=seam_...\n"
    "To try it without an account: start `oracode up` in another terminal, and give this command in the same folder;"
    " the sandbox needs no key of yours (for another --data-dir, set ORACODE_DATA_DIR)."
)
_RUN_FILE = Path(".oracode") / "run.json"


def settings_for(*required: str) -> Settings:
    """Return the settings; those that the environment doesn't have are taken from a local `oracode up`.

    If they can't be used, list every problem and end the command with 2.
    """
    _log_to_stderr()
    local: dict[str, str] = _local_run().get("settings", {})
    given = os.environ.get("SEAM_API_KEY") or os.environ.get("SEAM_API_KEY_FILE")
    # The user's own key is never sent to the sandbox, nor the sandbox's key to Seam.
    is_own_workspace = given not in (None, "", local.get("SEAM_API_KEY"))
    for name, value in local.items():
        is_given = os.environ.get(name) or os.environ.get(f"{name}_FILE")
        if not is_given and not (is_own_workspace and name.startswith("SEAM_")):
            os.environ[name] = value
    try:
        return load_settings(required)
    except InvalidSettings as invalid:
        for name, problem in sorted(invalid.problems.items()):
            click.echo(f"{name} {problem}", err=True)
        if "REDIS_URL" in invalid.problems:
            click.echo("Start the system with `oracode up`, or set REDIS_URL to its data server.", err=True)
        if "SEAM_API_KEY" in invalid.problems:
            click.echo(_WHERE_KEYS_ARE, err=True)
        raise SystemExit(2) from None


def _log_to_stderr() -> None:
    """Write log lines to standard error: standard output is for the command's output only."""
    import structlog  # noqa: PLC0415 - commands on files log nothing

    structlog.configure(
        wrapper_class=structlog.make_filtering_bound_logger("error"),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
    )


def open_ledger() -> tuple[Settings, Ports]:
    """Return the settings and the ledger, which is closed at the end of the command.

    If the command changes a booking, the worker publishes its notices with the next sweep.
    """
    settings = settings_for("REDIS_URL")
    try:
        alerting = alerting_of(settings)
    except ValueError:
        # A command that only reads needs no secrets of channels. The worker sends the alerts, by its own rules.
        ports = open_ports(settings, publishes=False)
    else:
        ports = open_ports(settings, alerting.channels, policy=alerting.policy, publishes=False)
    if (command := click.get_current_context(silent=True)) is not None:
        command.call_on_close(ports.redis.close)
    return settings, ports


def alerting_for(settings: Settings) -> Alerting:
    """Return channels and rules of alerting; ends the command with 2 if they can't be used."""
    try:
        return alerting_of(settings)
    except InvalidDoorsFile as invalid:
        click.echo(f"DOORS_FILE {invalid}", err=True)
        raise SystemExit(2) from None
    except InvalidAlerting as invalid:
        for name, problem in sorted(invalid.problems.items()):
            click.echo(f"{name} {problem}", err=True)
        raise SystemExit(2) from None


def user_name() -> str:
    """Return the name of the user who runs the command, as far as this machine knows."""
    try:
        return getpass.getuser()[:40]
    except (KeyError, OSError):
        return "somebody"


def _local_run() -> dict[str, Any]:
    data_dir = os.environ.get("ORACODE_DATA_DIR")
    path = Path(data_dir) / "run.json" if data_dir else _RUN_FILE
    try:
        content: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError):
        return {}
    return content


def fetch_device(device_id: str) -> Mapping[str, Any]:
    """Return one device as Seam has it. Raises `shared.seam.errors.SeamError`; ends with 2 without SEAM_API_KEY."""
    from worker.ports import seam_client  # noqa: PLC0415 - files alone need no HTTP client

    with closing(seam_client(settings_for("SEAM_API_KEY"))) as client:
        device = client.read("/devices/get", {"device_id": device_id}).get("device")
    return device if isinstance(device, Mapping) else {}


def fetch_account_issues(account_id: str) -> tuple[Issue, ...]:
    """Return the issues of a connected account at Seam; empty if Seam doesn't show them."""
    from shared.seam.accounts import Accounts, NotShown  # noqa: PLC0415 - nor this
    from shared.seam.errors import SeamError  # noqa: PLC0415 - nor this
    from worker.ports import seam_client  # noqa: PLC0415 - files alone need no HTTP client

    with closing(seam_client(settings_for("SEAM_API_KEY"))) as client:
        try:
            return Accounts(client).issues(account_id)
        except (NotShown, SeamError):
            return ()
