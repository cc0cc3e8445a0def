"""`oracode parked replay`: puts messages back into their streams, and says what became of each, as the console does."""

import time
from collections.abc import Iterator, Mapping
from datetime import timedelta
from typing import Final

import click

from shared.parked import ParkedEntry
from shared.parked_order_texts import discarded_text
from shared.parked_orders import ParkedOrders
from shared.replay_outcomes import USED, ReplayOutcome, ReplayStory, stories_of
from worker.cli.printable import printable
from worker.ports import Ports

_LOOK_EVERY: Final = 0.2


def replay(ports: Ports, entries: list[ParkedEntry], *, by: str) -> list[str]:
    """Put each message back, and say where; return the ids of those that this, or somebody else, replayed."""
    for entry in entries:
        if ports.parked.replay(entry, by=by):
            click.echo(printable(f"{entry.parked_id} went back to {entry.parked.stream}."))
    ids = [entry.parked_id for entry in entries]
    replayed = ports.replays.of(ids)
    for parked_id in ids:
        if parked_id not in replayed:
            unknown = f"{parked_id} is no longer on the list, and nobody noted why."
            for line in list(became_of(ports, parked_id)) or [unknown]:
                click.echo(printable(line), err=True)
    return list(replayed)


def became_of(ports: Ports, parked_id: str) -> Iterator[str]:
    """Yield what became of a message that was taken off the list within a week; nothing where nobody noted that."""
    if it := ports.replays.of([parked_id]).get(parked_id):
        by = f" by {it.by}" if it.by else ""
        mended = ", corrected," if it.is_mended else ""
        yield f"{parked_id} was replayed{by}{mended} at {it.replayed_at:%Y-%m-%d %H:%M:%S} UTC."
        for story in _stories(ports, {parked_id}).values():
            yield story.text
            yield from _where_to_look(story)
    elif note := ParkedOrders(ports.redis).discarded([parked_id]).get(parked_id):
        yield f"{parked_id} is no longer on the list: {discarded_text(note)}"


def follow(ports: Ports, parked_ids: list[str], *, patience: timedelta) -> bool:
    """Say what became of each once that is noted, after `patience` at the latest; say whether all of them were used."""
    deadline = time.monotonic() + patience.total_seconds()
    left, is_used = set(parked_ids), True
    while left:
        is_late = time.monotonic() >= deadline
        stories = _stories(ports, left)
        for parked_id in [it for it in parked_ids if it in stories]:
            story = stories[parked_id]
            if is_late or story.outcome is not ReplayOutcome.WAITING:
                left.remove(parked_id)
                is_used = is_used and story.outcome in USED
                for line in _lines(parked_id, story):
                    click.echo(printable(line))
        # A note that a week has taken away tells nothing more.
        left &= stories.keys()
        if left:
            time.sleep(_LOOK_EVERY)
    return is_used


def _stories(ports: Ports, parked_ids: set[str]) -> Mapping[str, ReplayStory]:
    return stories_of(ports.replays.of(parked_ids), bookings=ports.ledger.get_many, parked=ports.parked)


def _lines(parked_id: str, story: ReplayStory) -> Iterator[str]:
    yield f"{parked_id}: {story.text}"
    yield from _where_to_look(story)


def _where_to_look(story: ReplayStory) -> Iterator[str]:
    if story.is_parked:
        yield f"  Look at it with `oracode parked show {story.result.parked_id}`."
    if story.outcome is ReplayOutcome.WAITING:
        yield "  It isn't lost: it waits there for a worker. Is one running?"
    elif story.booking is not None and story.outcome in USED:
        yield f"  Follow it with `oracode bookings show {story.booking.booking_id}`."
