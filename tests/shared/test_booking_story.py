"""The booking ledger: a booking's story, the events of its codes, and when all of it expires."""

import json
from dataclasses import replace
from datetime import timedelta

from redis import Redis

from shared import redis_keys
from shared.domain.booking.record import Change, HistoryEntry
from shared.domain.stay.stay import Stay, WallTime
from tests.shared.ledgers import RETENTION, at, booking_ledger
from tests.shared.stories import CHECK_IN, CHECK_OUT, DOOR, NOW, SECOND, accepted, booking, code, issued, with_door


def test_events_are_woven_into_the_story_by_time(redis_client: Redis) -> None:
    """Also events that came before the code was known, and events without a readable time."""
    ledger = booking_ledger(redis_client)
    early = {"event_id": "e-1", "event_type": "access_code.created", "occurred_at": "2036-11-20T00:00:00Z"}
    strange = {"event_id": "e-2", "event_type": "access_code.changed", "occurred_at": "yesterday"}
    naive = {"event_id": "e-3", "event_type": "access_code.changed", "occurred_at": "2036-11-22T00:00:00"}
    ledger.record_events([("c-1", json.dumps(each)) for each in (early, strange, naive)])
    ledger.record_message("BK-1", lambda _: Change(issued(), (HistoryEntry(at=NOW, what="code.issued", text="x"),)))

    story = [entry.what for entry in ledger.history("BK-1")]
    assert story[-4:] == ["access_code.created", "access_code.changed", "code.issued", "access_code.changed"]
    assert len(story) == 4


def event_of(number: int) -> str:
    """Return an event that happened at that minute."""
    at_ = NOW + timedelta(minutes=number)
    return json.dumps(
        {"event_id": f"e-{number}", "event_type": f"access_code.n{number}", "occurred_at": at_.isoformat()}
    )


def test_the_story_keeps_the_events_of_codes_that_are_gone(redis_client: Redis) -> None:
    """Each once, and with the door that it was of; lost codes and those taken back are no more in the record."""
    ledger = booking_ledger(redis_client)
    facts = {"access_code_id": "c-gone"}
    lines = [
        HistoryEntry(at=NOW, what=what, text="", device_id=SECOND, facts=facts)
        for what in ("code.issued", "code.adopted")
    ]
    ledger.record_message("BK-1", lambda _: Change(issued(DOOR, SECOND), tuple(lines)))
    ledger.record_events([("c-gone", event_of(1)), ("c-1", event_of(2)), ("c-404", event_of(3))])
    story = [(entry.what, entry.device_id) for entry in ledger.history("BK-1")]
    assert story[2:] == [("access_code.n1", SECOND), ("access_code.n2", DOOR)]


def test_forgetting_takes_the_events_of_every_code(redis_client: Redis) -> None:
    """Also the events of codes that the booking doesn't have any more."""
    ledger = booking_ledger(redis_client)
    line = HistoryEntry(at=NOW, what="code.issued", text="", device_id=DOOR, facts={"access_code_id": "c-gone"})
    it = ledger.record_message("BK-1", lambda _: Change(issued(), (line,)))
    ledger.record_events([("c-gone", event_of(1)), ("c-1", event_of(2))])
    ledger.erase_personal_data(it, DOOR)
    assert not redis_client.exists(redis_keys.code_events("c-gone"), redis_keys.code_events("c-1"))


def test_a_codes_events_live_as_long_as_its_booking(redis_client: Redis) -> None:
    """Three days while nobody owns the code, then with the booking; also for events that come after."""
    ledger = booking_ledger(redis_client, at(NOW))
    ledger.record_events([("c-1", "{}"), ("c-404", "{}")])
    ledger.record_message("BK-1", lambda _: Change(issued()))
    three_days = int(timedelta(days=3).total_seconds())
    assert redis_client.ttl(redis_keys.code_events("c-404")) <= three_days
    assert redis_client.expiretime(redis_keys.code_events("c-1")) == int((CHECK_OUT + 2 * RETENTION).timestamp())

    ledger.record_message("BK-1", lambda _: Change(with_door(issued(), code=code("c-9"))))
    ledger.record_events([("c-9", "{}")])
    assert redis_client.expiretime(redis_keys.code_events("c-9")) == int((CHECK_OUT + 2 * RETENTION).timestamp())


def test_everything_of_a_booking_expires_after_its_retention(redis_client: Redis) -> None:
    """Check-out plus twice the retention; the index forgets it too."""
    ledger = booking_ledger(redis_client)
    ledger.record_message("BK-1", lambda _: Change(issued(), (HistoryEntry(at=NOW, what="x.y", text=""),)))
    over_at = int((CHECK_OUT + 2 * RETENTION).timestamp())
    for key in (redis_keys.booking_record("BK-1"), redis_keys.booking_history("BK-1"), redis_keys.code_owner("c-1")):
        assert redis_client.expiretime(key) == over_at

    assert [each.booking_id for each in ledger.all()] == ["BK-1"]
    after = booking_ledger(redis_client, at(CHECK_OUT + 2 * RETENTION + timedelta(seconds=1)))
    assert list(after.all()) == []
    assert redis_client.zcard(redis_keys.BOOKINGS) == 0


def test_the_personal_parts_go_by_the_doors_own_clocks(redis_client: Redis) -> None:
    """By the last door that is left, once all are planned; the latest moment anywhere before that."""
    ledger = booking_ledger(redis_client)
    wall = Stay(check_in=WallTime(CHECK_IN.replace(tzinfo=None)), check_out=WallTime(CHECK_OUT.replace(tzinfo=None)))
    it = replace(booking(DOOR, SECOND, "d0000000-0000-0000-0000-000000000003"), stay=wall)
    anywhere = CHECK_OUT + timedelta(hours=12) + RETENTION
    assert ledger.erase_at(it) == anywhere
    it = with_door(
        with_door(it, DOOR, check_out=CHECK_OUT - timedelta(hours=9)),
        "d0000000-0000-0000-0000-000000000003",
        wanted=False,
    )
    assert ledger.erase_at(it) == anywhere
    it = with_door(it, SECOND, check_out=CHECK_OUT - timedelta(hours=8))
    assert ledger.erase_at(it) == CHECK_OUT - timedelta(hours=8) + RETENTION
    assert ledger.erase_at(replace(it, stay=None)) == NOW + RETENTION


def test_a_tombstone_expires_too(redis_client: Redis) -> None:
    """A cancellation of a booking that never came is kept as long."""
    ledger = booking_ledger(redis_client)
    ledger.record_message("BK-1", lambda _: accepted(kind="cancelled"))
    assert redis_client.expiretime(redis_keys.booking_record("BK-1")) == int((NOW + 2 * RETENTION).timestamp())
