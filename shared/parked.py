"""The parked list: what could not be understood, with the reason, kept for a person to replay or discard.

A Redis stream, so that entries have an order and an id of their own. Parking comes before acknowledging: a kill between
the two parks an entry twice, never loses it, and `source_id` lets a person see that it is the same.
"""

import json
import re
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import asdict, dataclass, fields
from dataclasses import field as dataclass_field
from pathlib import Path
from typing import Any, Final, cast

from redis import Redis

from shared import redis_keys
from shared.booking_message_redaction import redacted_fields, without_secrets
from shared.contracts import EVENT_FIELD
from shared.domain import versions
from shared.domain.messages.hints import hints_of
from shared.domain.messages.parked_causes import cause_of
from shared.domain.messages.parked_kind import ParkedKind, kind_said
from shared.parked_orders import ParkedOrder, mark_of
from shared.parked_orders import text_of as text_of_order
from shared.replay_results import told_of_replay
from shared.replayed_messages import Replay, text_of
from shared.replicas import check_reached, queue_wait, sync_replicas_of
from shared.seam_event_redaction import mask_digits
from shared.streams import FIRST_ENTRY_FIELD, is_entry_id

_REPLAY: Final = (Path(__file__).parent / "replay_parked.lua").read_text(encoding="utf-8")
_DISCARD: Final = (Path(__file__).parent / "discard_parked.lua").read_text(encoding="utf-8")
# A flood of bad messages must not fill the memory that good ones need; the newest are kept.
MOST_PARKED: Final = 10_000
_READ_AT_ONCE: Final = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Parked:
    """One parked message. `stream` is where it came from and goes back to, `field` the entry's field there.

    `fields` is the whole entry where it had others than that one; PINs are taken out. `kind` is what it was when it was
    parked, a `ParkedKind`: "" where nobody noted it.
    """

    stream: str
    field: str
    source_id: str
    message: str
    problems: tuple[str, ...]
    parked_at: str
    fields: Mapping[str, str] = dataclass_field(default_factory=dict)
    kind: str = ""


_PARKED_ID: Final = re.compile(r"[0-9]{1,20}-[0-9]{1,20}", re.ASCII)
_NAMES: Final = {each.name for each in fields(Parked)}


@dataclass(frozen=True, slots=True)
class ParkedEntry:
    """A parked message with the id by which people name it."""

    parked_id: str
    parked: Parked


def kind_of(parked: Parked) -> ParkedKind:
    """Return what a parked message is: as it was noted, else as the message itself says it."""
    if parked.kind in tuple(ParkedKind):
        return ParkedKind(parked.kind)
    return ParkedKind.EVENT if parked.field == EVENT_FIELD else kind_said(parked.message)


def is_parked_id(text: str) -> bool:
    """Say whether this may be the id of a parked message: that of an entry of a stream."""
    return _PARKED_ID.fullmatch(text) is not None


def fields_of(parked: Parked) -> dict[Any, Any]:
    """Return the stream entry that keeps `parked`. It is never rewritten: an older reader loses nothing of it."""
    return {"parked": json.dumps(asdict(parked)), "schema": versions.PARKED}


def kept_text(text: str | None) -> str:
    """Return what is kept of a message: an object without PINs, to be replayed; free text with its digits masked."""
    if text is None:
        return ""
    return without_secrets(text) if text.lstrip().startswith("{") else mask_digits(text)


def message_in(entry: Mapping[str, str], field: str) -> str | None:
    """Return an entry's message; where it stands under other names, an object of all the entry has, PINs taken out.

    So nothing is lost: people find whose it is, and mend and send it. None for an entry that holds nothing.
    """
    kept = kept_fields(entry, field)
    if field in entry or not kept:
        return entry.get(field)
    # One object under a wrong name is the message itself; of several fields each may change what it means.
    (first, *others) = kept.values()
    return first if not others and isinstance(_parsed(first), dict) else json.dumps(_objects(kept))


def kept_fields(entry: Mapping[str, str], field: str) -> dict[str, str]:
    """Return the whole entry, PINs taken out, where it has other fields than its message; else nothing."""
    # Where a replayed message stood before is ours.
    entry = {name: text for name, text in entry.items() if name != FIRST_ENTRY_FIELD}
    if not entry.keys() - {field}:
        return {}
    kept = redacted_fields({name: _parsed(text) for name, text in entry.items() if name != field})
    texts = {name: value if isinstance(value, str) else json.dumps(value) for name, value in kept.items()}
    return texts | ({field: kept_text(entry[field])} if field in entry else {})


def _objects(entry: Mapping[str, str]) -> dict[str, Any]:
    return {name: _parsed(text) for name, text in entry.items()}


def _parsed(text: str) -> Any:
    """Return the object or list that a text is as JSON; else the text."""
    try:
        value = json.loads(text)
    except (ValueError, RecursionError):
        return text
    return value if isinstance(value, dict | list) else text


