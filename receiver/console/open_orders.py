"""Orders that no worker has done yet: which there are, and what is known of each.

An order is an entry of `ops-commands`. A worker takes it by reading it, and takes it out of the stream once it is done.
All workers read under one name, so the stream doesn't say which of them took it. Signs of life say which ones ran at
that moment, and whether these still do.
"""

from collections.abc import Callable, Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any, Final, cast

from redis.exceptions import ResponseError

from receiver.console.ports import Ports
from shared.contracts import OPS_STREAM
from shared.domain.entry_ids import moment_of
from shared.domain.versions import NewerVersionNeeded
from shared.ledger.processes import ProcessSigns, SeenProcess
from shared.liveness.fleet import SIGN_EVERY, WORKER, is_alive
from shared.ops_commands import (
    CANCEL,
    CHANGE,
    CHOOSE,
    COMMAND_FIELD,
    DISCARD,
    REISSUE,
    REPLAY,
    RETRY,
    TEST,
    OpsCommand,
    command_from,
)
from shared.streams import GROUP, ORDERS_LOOKED_FOR_EVERY

NOT_YET: Final = "The order is stored, and no worker has done it yet."
_NOT_SEEN_YET: Final = "A worker has carried out the order; what follows from it is not to be seen yet."
_NONE_LIVES: Final = "No worker gives signs of life now"
# Of a flood the first ones: those are done next.
_MOST_READ: Final = 5_000
# A worker reads for a second at a time, and then looks for what others left.
_A_LITTLE_LATER: Final = timedelta(seconds=2)
_WHAT: Final[Mapping[str, str]] = {
    RETRY: "another try",
    CHOOSE: "a slot",
    CANCEL: "a cancellation",
    REISSUE: "a new code",
    CHANGE: "a change of the stay",
    TEST: "a test code",
    DISCARD: "a discard",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenOrder:
    """An order that no worker has done yet. `order` is its id; `text` says how it stands, in sentences.

    `what` was ordered, in words: "a new code".
    """

    order: str
    action: str
    what: str
    by: str
    why: str
    given_at: datetime
    text: str


@dataclass(frozen=True, slots=True)
class Standing:
    """How one order stands, in sentences. `is_open`: no worker has done it."""

    text: str
    is_open: bool


def open_orders(ports: Ports, wants: Callable[[OpsCommand], bool]) -> dict[str, list[OpenOrder]]:
    """Return the orders that are wanted and not done, oldest first, by their targets."""
    found: dict[str, OpsCommand] = {}
    for entry_id, entry in cast(Any, ports.redis.xrange(OPS_STREAM, count=_MOST_READ)):
        # One of another version is no concern of this one.
        with suppress(ValueError, NewerVersionNeeded):
            command = command_from(str(entry.get(COMMAND_FIELD, "")))
            if wants(command):
                found[str(entry_id)] = command
    if not found:
        return {}
    texts = _texts(ports, list(found))
    by_target: dict[str, list[OpenOrder]] = {}
    for entry_id, command in found.items():
        by_target.setdefault(command.target, []).append(_open(entry_id, command, texts[entry_id]))
    return by_target


def not_yet(ports: Ports, entry_id: str) -> Standing:
    """Return how an order stands whose outcome isn't to be seen within the time that an answer waits."""
    if not cast(Any, ports.redis.xrange(OPS_STREAM, entry_id, entry_id)):
        return Standing(_NOT_SEEN_YET, is_open=False)
    return Standing(_texts(ports, [entry_id])[entry_id], is_open=True)


def _open(entry_id: str, command: OpsCommand, text: str) -> OpenOrder:
    return OpenOrder(
        order=entry_id,
        action=command.action,
        what=_what(command),
        by=command.by,
        why=command.reason,
        given_at=moment_of(entry_id),
        text=text,
    )


def _what(command: OpsCommand) -> str:
    if command.action == REPLAY:
        return "a corrected replay" if command.message else "a replay"
    return _WHAT.get(command.action, command.action.replace("_", " "))


def _texts(ports: Ports, entry_ids: list[str]) -> dict[str, str]:
    """Return how each of these entries stands; they are in the stream's order."""
    taken = _taken_for(ports, entry_ids)
    workers = [it for it in ProcessSigns(ports.redis).seen() if it.identity.process == WORKER]
    now, after = ports.clock(), ports.reclaim_after
    return {name: standing(taken.get(name), workers, now=now, reclaim_after=after) for name in entry_ids}


def _taken_for(ports: Ports, entry_ids: list[str]) -> dict[str, timedelta]:
    """Return for how long a worker has had each of these entries that one took."""
    try:
        pending = cast(
            Any, ports.redis.xpending_range(OPS_STREAM, GROUP, entry_ids[0], entry_ids[-1], count=_MOST_READ)
        )
    except ResponseError:
        # No worker has ever run on this data server: there is no group yet.
        return {}
    return {it["message_id"]: timedelta(milliseconds=it["time_since_delivered"]) for it in pending}


def standing(
    taken_for: timedelta | None, workers: Iterable[SeenProcess], *, now: datetime, reclaim_after: timedelta
) -> str:
    """Say how an order stands that isn't done. Pure.

    A worker has had it `taken_for` so long, None where none took it. It is taken over once that is `reclaim_after`.
    """
    known = list(workers)
    lives = any(map(is_alive, known))
    if taken_for is None:
        return NOT_YET if lives else f"{NOT_YET} {_NONE_LIVES}: it is done once one runs."
    taken_at = now - taken_for
    said = f"The order is stored. A worker took it at {_clock(taken_at)}, and has not done it yet."
    not_before = taken_at + reclaim_after
    latest = not_before + ORDERS_LOOKED_FOR_EVERY + _A_LITTLE_LATER
    if not lives:
        return f"{said} {_NONE_LIVES}: one that is started takes it over, from {_clock(not_before)} on."
    if now > latest:
        return f"{said} Another should have taken it over at {_clock(latest)}: the page Health says more."
    ran_then = [it for it in known if it.identity.started_at <= taken_at <= now - it.silent_for + 2 * SIGN_EVERY]
    gone = [it for it in ran_then if not is_alive(it)]
    takes_over = f"another one takes it over by {_clock(latest)}"
    if gone and len(gone) == len(ran_then):
        return f"{said} That worker gives no sign of life any more: {takes_over}."
    if gone:
        return f"{said} A worker that ran then gives no sign of life any more. If it had the order, {takes_over}."
    return f"{said} Unless it does it before, {takes_over}."


def _clock(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%H:%M:%S} UTC"
