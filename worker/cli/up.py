"""`oracode up`: runs `deploy/local` in this process's place. It is in the checkout, beside this package."""

import os
import sys
from pathlib import Path

import click

_PROJECT = Path(__file__).resolve().parents[2]


@click.command(
    "up",
    context_settings={"ignore_unknown_options": True, "allow_extra_args": True, "help_option_names": []},
)
@click.pass_context
def command(ctx: click.Context) -> None:
    """Run everything on this machine: data server, Seam sandbox (unless SEAM_API_KEY is set), web, worker, beat."""
    if not (_PROJECT / "deploy" / "local").is_dir():
        click.echo("`oracode up` needs the project's checkout: its folder deploy/ is not installed.", err=True)
        ctx.exit(2)
    separator = os.pathsep
    path = os.environ.get("PYTHONPATH")
    environment = {**os.environ, "PYTHONPATH": separator.join(filter(None, [str(_PROJECT), path]))}
    os.execve(sys.executable, [sys.executable, "-m", "deploy.local", *ctx.args], environment)  # noqa: S606 - ourselves
