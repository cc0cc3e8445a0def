"""`oracode bookings`: publish, check, list, show, retry, cancel, change, choose, reissue, watch, reindex."""

import json
import sys
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from datetime import datetime
from typing import Any, Final
from uuid import uuid4

import click

from shared.clock import system_clock
from shared.domain.booking.notices import outcome_body
from shared.domain.booking.record import Booking, HistoryEntry, State
from shared.domain.messages.booking_id import booking_id_of
from shared.domain.messages.message import BookingMessage, InvalidMessage, MessageType
from shared.domain.stay.stay import Granularity
from shared.ledger.bookings import UnknownBooking
from shared.settings import Settings
from worker.cli import bookings_view as view
from worker.cli.context import open_ledger, settings_for
from worker.cli.printable import printable
from worker.cli.unknown_ids import end_unknown, find_booking
from worker.handlers.retry_booking import try_again

_WATCH_EVERY: Final = 0.5
_MOST_REFUSED: Final = 5


@click.group("bookings", context_settings={"help_option_names": ["-h", "--help"]})
def command() -> None:
    """Publish, check, list, show and watch bookings; cancel, change and retry them; choose slots, replace codes."""


@command.command()
@click.argument("file", type=click.File("rb"))
def publish(file: Any) -> None:
    """Append the booking messages of FILE (one JSON object, or one per line; - for standard input) to the stream.

    Every message is checked first; if one can't be used, nothing is published, and the exit code is 2.
    """
    settings = settings_for("REDIS_URL")
    messages = checked_messages(file.read(), settings.status_words)
    publish_messages(settings, messages)
    for _, message in messages:
        click.echo(message.booking_id)


@command.command()
@click.argument("file", type=click.File("rb"))
@click.option("--json", "as_json", is_flag=True, help="One JSON object per message.")
def check(file: Any, *, as_json: bool) -> None:
    """Say what each booking message of FILE would do if all were published now, in their order. Nothing is published.

    FILE is one JSON object, or one per line; - for standard input. Exit code 1 if a message would be parked.
    """
    from shared.clock import system_clock  # noqa: PLC0415 - not for listing
    from worker.cli import bookings_check, bookings_send  # noqa: PLC0415 - nor these

    texts = list(_messages(file.read()))
    if not texts:
        click.echo("There is no message in it.", err=True)
        raise SystemExit(2)
    settings, ports = open_ledger()
    # Without DOORS_FILE every unit is unknown, as it is for a worker without it.
    units = bookings_send.known_units(settings) or {}
    is_parked = False
    words = settings.status_words
    for finding in bookings_check.findings(texts, ports.ledger, units, now=system_clock(), status_words=words):
        is_parked |= finding.would == bookings_check.PARKED
        for line in [finding.as_json()] if as_json else finding.lines():
            click.echo(line)
    if is_parked:
        raise SystemExit(1)


def checked_messages(content: bytes, status_words: Collection[str] = ()) -> list[tuple[str, BookingMessage]]:
    """Return each message and its parsed form. If one can't be used, list every problem and end the command with 2.

    `status_words` are further words for "this booking stands", as `status_key` makes them.
    """
    from shared.domain.messages.parse import parse_booking_message  # noqa: PLC0415 - not for listing

    texts = list(_messages(content))
    messages, is_usable = [], bool(texts)
    for number, text in enumerate(texts, start=1):
        try:
            messages.append((text, parse_booking_message(text, status_words)))
        except InvalidMessage as invalid:
            is_usable = False
            for problem in invalid.problems:
                click.echo(f"message {number}: {problem}", err=True)
    if not is_usable:
        click.echo("Nothing was published." if texts else "There is no message in it.", err=True)
        raise SystemExit(2)
    return messages


def publish_messages(settings: Settings, messages: Iterable[tuple[str, BookingMessage]]) -> None:
    """Append the messages to the booking stream, in their order."""
    from shared.booking_stream import BookingStream  # noqa: PLC0415 - not for listing
    from shared.redis_client import connect  # noqa: PLC0415 - nor this

    stream = BookingStream(
        connect(settings.redis_address, sync_replicas=settings.sync_replicas), settings.booking_stream
    )
    for text, message in messages:
        stream.append(text, message)


