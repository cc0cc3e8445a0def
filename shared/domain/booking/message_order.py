"""Whether a booking message is news: by its revision where it has one, else by the order of arrival.

The order of arrival is the order of the stream's entry ids. Workers may take entries in any order, and an entry may
come again; so the booking keeps the entry of its newest message, and an older one changes nothing.
"""

from enum import Enum, auto
from hashlib import sha256

from shared.domain.booking.record import Booking
from shared.domain.entry_ids import is_before
from shared.domain.messages.message import BookingMessage, InvalidMessage, MessageType, Problem, asked_of, content_hash
from shared.domain.quoting import quoted
from shared.domain.stay.stay import Stay

_SEPARATOR = "\x1f"


class Verdict(Enum):
    """What a message is for a booking that exists."""

    NEWS = auto()
    """It changes the booking."""
    KNOWN = auto()
    """It says what is known already; it is the newest message all the same."""
    REPEATED = auto()
    """The same message was applied before."""
    SUPERSEDED = auto()
    """A newer message was applied before, or an earlier one of the same revision."""


def judge(before: Booking, message: BookingMessage, *, arrival: str, asks_for_the_same: bool) -> Verdict:
    """Say what the message is for the booking.

    `arrival` is the id of its stream entry; "" where nobody knows it: then it is taken as the newest.
    `asks_for_the_same`: the booking already has the stay and the doors that it asks for.

    Raises InvalidMessage where a person must decide: the message is of another source, or has another content than
    the one that was applied under the same id or revision, or has no revision where earlier ones had.
    """
    _check_source(before, message)
    if identity_of(message) in before.seen_messages and not _is_told_apart_by_content_alone(message):
        _check_content(before, message)
        return Verdict.REPEATED
    if message.revision is None:
        return _judge_by_arrival(before, message, arrival, asks_for_the_same=asks_for_the_same)
    return _judge_by_revision(before, message, message.revision, arrival, asks_for_the_same=asks_for_the_same)


def stands_as_asked(
    before: Booking, message: BookingMessage, *, stay: Stay | None, device_ids: tuple[str, ...]
) -> bool:
    """Say whether the booking is already as the message wants it. An erased label counts as the same."""
    wanted = {door.device_id for door in before.doors if door.wanted}
    is_same = stay == before.stay and set(device_ids) == wanted and _has_label(before, message)
    return is_same and not before.cancelled


def identity_of(message: BookingMessage) -> str:
    """Return what identifies a message: its source and its id."""
    return _identity(message.source, message.message_id)


def has_seen(booking: Booking, message_id: str) -> bool:
    """Say whether a message of this id, of the booking's own source, was applied; as far as the booking remembers."""
    return _identity(source_of(booking) or "", message_id) in booking.seen_messages


def source_of(booking: Booking) -> str | None:
    """Return the source that the booking belongs to: that of its first message, "" where it had none.

    None where no message is remembered. Messages of another source are never applied, so any remembered one tells; in
    records of before this rule the first one does.
    """
    if not booking.seen_messages:
        return None
    return booking.seen_messages[0].partition(_SEPARATOR)[0]


def given_revision(booking: Booking) -> int | None:
    """Return the highest revision that a message of the booking gave; None where none gave any."""
    if booking.revision_offset is not None:
        return booking.revision - booking.revision_offset
    # Records of an older version don't say: only a message can have made a revision above 0 then.
    return booking.revision if booking.revision > 0 and not booking.newest_entry else None


def revision_after(before: Booking, message: BookingMessage) -> int:
    """Return the booking's revision once the message is applied. It never falls: decisions are fenced by it."""
    grows = message.type is not MessageType.CANCELLED
    return max(message.revision or 0, before.revision + 1 if grows else before.revision)


def content_entry(message: BookingMessage) -> str:
    """Return what a booking remembers of a message's content: a hash of what identifies it, and one of what it says."""
    return f"{_hash_of_identity(message)}:{content_hash(message)}"


