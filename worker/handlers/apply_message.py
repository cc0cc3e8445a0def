"""Takes a booking message from its stream into the ledger: parsed or parked, applied or superseded, acknowledged."""

import time
from collections.abc import Collection, Mapping
from datetime import timedelta
from typing import Any, Final, cast

import structlog
from redis import Redis

from shared import metrics, tracing
from shared.clock import Clock
from shared.contracts import BOOKING_FIELD
from shared.domain.booking.own_message import rules_for
from shared.domain.booking.parked_effect import kind_for
from shared.domain.booking.record import Booking, Change, HistoryEntry
from shared.domain.booking.transitions import Repeated, Superseded, apply_message
from shared.domain.entry_ids import moment_of
from shared.domain.messages.far_ahead import check_not_far_ahead
from shared.domain.messages.hints import hints_of
from shared.domain.messages.message import BookingMessage, InvalidMessage, MessageType, Problem, stay_of
from shared.domain.messages.outer_type import check_outer_type, with_outer_type
from shared.domain.messages.parked_kind import ParkedKind, kind_said
from shared.domain.messages.parse import parse_booking_message
from shared.domain.stay.stay import UnitRules
from shared.ledger.bookings import BookingLedger
from shared.parked import Parked, kept_fields, kept_text, message_in
from shared.redis_client import REPLACED
from shared.replay_results import ReplayEnd, ReplayResult, ReplayResults, is_replayed
from shared.replicas import begin_step
from shared.streams import acknowledge, arrival_of
from worker.parking import Parking

