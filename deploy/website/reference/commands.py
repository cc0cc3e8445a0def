"""The page of the command line: every command with its own help."""

from collections.abc import Iterator

import click

from deploy.website.reference.markdown import page
from worker.cli import oracode

_WIDTH = 100


def commands() -> Iterator[tuple[str, click.Command, click.Context]]:
    """Yield each command that does something: its whole name, itself, and the context that its help is made in."""
    yield from _commands_of(oracode, click.Context(oracode, info_name="oracode"))


def _commands_of(command: click.Command, context: click.Context) -> Iterator[tuple[str, click.Command, click.Context]]:
    if not isinstance(command, click.Group):
        yield context.command_path, command, context
        return
    for name in command.list_commands(context):
        inner = command.get_command(context, name)
        if inner is not None and not inner.hidden:
            settings = {"max_content_width": _WIDTH, "terminal_width": _WIDTH, **inner.context_settings}
            yield from _commands_of(inner, click.Context(inner, parent=context, info_name=name, **settings))


def commands_page() -> str:
    """Return the page."""
    parts = [
        f"## {name}\n\n```text\n{command.get_help(context).rstrip()}\n```" for name, command, context in commands()
    ]
    return page(
        "Command line",
        "`oracode COMMAND --help` shows the same. Exit codes: 0 done, 1 the answer is no, 2 unusable input, 3 a service"
        " can't be reached. Commands take their settings from the environment. Those of a system that `oracode up` runs"
        " are found in its `--data-dir` (`.oracode`, or `ORACODE_DATA_DIR`).",
        *parts,
    )
