"""Commands: the worker does what a person asks for in the console, as if a button in Slack had been pressed.

An order is appended to `ops-commands`; the worker takes it out of the stream once it is done. So this waits until it is
gone, for a few seconds, to be able to say whether it was done.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Final, cast

import structlog

from receiver.console.ports import Ports
from shared.contracts import OPS_STREAM
from shared.ops_commands import COMMAND_FIELD, OpsCommand

_WAIT: Final = 6.0
_WAIT_FOR_MANY: Final = 20.0
_POLL: Final = 0.1

log: structlog.stdlib.BoundLogger = structlog.get_logger()


def order_many(ports: Ports, commands: Sequence[OpsCommand]) -> list[bool]:
    """Give many orders at once; say of each whether a worker took it within some seconds. None is lost."""
    pipeline = ports.redis.pipeline(transaction=False)
    for command in commands:
        pipeline.xadd(OPS_STREAM, {COMMAND_FIELD: command.encoded()})
    entry_ids = [str(each) for each in pipeline.execute()]
    if not entry_ids:
        return []
    log.info("commands.given", action=commands[0].action, by=commands[0].by, orders=len(entry_ids))
    deadline = time.monotonic() + _WAIT_FOR_MANY
    while True:
        found = cast(Any, ports.redis.xrange(OPS_STREAM, entry_ids[0], entry_ids[-1]))
        left = {str(entry_id) for entry_id, _ in found}.intersection(entry_ids)
        if not left or time.monotonic() >= deadline:
            return [entry_id not in left for entry_id in entry_ids]
        time.sleep(_POLL)


@dataclass(frozen=True, slots=True)
class Order:
    """An order that was given: the id of its entry, and whether a worker did, or refused, it within some seconds."""

    entry_id: str
    is_done: bool


def give(ports: Ports, command: OpsCommand, *, until: Callable[[str], bool] = lambda _: True) -> Order:
    """Give an order and wait for it.

    It is not lost where it wasn't: it stays in the stream until a worker has done it. `until` says whether what follows
    from it has happened too; it gets the order's id.
    """
    entry_id = str(ports.redis.xadd(OPS_STREAM, {COMMAND_FIELD: command.encoded()}))
    log.info("command.given", action=command.action, by=command.by, entry_id=entry_id)
    is_gone = wait_for(
        lambda: not cast(Any, ports.redis.xrange(OPS_STREAM, entry_id, entry_id)) and until(entry_id), within=_WAIT
    )
    return Order(entry_id, is_gone)


def wait_for(is_so: Callable[[], bool], *, within: float) -> bool:
    """Wait until something is so; say whether it was within so many seconds."""
    deadline = time.monotonic() + within
    while time.monotonic() < deadline:
        if is_so():
            return True
        time.sleep(_POLL)
    return False
