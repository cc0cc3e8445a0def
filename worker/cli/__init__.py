"""The command line `oracode`. A command's module is imported only when it is used, so that `--help` answers at once."""

import importlib
import sys
from collections.abc import Mapping, Sequence
from difflib import get_close_matches
from typing import Any, Final

import click

_COMMANDS: Final[Mapping[str, tuple[str, str]]] = {
    "up": ("worker.cli.up", "Run everything on this machine."),
    "doctor": ("worker.cli.doctor", "Check settings, data server, Seam and every door."),
    "match": ("worker.cli.match", "Explain which time slot serves a booking."),
    "slots": ("worker.cli.slots", "Draw a door's time slots over the day."),
    "doors": ("worker.cli.doors", "Make a DOORS_FILE from Seam's doors, or compare one with them."),
    "coverage": ("worker.cli.coverage", "Which bookings fit their doors, and which slots are missing."),
    "bookings": ("worker.cli.bookings", "Publish, check, list, show, watch, change, cancel and retry bookings."),
    "arrivals": ("worker.cli.arrivals", "Who arrives in the next two days, and whether the door will open."),
    "codes": ("worker.cli.codes", "Reveal a booking's PIN (audited), or try a door with a test code."),
    "events": ("worker.cli.events", "Fetch events of Seam that never came by webhook; export what happened."),
    "replay": ("worker.cli.replay", "Try exported bookings against a sandbox, and show what is decided differently."),
    "reconcile": ("worker.cli.reconcile", "Compare the ledger with Seam, code by code; rebuild what is missing."),
    "webhook": ("worker.cli.webhook", "Create the webhook at Seam, and print its secret once."),
    "alerts": ("worker.cli.alerts", "Alerts: list, test channels, handle, silence."),
    "outcomes": ("worker.cli.outcomes", "Outcomes that webhook receivers didn't take: list, resend, discard."),
    "backup": ("worker.cli.backup", "Write everything that the data server holds into one file."),
    "restored": (
        "worker.cli.restored",
        "Say that the data server was restored from a backup: what it lacks is looked for.",
    ),
    "parked": ("worker.cli.parked", "Messages that couldn't be used: list, show, replay, discard."),
}


class LazyGroup(click.Group):
    """A group that imports a command only when it is used."""

    def list_commands(self, _ctx: click.Context) -> list[str]:
        """Return the commands' names in the order of the table."""
        return list(_COMMANDS)

    def get_command(self, _ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import and return one command."""
        if cmd_name not in _COMMANDS:
            return None
        command: click.Command = importlib.import_module(_COMMANDS[cmd_name][0]).command
        return command

    def resolve_command(
        self, ctx: click.Context, args: list[str]
    ) -> tuple[str | None, click.Command | None, list[str]]:
        """Return the command of these arguments. Raises UsageError, with similar names as suggestions."""
        if args and args[0] not in _COMMANDS and not args[0].startswith("-"):
            near = get_close_matches(args[0], _COMMANDS, cutoff=0.6)
            meant = f" Did you mean {' or '.join(map(repr, near))}?" if near else ""
            ctx.fail(f"No such command {args[0]!r}.{meant}")
        return super().resolve_command(ctx, args)

    def format_commands(self, _ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table of commands without importing them."""
        with formatter.section("Commands"):
            formatter.write_dl([(name, text) for name, (_, text) in _COMMANDS.items()])


@click.group(cls=LazyGroup, context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100})
@click.version_option(package_name="oracode-codes", message="%(version)s")
def oracode() -> None:
    """Turn bookings into dormakaba Oracode door codes, and never let a failure pass in silence.

    Exit codes: 0 done, 1 the answer is no, 2 unusable input, 3 a service can't be reached.
    """


def main(arguments: Sequence[str] | None = None) -> Any:
    """Run the command line. If a service can't be reached, print one line and exit with 3, without a traceback.

    So it is if the output can't be written. If only a newer version can read a record, print one line and exit with 2.
    """
    from worker.cli.output import safe_output  # noqa: PLC0415 - a module of its own, like each command

    try:
        with safe_output():
            return oracode(args=arguments, prog_name="oracode")
    except Exception as error:
        if text := _unreachable(error):
            print(text, file=sys.stderr)
            raise SystemExit(3) from None
        if type(error).__name__ == "NewerVersionNeeded":
            print(f"{error}: use the command line of the newer version.", file=sys.stderr)
            raise SystemExit(2) from None
        raise


def _unreachable(error: Exception) -> str | None:
    """Return the line for an error that means "a service can't be reached"; None for all others."""
    name = f"{type(error).__module__}.{type(error).__name__}"
    if name == "redis.exceptions.BusyLoadingError":
        return "The data server was started just now and is still loading its data: try again in a moment."
    if name == "redis.sentinel.MasterNotFoundError":
        return (
            "No Sentinel of REDIS_URL names a primary: a failover is under way (try again in a moment), or the "
            "Sentinels or all data servers are away."
        )
    if name.startswith("redis.exceptions."):
        return (
            f"The data server can't be used ({type(error).__name__}): check REDIS_URL, or start it with `oracode up`."
        )
    if name.startswith("shared.seam.errors."):
        return f"Seam can't be used: {error}"
    return None