def _identity(source: str, message_id: str) -> str:
    return f"{source}{_SEPARATOR}{message_id}"


def _hash_of_identity(message: BookingMessage) -> str:
    return sha256(identity_of(message).encode()).hexdigest()[:16]


def _check_content(before: Booking, message: BookingMessage) -> None:
    """Raise InvalidMessage where the message of this id said something else; an older version kept no contents."""
    known = (entry.partition(":") for entry in before.seen_contents)
    contents = {content for identity, _, content in known if identity == _hash_of_identity(message)}
    if contents and content_hash(message) not in contents:
        wrong = f"{quoted(message.message_id)} is that of an earlier message of this booking, which said something else"
        raise InvalidMessage((Problem("id", wrong, "send it again, under an id that no other message has"),))


def _judge_by_arrival(before: Booking, message: BookingMessage, arrival: str, *, asks_for_the_same: bool) -> Verdict:
    if arrival and arrival == before.newest_entry:
        return Verdict.REPEATED
    if is_before(arrival, before.newest_entry):
        return Verdict.SUPERSEDED
    if message.type is MessageType.CANCELLED:
        return Verdict.KNOWN if before.cancelled else Verdict.NEWS
    given = given_revision(before)
    if given is None:
        return Verdict.KNOWN if asks_for_the_same else Verdict.NEWS
    if asks_for_the_same:
        # It doesn't become the newest message: a cancellation that came before it may be applied after it, and counts.
        return Verdict.SUPERSEDED
    wrong = f"is missing, and an earlier message of this booking had one, {given}: which of them is newer can't be told"
    raise InvalidMessage((Problem("revision", wrong, f"give a revision above {given} in every message from now on"),))


def _judge_by_revision(
    before: Booking, message: BookingMessage, revision: int, arrival: str, *, asks_for_the_same: bool
) -> Verdict:
    if is_before(arrival, before.cancelled_entry):
        # A cancellation without a revision cancels all that had arrived before it.
        return Verdict.SUPERSEDED
    known = given_revision(before)
    if known is None and before.newest_entry:
        # The first message with a revision, after messages without: the order of arrival decides.
        return Verdict.SUPERSEDED if is_before(arrival, before.newest_entry) else Verdict.NEWS
    known = before.revision if known is None else known
    if revision != known:
        return Verdict.NEWS if revision > known else Verdict.SUPERSEDED
    if message.type is MessageType.CANCELLED:
        return Verdict.SUPERSEDED if before.cancelled else Verdict.NEWS
    is_same = asks_for_the_same or (asked_of(message) == before.asked and _has_label(before, message))
    if is_same or (before.cancelled and not before.asked):
        return Verdict.SUPERSEDED
    wrong = f"{revision} was applied before, with other content: which of the two counts can't be told"
    right = f"send what is right with a revision above {revision}"
    raise InvalidMessage((Problem("revision", wrong, right),))


def _check_source(before: Booking, message: BookingMessage) -> None:
    owner = source_of(before)
    if owner is None or message.source == owner:
        return
    given = f"{quoted(message.source)} is not" if message.source else "is missing, and is not"
    wrong = f"{given} that of this booking's first message, {quoted(owner)}"
    if not owner:
        wrong = f"{quoted(message.source)} is given, and this booking's first message had none"
    right = (
        f"if it is another booking, give another booking_id; else give the source {quoted(owner)}, or use"
        " `oracode bookings change` or `oracode bookings cancel`"
    )
    raise InvalidMessage((Problem("source", wrong, right),))


def _has_label(before: Booking, message: BookingMessage) -> bool:
    return before.is_forgotten or message.label == before.label


def _is_told_apart_by_content_alone(message: BookingMessage) -> bool:
    """Say whether the id is only a hash of what the message says: said again later, it may be news."""
    return not message.source and message.revision is None
