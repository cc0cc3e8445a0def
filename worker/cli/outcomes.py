"""`oracode outcomes`: lists outcomes that webhook receivers haven't taken, sends them again, or discards them."""

import json
from collections.abc import Iterable
from functools import partial

import click

from shared.clock import system_clock
from shared.domain.booking.outcome_queue import OutcomeQueue, QueuedOutcome, discard_given_up, resend_all
from shared.domain.versions import NewerVersionNeeded
from worker.cli.context import open_ledger
from worker.cli.printable import printable
from worker.outcomes.alert import NotTakenAlert
from worker.ports import Ports


@click.group("outcomes", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Look at outcomes that a webhook receiver hasn't taken; send them again, or forget them."""


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per outcome.")
def list_outcomes(*, as_json: bool) -> None:
    """List outcomes that were given up after three days, or failed so far. Exit 1 if one was given up."""
    settings, ports = open_ledger()
    configured = [receiver.name for receiver in settings.outcome_receivers]
    given_up = list(ports.outcome_queues.not_taken())
    names = dict.fromkeys((*configured, *(queue.receiver for queue in given_up), *_receivers_that_wait(ports)))
    tried = [queue for queue in ports.outcome_queues.waiting(names) if queue.attempts]
    lines = [
        *(_line(queue, outcome, "given_up") for queue in given_up for outcome in queue.not_taken),
        *(_line(queue, outcome, "tried_again") for queue in tried for outcome in queue.pending),
    ]
    if not lines and not as_json:
        click.echo("Every outcome was taken.")
    for line in lines:
        click.echo(json.dumps(line) if as_json else _in_words(line))
    raise SystemExit(1 if given_up else 0)


@command.command()
@click.argument("booking_ids", nargs=-1)
@click.option("--receiver", help="Only for this receiver, by the name that `list` shows.")
def resend(booking_ids: tuple[str, ...], *, receiver: str | None) -> None:
    """Send outcomes that weren't taken again, now and in order: of the named bookings, or of all. Exit 1 if none is."""
    _, ports = open_ledger()
    now = system_clock()
    found = _chosen(ports, booking_ids, receiver)
    for queue in found:
        ports.outcome_queues.update(queue.receiver, queue.booking_id, partial(resend_all, now=now))
        count = len(queue.not_taken) + len(queue.pending)
        click.echo(f"{printable(queue.booking_id)}: {count} to {queue.receiver}.")
    _end(ports, found)


@command.command()
@click.argument("booking_ids", nargs=-1, required=True)
@click.option("--receiver", help="Only for this receiver, by the name that `list` shows.")
def discard(booking_ids: tuple[str, ...], *, receiver: str | None) -> None:
    """Forget the outcomes of these bookings that were given up; `all` means every booking. Exit 1 if there are none."""
    _, ports = open_ledger()
    chosen = () if booking_ids == ("all",) else booking_ids
    found = [queue for queue in _chosen(ports, chosen, receiver) if queue.not_taken]
    for queue in found:
        ports.outcome_queues.update(queue.receiver, queue.booking_id, discard_given_up)
        click.echo(f"{printable(queue.booking_id)}: {len(queue.not_taken)} to {queue.receiver} were discarded.")
    _end(ports, found)


def _chosen(ports: Ports, booking_ids: Iterable[str], receiver: str | None) -> list[OutcomeQueue]:
    wanted = set(booking_ids)
    waiting = ports.outcome_queues.waiting(_receivers_that_wait(ports))
    queues = {
        (queue.receiver, queue.booking_id): queue
        for queue in (*ports.outcome_queues.not_taken(), *(each for each in waiting if each.attempts))
    }
    return [
        queue
        for queue in queues.values()
        if (not wanted or queue.booking_id in wanted) and receiver in (None, queue.receiver)
    ]


def _receivers_that_wait(ports: Ports) -> list[str]:
    """Return the receivers with waiting outcomes, also those that the settings here don't have."""
    return list(dict.fromkeys(ports.outcome_queues.receivers()))


def _end(ports: Ports, found: list[OutcomeQueue]) -> None:
    if not found:
        click.echo("There is nothing like that.", err=True)
        raise SystemExit(1)
    alert = NotTakenAlert(queues=ports.outcome_queues, alerts=ports.alerts, clock=system_clock)
    for name in {queue.receiver for queue in found}:
        try:
            alert.resolve_if_over(name)
        except NewerVersionNeeded:
            # The worker of that version resolves it with the next outcome that is taken.
            continue


def _line(queue: OutcomeQueue, outcome: QueuedOutcome, state: str) -> dict[str, object]:
    event = json.loads(outcome.event)
    waits = state == "tried_again"
    return {
        "receiver": queue.receiver,
        "booking_id": queue.booking_id,
        "outcome_id": event["id"],
        "type": event["type"],
        "state": state,
        "queued_at": outcome.queued_at.isoformat(),
        "attempts": queue.attempts if waits and outcome is queue.pending[0] else None,
        "next_at": queue.next_at.isoformat() if waits and queue.next_at else None,
        "error": queue.error,
    }


def _in_words(line: dict[str, object]) -> str:
    when = f"next try {line['next_at']}" if line["next_at"] else "given up"
    return printable(f"{line['outcome_id']}  {line['type']}  {line['receiver']}  {when}  {line['error']}")
