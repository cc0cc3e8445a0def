"""Records a batch of Seam's events, acknowledges them, then prompts looks at the codes and doors concerned.

Those about access codes go into the story of their code, and prompt a look at the code. Those about doors and accounts
go into no story: they prompt a reading (`worker.handlers.prompt_readings`).
"""

import json
from collections.abc import Callable, Iterable, Mapping
from typing import Any

import structlog
from redis import Redis

from shared import metrics, tracing
from shared.clock import Clock
from shared.contracts import EVENT_FIELD, LONGEST_ID, is_id
from shared.domain.booking import transitions
from shared.domain.code.event_types import EventMeaning, Subject, meaning_of, subject_of
from shared.domain.code.story import occurred_at, replaces_pin
from shared.domain.versions import NewerVersionNeeded
from shared.ledger.bookings import BookingLedger, Owner, UnknownBooking
from shared.ledger.due_set import DueSet, door_item
from shared.parked import Parked, kept_text
from shared.redis_client import REPLACED
from shared.replay_results import ReplayEnd, ReplayResult, ReplayResults, is_replayed
from shared.replicas import begin_step
from shared.streams import acknowledge
from worker.handlers.put_back_for_newer_version import PutBackForNewerVersion
from worker.parking import Parking

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class UnreadableEvent(ValueError):
    """An entry of the event stream that isn't an event about an access code, a door or a connected account."""