class ParkedList:
    """The parked messages in Redis."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        self._replay = redis.register_script(_REPLAY)
        self._discard = redis.register_script(_DISCARD)

    def park(self, parked: Parked) -> str:
        """Keep a message aside, on SYNC_REPLICAS replicas too, and return its id. Raises NotOnReplicas.

        If it is parked again after that, it is there twice.
        """
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.xadd(redis_keys.PARKED, fields_of(parked), maxlen=MOST_PARKED, approximate=True)
        replicas = sync_replicas_of(self._redis)
        if replicas:
            queue_wait(pipeline, replicas)
        entry_id, *reached = pipeline.execute()
        if replicas:
            check_reached(reached[0], replicas)
        return str(entry_id)

    def list(self) -> Iterator[ParkedEntry]:
        """Yield all parked messages, oldest first."""
        for entry_id, entry in cast(Any, self._redis.xrange(redis_keys.PARKED)):
            yield _entry(entry_id, entry)

    def of_booking(self, booking_id: str, *, most: int = MOST_PARKED) -> tuple[ParkedEntry, ...]:
        """Return up to `most` parked messages that name this booking, newest first.

        The whole list is gone through, a part at a time; only what may name the booking is read closely.
        """
        may_name = _naming(booking_id)
        found: list[ParkedEntry] = []
        before = "+"
        while entries := cast(Any, self._redis.xrevrange(redis_keys.PARKED, max=before, count=_READ_AT_ONCE)):
            for entry_id, kept in entries:
                if may_name(kept["parked"]) and len(found) < most:
                    entry = _entry(entry_id, kept)
                    found += [entry] if hints_of(entry.parked.message).booking_id == booking_id else []
            if len(found) >= most or len(entries) < _READ_AT_ONCE:
                break
            before = f"({entries[-1][0]}"
        return tuple(found)

    def by_booking(self) -> dict[str, tuple[ParkedEntry, ...]]:
        """Return the parked messages by the booking that they name, oldest first. Reads the whole list."""
        found: dict[str, tuple[ParkedEntry, ...]] = {}
        for entry in self.list():
            if booking_id := hints_of(entry.parked.message).booking_id:
                found[booking_id] = (*found.get(booking_id, ()), entry)
        return found

    def get(self, parked_id: str) -> ParkedEntry | None:
        """Return one parked message, None where there is none of this id."""
        found = cast(Any, self._redis.xrange(redis_keys.PARKED, parked_id, parked_id))
        return _entry(*found[0]) if found else None

    def get_many(self, parked_ids: Iterable[str]) -> dict[str, ParkedEntry]:
        """Return those of these messages that are parked, by their ids. One round trip."""
        wanted = list(parked_ids)
        pipeline = self._redis.pipeline(transaction=False)
        for parked_id in wanted:
            pipeline.xrange(redis_keys.PARKED, parked_id, parked_id)
        return {name: _entry(*found[0]) for name, found in zip(wanted, pipeline.execute(), strict=True) if found}

    def count(self) -> int:
        """Return how many messages are parked."""
        return int(cast(Any, self._redis.xlen(redis_keys.PARKED)))

    def mark(self) -> tuple[int, str]:
        """Return what changes with the list: how many there are, and the newest one's id ("" where there is none)."""
        pipeline = self._redis.pipeline(transaction=False)
        pipeline.xlen(redis_keys.PARKED)
        pipeline.xrevrange(redis_keys.PARKED, count=1)
        count, newest = cast(Any, pipeline.execute())
        return int(count), newest[0][0] if newest else ""

    def replay(self, entry: ParkedEntry, *, by: str = "", is_mended: bool = False, order: str = "") -> bool:
        """Put the message back at the end of its stream and take it off the list; say whether it was there. Atomic.

        It keeps its place in the order of arrival: what came after it and was applied meanwhile is newer. `by` says
        who does it, `order` by which one, and `is_mended` that its text is another than the parked one:
        `shared.replay_results` keeps all three.
        """
        first = entry.parked.source_id if is_entry_id(entry.parked.source_id) else ""
        fields = {entry.parked.field: entry.parked.message, FIRST_ENTRY_FIELD: first}
        cause = cause_of(entry.parked.problems).name
        note = Replay(parked_id=entry.parked_id, source_id=entry.parked.source_id, cause=cause)
        life = int(redis_keys.REPLAYS_FOR.total_seconds())
        text = mark_of(entry.parked.message) if is_mended else ""
        given = ParkedOrder(by=by, is_discard=False, order=order, text=text)
        kept = text_of(note), told_of_replay(given), life
        keys = [
            redis_keys.PARKED,
            entry.parked.stream,
            redis_keys.REPLAYED,
            redis_keys.replay_note(entry.parked_id),
        ]
        args: list[str | int] = [entry.parked_id, *kept, *(part for field in fields.items() for part in field)]
        return bool(self._replay(keys=keys, args=args))

    def discard(self, entry: ParkedEntry, *, by: str = "", reason: str = "", order: str = "") -> bool:
        """Take the message off the list for good; say whether it was there. Atomic.

        `by` says who does it, `reason` why, and `order` by which one: `shared.parked_orders` keeps them.
        """
        given = ParkedOrder(by=by, is_discard=True, order=order, reason=reason)
        life = int(redis_keys.REPLAYS_FOR.total_seconds())
        keys = [redis_keys.PARKED, redis_keys.discard_note(entry.parked_id)]
        return bool(self._discard(keys=keys, args=[entry.parked_id, text_of_order(given), life]))


def _naming(booking_id: str) -> Callable[[str], bool]:
    """Return what says of a parked entry's text whether its message may name the booking; it is never wrongly False."""
    # JSON in JSON: what the message escapes has two backslashes here, and may be any letter.
    plain = json.dumps(booking_id)[1:-1]
    is_plain = "\\" not in plain
    return lambda text: not is_plain or plain in text or "\\\\" in text


def _entry(entry_id: str, entry: dict[str, str]) -> ParkedEntry:
    kept = json.loads(entry["parked"])
    known = {name: kept[name] for name in _NAMES & kept.keys()}
    return ParkedEntry(entry_id, Parked(**{**known, "problems": tuple(kept["problems"])}))