@command.command("list")
@click.option("--json", "as_json", is_flag=True, help="One JSON object per line.")
@click.option("--state", type=click.Choice([state.value for state in State]), help="Only bookings in this state.")
@click.option("--door", help="Only bookings of this door: a device id, or a part of its name.")
@click.option("--date", "on", type=click.DateTime(["%Y-%m-%d"]), help="Only stays that include this day, YYYY-MM-DD.")
@click.option("--unit", help="Only bookings of the doors that this unit of DOORS_FILE has now.")
@click.argument("text", required=False)
def list_bookings(
    *, as_json: bool, state: str | None, door: str | None, on: datetime | None, unit: str | None, text: str | None
) -> None:
    """List bookings, the earliest end first. With TEXT, only those that have it in their id, label or door."""
    from worker.cli.booking_filters import ListFilter  # noqa: PLC0415 - not for publishing

    settings, ports = open_ledger()
    devices = _devices_of(settings, unit) if unit is not None else None
    wanted = ListFilter(state=state, door=door, on=on.date() if on else None, devices=devices, text=text)
    bookings = filter(wanted.fits, ports.ledger.all())
    if as_json:
        for booking in bookings:
            click.echo(json.dumps(as_object(booking)))
    else:
        view.print_table(bookings)


def _devices_of(settings: Settings, unit: str) -> tuple[str, ...]:
    """Return the doors of a unit; ends the command with 2 if there is no such unit."""
    from worker.ports import units_of  # noqa: PLC0415 - reads YAML

    try:
        units = units_of(settings)
    except ValueError as invalid:
        click.echo(str(invalid), err=True)
        raise SystemExit(2) from None
    if unit not in units:
        click.echo(f"There is no unit {unit!r} in the doors file.", err=True)
        raise SystemExit(2)
    return units[unit].device_ids


@command.command()
@click.argument("booking_id")
@click.option("--json", "as_json", is_flag=True, help="The booking and its history as one JSON object.")
def show(booking_id: str, *, as_json: bool) -> None:
    """Show one booking's whole story, and its messages that are parked or were refused.

    Exit 1 if the ledger doesn't have the booking.
    """
    from shared.refused_messages import RefusedMessages, lines_of  # noqa: PLC0415 - not for listing
    from worker.cli.parked import as_object as parked_object  # noqa: PLC0415 - nor this
    from worker.cli.parked import parked_line  # noqa: PLC0415 - nor this

    _, ports = open_ledger()
    booking_id = booking_id_of(booking_id)
    parked = ports.parked.of_booking(booking_id)
    refused = lines_of(RefusedMessages(ports.redis).of_booking(booking_id, system_clock()), most=_MOST_REFUSED)
    more: dict[str, Any] = {"parked": [parked_object(entry) for entry in parked]} if parked else {}
    more |= {"refused": refused} if refused else {}
    try:
        booking = ports.ledger.get(booking_id)
    except UnknownBooking:
        if not parked and not refused:
            end_unknown(ports, booking_id)
        if as_json:
            click.echo(json.dumps({"booking_id": booking_id, "state": None, **more}, indent=2))
        else:
            for line in (*(parked_line(entry, None) for entry in parked), *map(printable, refused)):
                click.echo(line)
        raise SystemExit(1) from None
    history = ports.ledger.history(booking.booking_id)
    if as_json:
        click.echo(json.dumps(story_object(booking, history) | more, indent=2))
    else:
        view.print_story(booking, history, system_clock())
        for entry in parked:
            click.echo(f"\n{parked_line(entry, booking)}")
        for line in refused:
            click.echo(f"\n{printable(line)}")


@command.command()
@click.argument("booking_id")
def retry(booking_id: str) -> None:
    """Try again now everything that waits or has failed in this booking."""
    from shared.clock import system_clock  # noqa: PLC0415

    _, ports = open_ledger()
    booking = find_booking(ports, booking_id)
    if not try_again(ports.ledger, booking, now=system_clock()):
        click.echo(f"{booking_id} is {booking.state}: there is nothing to try again.", err=True)
        raise SystemExit(1)
    click.echo(f"{booking_id} is tried again now; follow it with `oracode bookings show {booking_id}`.")


@command.command()
def reindex() -> None:
    """Rebuild the indexes by which bookings are found (state, reason, check-in, door, words). Bookings don't change.

    Use it if the console's lists or counts miss something. Everything may run meanwhile; it pauses half of the time.
    """
    from shared.ledger.booking_index_repair import BookingIndexRepair  # noqa: PLC0415

    _, ports = open_ledger()
    indexed, gone = BookingIndexRepair(ports.redis, ports.ledger).rebuild()
    click.echo(f"{indexed} bookings were indexed. Entries of {gone} bookings that are gone were removed.")


