"""Everything that tests of stored data need of this version's readers and writers, in one place.

After a rename or a restructuring this module changes, and neither the recordings nor what the tests expect.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from dataclasses import replace
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import Any, Final, cast
from urllib.parse import unquote

from redis import Redis

from shared import redis_keys
from shared.clock import system_clock
from shared.domain.alerting.budget import Budget
from shared.domain.booking.record import Booking, Change
from shared.ledger.alert_channels import Conversations
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger
from shared.ledger.data_loss import LedgerEpoch
from shared.ledger.due_set import DueItem, DueSet
from shared.ledger.heartbeats import Heartbeats
from shared.ledger.known_doors import KnownDoors
from shared.ledger.reconciliation import ReconciliationLedger
from shared.ledger.records import RecordStore
from shared.ledger.silences import Silences
from shared.ops_commands import command_from
from shared.parked import ParkedList

RETENTION: Final = timedelta(days=90)


class Readers:
    """Today's readers on one data server, whose client answers in text."""

    def __init__(self, redis: Redis) -> None:
        self._redis = redis
        due = DueSet(redis, lease=timedelta(minutes=1))
        self._ledger = BookingLedger(redis, due=due, clock=system_clock, retention=RETENTION)
        self._alerts = AlertLedger(redis, due=due, clock=system_clock, retention=RETENTION)

    def read(self, key: str) -> object:
        """Read one key as the code that owns it does; what it returns is true if something was found.

        Raises LookupError for a key that nothing here reads.
        """
        return next(reader for pattern, reader in self._by_key().items() if fnmatchcase(key, pattern))(key)

    def is_read(self, key: str) -> bool:
        """Say whether there is a reader for the key."""
        return any(fnmatchcase(key, pattern) for pattern in self._by_key())

    def listed(self) -> dict[str, list[str]]:
        """Return the ids that lists of everything hold: what can't be read is missing in them."""
        return {
            "bookings": sorted(booking.booking_id for booking in self._ledger.all()),
            "alerts": sorted(alert.key for alert in self._alerts.all()),
            "parked": [entry.parked_id for entry in ParkedList(self._redis).list()],
            "silences": [each.silence_id for each in Silences(self._redis, clock=system_clock).all()],
        }

    def write_back(self) -> None:
        """Write every record over itself, by the way on which every change of it goes."""
        for booking in list(self._ledger.all()):
            self._ledger.record(self._ledger.get(booking.booking_id), lambda it: Change(replace(it)))
        alerts = list(self._alerts.all())
        for alert in alerts:
            self._alerts.update(alert.key, replace)
        for name in {alert.group for alert in alerts}:
            group, version = self._alerts.groups.load(name)
            if version:
                self._alerts.groups.save(name, replace(group), version=version)

    def _by_key(self) -> Mapping[str, Callable[[str], object]]:
        prefix = redis_keys.PREFIX
        return {
            f"{prefix}:{{booking:*}}:record": lambda key: self._ledger.get(_id_in(key)),
            f"{prefix}:{{booking:*}}:history": lambda key: self._ledger.history(_id_in(key)),
            f"{prefix}:{{code:*}}:owner": lambda key: self._ledger.owner_of([_id_in(key)])[0],
            f"{prefix}:{{code:*}}:events": self._events_in_history,
            f"{prefix}:{{door:*}}:known": self._known,
            f"{prefix}:{{door:*}}:bookings": self._bookings_of_door,
            f"{prefix}:{{door:*}}:device": self._json_object,
            f"{prefix}:{{door:*}}:fingerprint": self._redis.get,
            f"{prefix}:{{door:*}}:spent": self._redis.zcard,
            f"{prefix}:{{door:*}}:queue": self._redis.zcard,
            f"{prefix}:{{door:*}}:asked": self._redis.zcard,
            f"{prefix}:{{alert:*}}:record": lambda key: self._alerts.get(_id_in(key)),
            f"{prefix}:{{alert-group:*}}:record": lambda key: self._alerts.groups.load(_id_in(key))[1],
            f"{prefix}:{{alert-group:*}}:members": lambda key: self._alerts.groups.members(_id_in(key)),
            f"{prefix}:{{alert-channel:*}}:budget": self._budget,
            f"{prefix}:{{alert-channel:*}}:conversation:*": self._conversation,
            f"{prefix}:silences": lambda _: Silences(self._redis, clock=system_clock).all(),
            f"{prefix}:beats": lambda _: Heartbeats(self._redis).last(),
            f"{prefix}:chores": lambda _: {
                name for name in Heartbeats(self._redis).last() if name.startswith("chore:")
            },
            f"{prefix}:due": lambda _: list(self._due_items()),
            f"{prefix}:claims": self._redis.hlen,
            f"{prefix}:left": self._redis.zcard,
            f"{prefix}:left-again": self._redis.zcard,
            f"{prefix}:bookings": lambda _: list(self._ledger.all()),
            f"{prefix}:alerts": lambda _: list(self._alerts.all()),
            f"{prefix}:parked": lambda _: list(ParkedList(self._redis).list()),
            f"{prefix}:generation": self._epoch,
            f"{prefix}:primary": self._redis.hlen,
            f"{prefix}:barrier": self._redis.exists,
            f"{prefix}:doors": lambda _: self._ledger.doors_with_bookings(),
            f"{prefix}:arrivals": lambda _: self._ledger.arriving(
                system_clock() - timedelta(days=1), system_clock() + timedelta(days=100)
            ),
            f"{prefix}:reconciliation": lambda _: ReconciliationLedger(self._redis).load().cursor,
            f"{prefix}:ignored": self._redis.hlen,
            f"{prefix}:turn:*": self._redis.get,
            "{*}:seen:*": self._redis.get,
            "ops-commands": self._orders,
            "booking-created": self._redis.xlen,
            "seam-events": self._redis.xlen,
            "access-code-outcomes": self._redis.xlen,
        }

    def _events_in_history(self, key: str) -> object:
        """Return the lines of the booking's history that are events of the code, as many as there are events."""
        (owner,) = self._ledger.owner_of([_id_in(key)])
        if owner is None:
            return self._redis.llen(key)
        lines = [entry for entry in self._ledger.history(owner.booking_id) if entry.what.startswith("access_code.")]
        return len(lines) >= 1 and lines

    def _bookings_of_door(self, key: str) -> object:
        stored = self._redis.zcard(key)
        found = self._ledger.of_door(_id_in(key))
        return len(found) == stored and found

    def _known(self, key: str) -> object:
        def nobody(_: str) -> list[Booking]:
            return []

        # What has no zone is of no use to whoever can't read the door, and counts as nothing.
        found = KnownDoors(self._redis, bookings_of=nobody)(_id_in(key))
        return found.time_zone == json.loads(str(self._redis.get(key)))["time_zone"]

    def _json_object(self, key: str) -> object:
        return json.loads(str(self._redis.get(key)))

    def _budget(self, key: str) -> object:
        return RecordStore(self._redis, Budget).load(key).record

    def _conversation(self, key: str) -> object:
        channel, _, name = key.partition(":conversation:")
        return Conversations(self._redis, keep_for=RETENTION).get(_id_in(channel), unquote(name))

    def _due_items(self) -> Iterator[DueItem]:
        for member in cast(Any, self._redis.zrange(redis_keys.DUE, 0, -1)):
            subject, *ids = json.loads(member)
            item = DueItem(subject, tuple(ids))
            assert item.encoded() == member
            assert item.is_known or subject == "invoice", f"{member}: nobody knows it"
            yield item

    def _epoch(self, _: str) -> object:
        def no_id() -> str:
            raise AssertionError("the ledger counts as emptied")

        epoch = LedgerEpoch(self._redis, settle=timedelta(), clock=system_clock, new_id=no_id)
        assert epoch.settled_at() is None
        return not epoch.is_young()

    def _orders(self, key: str) -> object:
        entries: Any = self._redis.xrange(key)
        return [command_from(fields["command"]) for _, fields in entries]


def _id_in(key: str) -> str:
    """Return the id in the key's hash tag."""
    tag = key[key.index("{") + 1 : key.index("}")]
    return unquote(tag.partition(":")[2])