_REPEATED: Final = "it was applied before"
_KNOWN: Final = "it says what is known already"
# A story has the times of workers, an entry that of the data server.
_CLOCKS_DIFFER_BY: Final = timedelta(seconds=5)
_OUTRANKED: Final = "another message of this booking counts: one with a higher revision or one that came later"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class ApplyMessage:
    """Applies one entry of the booking stream. Idempotent: an entry that is gone, or was applied, changes nothing."""

    def __init__(
        self,
        *,
        redis: Redis,
        stream: str,
        ledger: BookingLedger,
        parking: Parking,
        replays: ReplayResults,
        units: Mapping[str, UnitRules],
        status_words: Collection[str],
        clock: Clock,
    ) -> None:
        """`status_words` say that a booking stands, by `status_key`."""
        self._redis = redis
        self._stream = stream
        self._ledger = ledger
        self._parking = parking
        self._replays = replays
        self._units = units
        self._status_words = status_words
        self._clock = clock

    def __call__(self, entry_id: str) -> Booking | None:
        """Apply the entry and acknowledge it; return the booking if there is something to do for it now."""
        step = begin_step(self._redis)
        found = cast(Any, self._redis.xrange(self._stream, entry_id, entry_id))
        if not found:
            return None
        entry = found[0][1]
        booking = self._apply(entry_id, entry, arrival_of(entry_id, entry))
        acknowledge(self._redis, self._stream, [entry_id], step=step)
        return booking

    def _apply(self, entry_id: str, entry: Mapping[str, str], arrival: str) -> Booking | None:
        began = time.monotonic()
        try:
            message = _parsed(entry, self._status_words)
        except InvalidMessage as invalid:
            self._park(entry_id, arrival, entry, invalid)
            return None
        is_news = True

        def accept(before: Booking | None) -> Change:
            nonlocal is_news
            change = self._accept(before, message, arrival)
            is_news = change.is_news
            return change

        try:
            booking = self._ledger.record_message(message.booking_id, accept)
        except InvalidMessage as invalid:
            self._park(entry_id, arrival, entry, invalid)
        except Repeated:
            self._note(message, entry_id, "repeated", _REPEATED)
            self._note_unchanged(entry_id, entry, message, _REPEATED)
        except Superseded:
            self._note(message, entry_id, "superseded", _OUTRANKED)
            self._note_unchanged(entry_id, entry, message, _OUTRANKED)
        else:
            if is_news:
                self._note_applied(entry_id, entry, message, booking)
                metrics.BOOKING_MESSAGES.add("applied")
                tracing.record(
                    "apply booking message",
                    seconds=time.monotonic() - began,
                    begins=tracing.booking_trace(booking.booking_id, booking.revision),
                    attributes={"booking_id": booking.booking_id, "revision": booking.revision, "entry_id": entry_id},
                )
                log.info("booking.applied", booking_id=booking.booking_id, revision=booking.revision, entry_id=entry_id)
                return booking
            self._note_unchanged(entry_id, entry, message, _KNOWN)
            # Not in the story: a booking system may send all its bookings every few minutes.
            metrics.BOOKING_MESSAGES.add("known")
            log.info("booking.unchanged", why="known", booking_id=booking.booking_id, entry_id=entry_id)
            for door in booking.doors:
                self._ledger.release(booking.booking_id, door.key, seen=booking)
        return None

    def _note(self, message: BookingMessage, entry_id: str, what: str, why: str) -> None:
        metrics.BOOKING_MESSAGES.add(what)
        log.info("booking.unchanged", why=what, booking_id=message.booking_id, entry_id=entry_id)
        which = "without a revision" if message.revision is None else f"revision {message.revision}"
        text = f"{message.type}, {which}, changed nothing: {why}."
        entry = HistoryEntry(at=self._clock(), what=f"message.{what}", text=text)
        self._ledger.note(message.booking_id, entry)

    def _accept(self, before: Booking | None, message: BookingMessage, arrival: str) -> Change:
        now = self._clock()
        if message.type is MessageType.CANCELLED:
            return apply_message(before, message, stay=None, device_ids=(), lead_time=None, now=now, arrival=arrival)
        rules = rules_for(message, self._units)
        check_not_far_ahead(message.check_in, now)
        return apply_message(
            before,
            message,
            stay=stay_of(message, rules),
            device_ids=rules.device_ids if rules else message.device_ids,
            lead_time=rules.lead_time if rules else None,
            now=now,
            arrival=arrival,
        )

    def _note_unchanged(self, entry_id: str, entry: Mapping[str, str], message: BookingMessage, why: str) -> None:
        """Note that a replayed message changed nothing, and why.

        A process that is killed after it has applied the message finds it applied before: it was by this replay.
        """
        if not is_replayed(entry):
            return
        since = moment_of(entry_id) - _CLOCKS_DIFFER_BY
        lines = [line for line in self._ledger.history(message.booking_id) if line.at >= since]
        applied = next((line for line in lines if _is_of(line, message)), None)
        if applied is not None:
            revision = applied.facts.get("revision")
            result = ReplayResult(end=ReplayEnd.APPLIED, booking_id=message.booking_id, revision=revision)
        else:
            result = ReplayResult(end=ReplayEnd.UNCHANGED, booking_id=message.booking_id, why=why)
        self._replays.note(self._stream, {entry_id: result})

    def _note_applied(self, entry_id: str, entry: Mapping[str, str], message: BookingMessage, booking: Booking) -> None:
        if is_replayed(entry):
            revision = booking.revision if message.revision is None else message.revision
            result = ReplayResult(end=ReplayEnd.APPLIED, booking_id=booking.booking_id, revision=revision)
            self._replays.note(self._stream, {entry_id: result})

    def _park(self, entry_id: str, arrival: str, entry: Mapping[str, str], invalid: InvalidMessage) -> None:
        problems = tuple(map(str, invalid.problems))
        metrics.BOOKING_MESSAGES.add("parked")
        message = with_outer_type(kept_text(message_in(entry, BOOKING_FIELD)), _outside(entry))
        kind = self._kind_of(message)
        log.warning("booking.parked", entry_id=arrival, problems=len(problems), kind=str(kind))
        self._parking.park(
            Parked(
                stream=self._stream,
                field=BOOKING_FIELD,
                source_id=arrival,
                message=message,
                kind=kind,
                fields=kept_fields(entry, BOOKING_FIELD),
                problems=problems,
                parked_at=self._clock().isoformat(),
            ),
            entry_id=entry_id,
            entry=entry,
        )

    def _kind_of(self, text: str) -> ParkedKind:
        """Return what is parked, as it stands now: a booking that is there is changed by its next message."""
        kind, booking_id = kind_said(text), hints_of(text).booking_id
        return kind_for(kind, self._ledger.get_many([booking_id]).get(booking_id)) if booking_id else kind


def _parsed(entry: Mapping[str, str], status_words: Collection[str]) -> BookingMessage:
    text = entry.get(BOOKING_FIELD)
    if text is None:
        raise InvalidMessage((Problem(BOOKING_FIELD, "the entry has no such field", "XADD … message '{…}'"),))
    if REPLACED in text:
        raise InvalidMessage((Problem(BOOKING_FIELD, "holds bytes that are not UTF-8", "send JSON in UTF-8"),))
    message = parse_booking_message(text, status_words)
    check_outer_type(_outside(entry), message, status_words)
    return message


def _is_of(line: HistoryEntry, message: BookingMessage) -> bool:
    """Say whether a line of a story says that this message was applied."""
    names = {"source": message.source, "message_id": message.message_id}
    return line.what == "message.applied" and all(line.facts.get(name) == told for name, told in names.items())


def _outside(entry: Mapping[str, str]) -> dict[str, str]:
    """Return what stands beside the message in its entry."""
    return {name: value for name, value in entry.items() if name != BOOKING_FIELD}