@command.command()
@click.argument("booking_id")
@click.option("--json", "as_json", is_flag=True, help="What was published, as one JSON object.")
def cancel(booking_id: str, *, as_json: bool) -> None:
    """Cancel a booking, in all its revisions, as its booking system would. Exit code 1 if there is nothing to do.

    A code that exists may still open the door: `oracode bookings show` says until when.
    """
    _send(booking_id, MessageType.CANCELLED, {}, as_json=as_json)


@command.command()
@click.argument("booking_id")
@click.option("--check-in", help="The new check-in, as in a booking message.")
@click.option("--check-out", help="The new check-out.")
@click.option("--time-zone", help="The IANA zone of local times.")
@click.option("--door", "device_ids", multiple=True, help="A Seam device; may be given several times.")
@click.option("--unit", help="A unit of DOORS_FILE, instead of doors.")
@click.option("--granularity", type=click.Choice([each.value for each in Granularity]))
@click.option("--slot", help="A slot that must be used, by name or user level id.")
@click.option("--label", help="What people read of it.")
@click.option("--knows-it-ends", is_flag=True, help="Needed for times that are over: by them the booking ends.")
@click.option("--json", "as_json", is_flag=True, help="What was published, as one JSON object.")
def change(
    booking_id: str, *, knows_it_ends: bool, as_json: bool, device_ids: tuple[str, ...], **fields: str | None
) -> None:
    """Change a booking, as its booking system would. Fields without an option stay as they are.

    If the booking system uses revisions, this change takes the next one: its own next change then needs a higher one.
    By times that are over the booking ends for good, and can't be changed back: that needs --knows-it-ends.
    Exit code 1 if there is nothing to do, 2 if an option can't be used.
    """
    changes = {**fields, "device_ids": list(device_ids) or None}
    if all(value is None for value in changes.values()):
        click.echo("Say what changes, such as --check-out 2026-12-06T10:00: see --help.", err=True)
        raise SystemExit(2)
    _send(booking_id, MessageType.UPDATED, changes, may_end=knows_it_ends, as_json=as_json)


def _send(
    booking_id: str, kind: MessageType, changes: Mapping[str, Any], *, may_end: bool = False, as_json: bool
) -> None:
    """Publish the message that cancels or changes a booking, and print that. `may_end`: a change may end it."""
    from shared.booking_stream import BookingStream  # noqa: PLC0415 - not for listing
    from shared.domain.booking import own_message  # noqa: PLC0415 - nor these
    from shared.redis_client import connect  # noqa: PLC0415
    from worker.cli import bookings_send  # noqa: PLC0415

    settings, ports = open_ledger()
    booking = find_booking(ports, booking_id)
    if why := own_message.is_over(booking):
        click.echo(printable(f"{booking.booking_id} {why}: nothing was published."), err=True)
        raise SystemExit(1)
    try:
        data = own_message.changed_data(booking, changes) if kind is MessageType.UPDATED else {}
        text, message = own_message.message_of(booking, kind, data, message_id=f"oracode-{uuid4()}")
        bookings_send.check(settings, booking, message)
    except InvalidMessage as invalid:
        bookings_send.print_problems(invalid.problems)
        click.echo("Nothing was published.", err=True)
        raise SystemExit(2) from None
    if kind is MessageType.UPDATED and own_message.changes_nothing(booking, message):
        click.echo(printable(f"{booking.booking_id} is booked so already: nothing was published."), err=True)
        raise SystemExit(1)
    if kind is MessageType.UPDATED and bookings_send.ends(settings, booking, message):
        if not may_end:
            click.echo(f"{own_message.ENDS} Nothing was published. If it is meant: --knows-it-ends", err=True)
            raise SystemExit(2)
        bookings_send.note_that_it_ends(ports, booking, message)
    entry_id = BookingStream(
        connect(settings.redis_address, sync_replicas=settings.sync_replicas), settings.booking_stream
    ).append(text, message)
    if as_json:
        click.echo(json.dumps({"booking_id": booking.booking_id, "entry_id": entry_id, "message": json.loads(text)}))
        return
    what = "The cancellation" if kind is MessageType.CANCELLED else "The change"
    shown = printable(booking.booking_id)
    click.echo(f"{what} of {shown} was published; follow it with `oracode bookings show {shown}`.")