class RecordEvents:
    """Records entries of the event stream. Idempotent but for a repeated line in a code's story."""

    def __init__(
        self,
        *,
        redis: Redis,
        stream: str,
        ledger: BookingLedger,
        due: DueSet,
        parking: Parking,
        replays: ReplayResults,
        look: Callable[[str, str], None],
        prompt: Callable[[Iterable[Mapping[str, Any]]], None],
        record_last_webhook: Callable[[Mapping[str, Mapping[str, Any]]], None],
        version_skew: PutBackForNewerVersion,
        clock: Clock,
    ) -> None:
        """Use `look` to start a look at one door of a booking, and `prompt` for the events of doors and accounts.

        `record_last_webhook` is given all events by the ids of their entries.
        """
        self._redis = redis
        self._stream = stream
        self._ledger = ledger
        self._due = due
        self._parking = parking
        self._replays = replays
        self._look = look
        self._prompt = prompt
        self._record_last_webhook = record_last_webhook
        self._version_skew = version_skew
        self._clock = clock

    def __call__(self, entry_ids: list[str]) -> None:
        """Record the entries that are still there and acknowledge them; then prompt a look at each door concerned.

        Events for a booking that only a newer process can read are left to that process.
        """
        step = begin_step(self._redis)
        entries = self._entries(entry_ids)
        readable = self._readable(entries)
        self._record_last_webhook(readable)
        others = [event for event in readable.values() if _subject(event) is not Subject.CODE]
        # Their places in the due-set are written before the acknowledgement.
        self._prompt(others)
        about_codes = {entry_id: event for entry_id, event in readable.items() if _subject(event) is Subject.CODE}
        left = self._note_pins(about_codes)
        events = [event for entry_id, event in about_codes.items() if entry_id not in left]
        self._ledger.record_events([(event["access_code_id"], json.dumps(event)) for event in events])
        owners = self._ledger.owner_of([event["access_code_id"] for event in events])
        concerned: dict[Owner, list[str]] = {}
        for event, owner in zip(events, owners, strict=True):
            meaning = meaning_of(event["event_type"])
            log.info(
                "event.recorded",
                event_id=event["event_id"],
                event_type=event["event_type"],
                meaning=meaning.name.lower(),
                booking_id=owner.booking_id if owner else None,
            )
            if owner is not None and meaning is not EventMeaning.RECORD_ONLY:
                concerned.setdefault(owner, []).append(event["event_id"])
        # A place in the due-set before the acknowledgement: a kill in between costs a delay, not the look.
        self._due.hold((door_item(owner.booking_id, owner.door_key) for owner in concerned), self._clock())
        owned = dict(zip((it for it in about_codes if it not in left), owners, strict=True))
        done = {entry_id: _recorded(owned.get(entry_id)) for entry_id in readable if entry_id not in left}
        replayed = {entry_id for entry_id, fields in entries if is_replayed(fields)}
        self._replays.note(self._stream, {it: result for it, result in done.items() if it in replayed})
        acknowledge(self._redis, self._stream, [it for it in entry_ids if it not in left], step=step)
        metrics.EVENTS.add("recorded", amount=len(readable) - len(left))
        for owner, event_ids in concerned.items():
            # A look that several events prompt is part of the first one's trace, and linked with those of the others.
            first, *rest = map(tracing.event_trace, event_ids)
            with tracing.span("prompt a look", within=first, links=rest, attributes={"booking_id": owner.booking_id}):
                self._look(owner.booking_id, owner.door_key)

    def _note_pins(self, events: Mapping[str, Mapping[str, Any]]) -> set[str]:
        """Record which PINs were replaced; return the entries that are left to a newer process."""
        replacing = {entry_id: event for entry_id, event in events.items() if replaces_pin(event)}
        owners = self._ledger.owner_of([event["access_code_id"] for event in replacing.values()])
        left: set[str] = set()
        for (entry_id, event), owner in zip(replacing.items(), owners, strict=True):
            try:
                if owner is not None:
                    self._note_pin(owner, event)
            except NewerVersionNeeded as error:
                self._version_skew.entries(self._stream, [entry_id], str(error))
                left.add(entry_id)
        return left

    def _note_pin(self, owner: Owner, event: Mapping[str, Any]) -> None:
        """Record that a PIN was replaced: no later look can tell, since no PIN is kept."""
        now = self._clock()
        at = occurred_at(event) or now
        try:
            booking = self._ledger.get(owner.booking_id)
        except UnknownBooking:
            return
        self._ledger.record(
            booking, lambda it: transitions.record_pin_change(it, event["access_code_id"], at=at, now=now)
        )

    def _entries(self, entry_ids: list[str]) -> list[tuple[str, Mapping[str, str]]]:
        pipeline = self._redis.pipeline(transaction=False)
        for entry_id in entry_ids:
            pipeline.xrange(self._stream, entry_id, entry_id)
        return [found[0] for found in pipeline.execute() if found]

    def _readable(self, entries: list[tuple[str, Mapping[str, str]]]) -> dict[str, dict[str, Any]]:
        events = {}
        for entry_id, fields in entries:
            try:
                events[entry_id] = _event(fields)
            except UnreadableEvent as error:
                self._park(entry_id, fields, str(error))
        return events

    def _park(self, entry_id: str, fields: Mapping[str, str], problem: str) -> None:
        metrics.EVENTS.add("parked")
        log.warning("event.parked", entry_id=entry_id)
        self._parking.park(
            Parked(
                stream=self._stream,
                field=EVENT_FIELD,
                source_id=entry_id,
                message=kept_text(fields.get(EVENT_FIELD) or json.dumps([dict(fields)])),
                problems=(problem,),
                parked_at=self._clock().isoformat(),
            ),
            entry_id=entry_id,
            entry=fields,
        )


def _recorded(owner: Owner | None) -> ReplayResult:
    return ReplayResult(end=ReplayEnd.RECORDED, booking_id=owner.booking_id if owner else "")


def _event(fields: Mapping[str, str]) -> dict[str, Any]:
    try:
        event = json.loads(fields[EVENT_FIELD])
    except KeyError:
        raise UnreadableEvent(f"the entry has no field {EVENT_FIELD!r}") from None
    except (ValueError, RecursionError):
        raise UnreadableEvent("the event is not JSON that can be read") from None
    if REPLACED in fields[EVENT_FIELD]:
        raise UnreadableEvent("the event holds bytes that are not UTF-8")
    if not isinstance(event, dict):
        raise UnreadableEvent("the event is not a JSON object")
    for name in ("event_id", "event_type", _subject(event).id_field):
        if not is_id(event.get(name)):
            raise UnreadableEvent(f"{name} is not a text of 1 to {LONGEST_ID} printable characters")
    return event


def _subject(event: Mapping[str, Any]) -> Subject:
    """Return what an event is about; one of another type, which `web` would have ignored, counts as a code's."""
    return subject_of(str(event.get("event_type"))) or Subject.CODE