@command.command()
@click.argument("booking_id")
@click.argument("slot", required=False)
@click.option("--door", "device_id", help="This door alone; needed for a door that has a code.")
@click.option("--by", default="", help="Who chooses, for the booking's story; your user name where it isn't given.")
def choose(booking_id: str, slot: str | None, *, device_id: str | None, by: str) -> None:
    """Choose SLOT (a name or a user level id) for a booking that fits no slot by itself; without SLOT, list the slots.

    The choice is for every door of the booking that has no code because no slot fits. The booking's own times don't
    change; the code has the slot's times. Exit code 1 if the slot can't be chosen.
    """
    from worker.cli import bookings_choose  # noqa: PLC0415 - not for listing

    settings, ports = open_ledger()
    booking = find_booking(ports, booking_id)
    # The ledger has device ids in lower case.
    device_id = device_id.lower() if device_id else None
    if slot is None:
        bookings_choose.list_choices(settings, ports, booking, device_id)
    else:
        bookings_choose.choose(settings, ports, booking, slot, device_id=device_id, by=by)


@command.command()
@click.argument("booking_id")
@click.option("--door", "device_id", help="The door whose code is lost; needed where the booking has several.")
@click.option("--reason", default="", help="Why, for the booking's story.")
@click.option("--by", default="", help="Who asks, for the booking's story; your user name where it isn't given.")
@click.option("--yes", "agreed", is_flag=True, help="Don't ask.")
def reissue(booking_id: str, *, device_id: str | None, reason: str, by: str, agreed: bool) -> None:
    """Make a new code if the code of a door is lost or compromised. Shows how long the old code works, and asks first.

    When the new code is confirmed, Seam is asked to delete the old one. Most Oracode codes can't be deleted: then the
    old code is residual access until it ends. Exit code 1 if it can't be done.
    """
    from worker.cli import bookings_reissue  # noqa: PLC0415 - not for listing

    settings, ports = open_ledger()
    settings_for("SEAM_API_KEY")
    booking = find_booking(ports, booking_id)
    device_id = device_id.lower() if device_id else None
    bookings_reissue.reissue(settings, ports, booking, door_key=device_id, reason=reason[:500], by=by, agreed=agreed)


@command.command()
@click.option("--json", "as_json", is_flag=True, help="One JSON object per change.")
def watch(*, as_json: bool) -> None:
    """Show each change of a booking as it happens, until Ctrl-C."""
    _, ports = open_ledger()
    try:
        if as_json or not sys.stdout.isatty():
            view.watch_lines(ports.ledger.all, _as_line(as_json), every=_WATCH_EVERY)
        else:
            view.watch_table(ports.ledger.all, every=_WATCH_EVERY)
    except KeyboardInterrupt:
        return


def as_object(booking: Booking) -> dict[str, Any]:
    """Return a booking as `--json` prints it."""
    return {
        **outcome_body(booking),
        "label": booking.label,
        "held_back_by": booking.held_back_by,
        "due_at": view.earliest_due(booking),
    }


def story_object(booking: Booking, history: Iterable[HistoryEntry]) -> dict[str, Any]:
    """Return a booking with its history, as `show --json` prints it."""
    lines = [
        {"at": entry.at.isoformat(), "what": entry.what, "text": entry.text, "device_id": entry.device_id}
        | ({"facts": entry.facts} if entry.facts else {})
        for entry in history
    ]
    chosen = [
        {
            "device_id": door.device_id,
            "slot": door.choice.slot,
            "name": door.choice.name,
            "by": door.choice.by,
            "at": door.choice.at.isoformat(),
        }
        for door in booking.doors
        if door.choice is not None
    ]
    return {**as_object(booking), "chosen_slots": chosen, "history": lines}


def _as_line(as_json: bool) -> Callable[[Booking], str]:  # noqa: FBT001 - chooses a format, once
    return (lambda booking: json.dumps(as_object(booking))) if as_json else view.line_of


def _messages(content: bytes) -> Iterator[str]:
    text = content.decode("utf-8", errors="replace").strip()
    try:
        json.loads(text)
    except ValueError:
        yield from filter(None, map(str.strip, text.splitlines()))
    else:
        yield text
