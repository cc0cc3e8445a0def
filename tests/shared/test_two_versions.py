"""Two versions side by side, as in every rolling restart: the older reads what the newer wrote, and keeps the rest.

What happens to whole processes is in `tests/faults/test_two_versions.py`.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import fields, is_dataclass, replace
from datetime import timedelta
from itertools import count
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st
from pydantic import ValidationError
from redis import Redis

from shared import redis_keys
from shared.domain import versions
from shared.domain.alerting import alert as alerting
from shared.domain.alerting.alert import Alert, heard
from shared.domain.alerting.budget import Budget, Rate, spend
from shared.domain.alerting.notifications import Group, Notification, refused, with_notification, without_notification
from shared.domain.alerting.severity import Severity
from shared.domain.booking import transitions
from shared.domain.booking.next_step import Step, next_step
from shared.domain.booking.notices import alerts_of
from shared.domain.booking.record import AlertNotice, Booking, Change, OutcomeNotice, State, Window
from shared.domain.versions import OfNewerVersion, Versioned
from shared.ledger.bookings import BookingLedger
from shared.ledger.newer_version_records import RecordJson
from shared.ops_commands import RETRY, OpsCommand, command_from
from shared.parked import Parked, ParkedList
from tests.shared.ledgers import RETENTION, alert_ledger, booking_ledger, due_set
from tests.shared.stories import (
    CHECK_OUT,
    DOOR,
    FORGET_AT,
    NOW,
    SECOND,
    SOON,
    accepted,
    booking,
    code,
    intent,
    issued,
    with_door,
)

NEWER = "1.7"
NOTICE = AlertNotice(at=NOW, raised=True, key="k", problem="no_slot", happened="It did.", booking_id="BK-1")
LATER = NOW + timedelta(hours=1)
WINDOW = Window(NOW, LATER)


def json_of(record_type: type[Any]) -> RecordJson[Any]:
    """Return what encodes and decodes records of this type; nothing is stored."""
    exclude = frozenset({"version"}) if record_type is Booking else frozenset[str]()
    return RecordJson(record_type, exclude=exclude)


def objects_of(value: Any, content: Any, path: str = "") -> Iterator[tuple[str, Any, dict[str, Any]]]:
    """Yield each object of a record that may gain fields, with its JSON, named by what it is, not by its place."""
    if is_dataclass(value):
        # A code is the same one wherever in its door it stands.
        here = getattr(value, "access_code_id", None) or f"{path}{getattr(value, 'key', '')}"
        if "unknown_fields" in {each.name for each in fields(value)}:
            yield here, value, content
        for each in fields(value):
            if each.name in content:
                yield from objects_of(getattr(value, each.name), content[each.name], f"{here}.{each.name}")
    elif isinstance(value, tuple):
        for each, part in zip(value, content, strict=True):
            yield from objects_of(each, part, path)
    elif isinstance(value, Mapping) and isinstance(content, dict):
        for name, each in value.items():
            yield from objects_of(each, content[name], f"{path}[{name}]")


def of_a_newer_version(it: Versioned, additions: Iterator[dict[str, Any]]) -> tuple[str, dict[str, dict[str, Any]]]:
    """Return a record's JSON as a newer version would have written it, and what that added, by object."""
    content = json.loads(json_of(type(it)).encoded(it))
    added = {}
    for name, _, part in objects_of(it, content):
        added[name] = {f"newer_{key}": value for key, value in next(additions).items()}
        part.update(added[name])
    content["schema"] = NEWER
    return json.dumps(content), added


def kept_in(it: Versioned) -> dict[str, dict[str, Any]]:
    """Return what a record's JSON, as we write it, holds besides what we know, by object."""
    kept = json_of(type(it))
    content = json.loads(kept.encoded(it))
    assert kept.decoded(json.dumps(content)) == it
    return {
        name: {key: each for key, each in part.items() if key.startswith("newer_")}
        for name, _, part in objects_of(it, content)
    }


JSON = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(), inner, max_size=3),
    max_leaves=5,
)
ADDITION = st.dictionaries(st.text(min_size=1), JSON, min_size=1, max_size=3)

BOOKING_MOVES: Mapping[str, Callable[[Booking], Change]] = {
    "a newer revision": lambda it: accepted(it, it.revision + 1, doors=(DOOR, SECOND)),
    "another door": lambda it: accepted(it, it.revision + 1, doors=(SECOND, "d0000000-0000-0000-0000-000000000003")),
    "a cancellation": lambda it: accepted(it, it.revision + 1, "cancelled"),
    "retried": lambda it: transitions.retry(it, now=NOW),
    "published": lambda it: transitions.clear_published(it, it.outbox[:1]),
    "woken": lambda it: transitions.wake(it, DOOR, now=NOW),
    "drifted": lambda it: transitions.record_drift(it, DOOR, "Another slot.", now=NOW),
    "confirmed": lambda it: transitions.confirm_code(it, DOOR, reason="", detail="", due_at=LATER, now=NOW),
    "in trouble": lambda it: transitions.record_unconfirmed_code(
        it, DOOR, reason="code_problem", detail="x", failed=True, due_at=LATER, now=NOW
    ),
    "stumbled": lambda it: transitions.record_failed_attempt(
        it, DOOR, reason="seam_unavailable", detail="x", until=LATER, tell=True, now=NOW
    ),
    "a PIN replaced": lambda it: transitions.record_pin_change(it, "c-1", at=NOW, now=NOW),
    "a PIN revealed": lambda it: transitions.record_pin_reveal(it, DOOR, by="ann", now=NOW),
    "moved by Seam": lambda it: Change(transitions.record_window(it, DOOR, WINDOW)),
    "set aside": lambda it: transitions.supersede_code(it, DOOR, revision=it.revision, is_gone=False, now=NOW),
    "gone": lambda it: transitions.drop_code(it, DOOR, now=NOW),
    "ended": lambda it: transitions.end_stay(it, DOOR, forget_at=FORGET_AT, now=CHECK_OUT + SOON),
    "forgotten": lambda it: transitions.erase_personal_data(it, DOOR, now=FORGET_AT + SOON),
}

ALERT_MOVES: Mapping[str, Callable[[Alert], Alert | None]] = {
    "heard again": lambda it: heard(it, replace(NOTICE, happened="Another thing.")),
    "resolved": lambda it: heard(it, replace(NOTICE, raised=False)),
    "risen": lambda it: alerting.risen(it, Severity.PAGE, LATER),
    "reminded": lambda it: alerting.reminded(it, LATER),
    "handled": lambda it: alerting.handled(it, "ann"),
    "delivered": lambda it: alerting.delivered(it, "slack", it.sequence),
    "maybe told": lambda it: alerting.maybe_told(it, "slack", it.sequence, thread="t"),
    "given up": lambda it: alerting.given_up(it, "slack", it.sequence, error="no"),
}


def a_booking() -> Booking:
    """Return a booking of two doors that has everything: codes, one of the past, an intent, notices."""
    it = with_door(issued(DOOR, SECOND), residual=(code("c-old"),))
    it = with_door(it, SECOND, intent=intent())
    outbox = (OutcomeNotice(sequence=1, at=NOW, outcome="access-code.issued", body={"a": {"b": [1]}}), NOTICE)
    return replace(it, outbox=outbox)


@given(additions=st.lists(ADDITION, min_size=10, max_size=10), moves=st.lists(st.sampled_from(sorted(BOOKING_MOVES))))
def test_what_a_newer_version_added_outlives_every_transition(
    additions: list[dict[str, Any]], moves: list[str]
) -> None:
    """On every level, for as long as the object is there that it was added to: booking, stay, door, code, intent."""
    before = a_booking()
    text, added = of_a_newer_version(before, iter(additions))
    assert len(added) == 10
    it = json_of(Booking).decoded(text)
    assert it == replace(before, schema=NEWER)
    stay_left = True
    for move in moves:
        try:
            it = BOOKING_MOVES[move](it).booking
        except (transitions.StaleRead, transitions.Superseded, transitions.Repeated, KeyError):
            continue
        stay_left = stay_left and move not in ("a newer revision", "another door")
    assert it.schema == NEWER
    kept = kept_in(it)
    # A message brings a whole new stay; notices go when they were told, and new ones take their place in the row.
    passing = {name for name in added if "outbox" in name} | ({".stay"} if not stay_left else set())
    for name in added.keys() & kept.keys() - passing:
        assert kept[name] == added[name], f"{name} after {moves}"
    assert {"", f".doors{DOOR}", f".doors{SECOND}", "c-2"} <= kept.keys()


@given(moves=st.lists(st.sampled_from(sorted(BOOKING_MOVES)), min_size=1, max_size=4))
def test_a_reason_of_a_newer_version_is_in_nobodys_way(moves: list[str]) -> None:
    """A reason is a text: one that isn't known has no alert here, and every transition of the door goes on."""
    it = with_door(a_booking(), state=State.FAILED, reason="removed_by_martians", detail="Far away.")
    it = json_of(Booking).decoded(json_of(Booking).encoded(it))
    assert alerts_of(it, NOW) == {}
    assert next_step(it, it.door(DOOR), LATER, prompted=True) is Step.CHECK
    for move in moves:
        with suppress(transitions.StaleRead, transitions.Superseded, transitions.Repeated, KeyError):
            it = BOOKING_MOVES[move](it).booking
    json_of(Booking).decoded(json_of(Booking).encoded(it))


def test_a_code_that_is_set_aside_takes_along_what_was_added_to_it() -> None:
    """What is kept belongs to the code, not to the place in the record where it stood."""
    text, added = of_a_newer_version(issued(DOOR), ({"n": n} for n in count()))
    it = json_of(Booking).decoded(text)
    after = transitions.supersede_code(it, DOOR, revision=0, is_gone=False, now=NOW).booking
    (door,) = after.doors
    assert door.code is None
    assert [each.access_code_id for each in door.residual] == ["c-1"]
    assert kept_in(after)["c-1"] == added["c-1"]


@given(additions=st.lists(ADDITION, min_size=3, max_size=3), moves=st.lists(st.sampled_from(sorted(ALERT_MOVES))))
def test_what_a_newer_version_added_to_an_alert_is_kept(additions: list[dict[str, Any]], moves: list[str]) -> None:
    """Whatever becomes of the alert, resolved and opened again too."""
    opened = heard(None, NOTICE)
    assert opened is not None
    before = alerting.delivered(opened, "slack", 1)
    text, added = of_a_newer_version(before, iter(additions))
    it = json_of(Alert).decoded(text)
    for move in moves:
        it = ALERT_MOVES[move](it) or it
    kept = kept_in(it)
    assert it.schema == NEWER
    assert (kept["k"], kept["k.told[slack]"]) == (added["k"], added["k.told[slack]"])


@given(additions=st.lists(ADDITION, min_size=3, max_size=3))
def test_what_a_newer_version_added_to_a_group_or_a_budget_is_kept(additions: list[dict[str, Any]]) -> None:
    """Parcels that others have under way stay as they were."""
    mine, theirs = (
        Notification(channel=name, status="open", members={"k": 1}, delivery_id=f"{name}#1", is_page=False, at=NOW)
        for name in ("mail", "slack")
    )
    text, added = of_a_newer_version(with_notification(with_notification(Group(), mine), theirs), iter(additions))
    it = json_of(Group).decoded(text)
    failed = refused(it.parcels["open:mail"], error="no", now=NOW, jitter=0.5, retry_after=None)
    assert kept_in(with_notification(it, failed)) == added
    assert kept_in(without_notification(it, mine)) == {key: each for key, each in added.items() if "mail" not in key}
    text, added = of_a_newer_version(Budget(3, NOW), iter(additions))
    after, _ = spend(json_of(Budget).decoded(text), Rate(), LATER, at_any_price=False)
    assert kept_in(after) == added


UNKNOWN_VALUES: Mapping[str, tuple[Versioned, tuple[str | int, ...], Any]] = {
    "a state": (a_booking(), ("state",), "paused"),
    "a door's state": (a_booking(), ("doors", 1, "state"), "paused"),
    "a granularity": (a_booking(), ("stay", "granularity"), "weekly"),
    "a kind of notice": (a_booking(), ("outbox", 0, "kind"), "invoice"),
    "another type": (a_booking(), ("revision",), "1.5"),
    "a severity": (Alert(notice=NOTICE, opened_at=NOW, news_at=NOW), ("severity",), "siren"),
    "a kind of news": (Alert(notice=NOTICE, opened_at=NOW, news_at=NOW), ("news",), "escalated"),
    "a budget": (Budget(1, NOW), ("left",), "unlimited"),
}


@pytest.mark.parametrize("case", UNKNOWN_VALUES)
def test_a_value_of_a_newer_version_is_left_to_it(case: str) -> None:
    """It is neither damage nor anything that we could act on; under our own version it is damage."""
    it, path, value = UNKNOWN_VALUES[case]
    kept = json_of(type(it))
    content = json.loads(kept.encoded(it))
    *way, last = path
    part: Any = content
    for step in way:
        part = part[step]
    part[last] = value
    with pytest.raises(ValidationError):
        kept.decoded(json.dumps(content))
    for schema in (NEWER, "2.0"):
        with pytest.raises(OfNewerVersion, match=f"of version {schema}; this process knows {content['schema']}"):
            kept.decoded(json.dumps({**content, "schema": schema}))


@pytest.mark.parametrize(
    ("schema", "reads", "keeps"),
    [
        ("", True, False),
        ("0.9", True, False),
        ("1.0", True, False),
        (versions.BOOKING, True, False),
        (NEWER, True, True),
        ("1.10", True, True),
        ("2.0", False, False),
        ("10.0", False, False),
        ("x", True, False),
        ("1.x", True, False),
        ("9999999.0", True, False),
    ],
)
def test_which_versions_are_read(schema: str, *, reads: bool, keeps: bool) -> None:
    """Another MAJOR may mean something else by what we know; what is no version is as good as none."""
    kept = json_of(Booking)
    content = json.loads(kept.encoded(booking())) | {"schema": schema, "newer": 1}
    if not reads:
        with pytest.raises(OfNewerVersion):
            kept.decoded(json.dumps(content))
        return
    written = json.loads(kept.encoded(kept.decoded(json.dumps(content))))
    assert (written.get("newer") == 1) is keeps
    # Who writes a record of an older version brings it up to its own; one of a newer version keeps that.
    assert written["schema"] == (schema if keeps else versions.BOOKING)


def test_a_record_from_before_there_were_versions_is_read() -> None:
    """It names none."""
    content = json.loads(json_of(Booking).encoded(a_booking()))
    del content["schema"]
    assert json_of(Booking).decoded(json.dumps(content)) == a_booking()


def test_what_is_no_record_at_all_is_damage() -> None:
    """Nobody newer will read it either."""
    for text in ("", "x", "[]", "7", '{"schema": 7}', '{"schema": "1.0"}'):
        with pytest.raises(ValidationError):
            json_of(Booking).decoded(text)


def test_the_ledger_keeps_it_too(redis_client: Redis) -> None:
    """From the server and back, with a change between; the record's own version counts on."""
    # Nothing is published, so that what is to be told stays in the record.
    ledger = BookingLedger(redis_client, due=due_set(redis_client), clock=lambda: NOW, retention=RETENTION)
    written = ledger.record_message("BK-1", lambda _: Change(a_booking()))
    key = redis_keys.booking_record("BK-1")
    text, added = of_a_newer_version(written, ({"n": n} for n in count()))
    redis_client.hset(key, "record", text)
    assert list(ledger.all()) == [replace(written, version=0, schema=NEWER)]
    changed = ledger.record(ledger.get("BK-1"), lambda before: Change(replace(before, label="by the older")))
    assert changed == replace(written, label="by the older", version=2, schema=NEWER)
    assert kept_in(replace(changed, version=0)) == added
    assert ledger.get("BK-1") == changed


def test_lists_pass_over_what_only_a_newer_version_reads(redis_client: Redis) -> None:
    """One such record doesn't hide all others; asked for by name, it says why it can't be had."""
    ledger = booking_ledger(redis_client)
    for number in (1, 2):
        it = replace(issued(DOOR), booking_id=f"BK-{number}")
        ledger.record_message(it.booking_id, lambda _, it=it: Change(it))  # type: ignore[misc]
    key = redis_keys.booking_record("BK-1")
    text = (
        str(redis_client.hget(key, "record"))
        .replace('"issued"', '"paused"')
        .replace(f'"{versions.BOOKING}"', f'"{NEWER}"')
    )
    redis_client.hset(key, "record", text)
    assert [each.booking_id for each in ledger.all()] == ["BK-2"]
    assert [each.booking_id for each in ledger.of_door(DOOR)] == ["BK-2"]
    with pytest.raises(OfNewerVersion):
        ledger.get("BK-1")
    seen = replace(issued(DOOR), booking_id="BK-1", version=7)
    with pytest.raises(OfNewerVersion):
        ledger.record(seen, lambda before: Change(replace(before, label="x")))
    assert redis_client.hget(key, "record") == text


def test_alerts_that_are_told_together_are_not_told_without_one(redis_client: Redis) -> None:
    """A list for people passes over an alert that we can't read; who tells the group leaves it as a whole."""
    ledger = alert_ledger(redis_client)
    for name in ("a", "b"):
        ledger.tell(replace(NOTICE, key=name))
    key = redis_keys.alert_record("a")
    text = (
        str(redis_client.hget(key, "record"))
        .replace('"opened"', '"escalated"')
        .replace(f'"{versions.ALERT}"', f'"{NEWER}"')
    )
    redis_client.hset(key, "record", text)
    assert [each.key for each in ledger.all()] == ["b"]
    with pytest.raises(OfNewerVersion):
        ledger.get_many(["a", "b"])


def test_history_lines_of_a_newer_version_are_read(redis_client: Redis) -> None:
    """A story goes on across versions: lines are added, never written again."""
    ledger = booking_ledger(redis_client)
    ledger.record_message("BK-1", lambda _: Change(issued(DOOR)))
    line = {"at": "2036-11-21T12:00:00Z", "what": "code.rethought", "text": "New.", "from_the_future": 1}
    redis_client.rpush(redis_keys.booking_history("BK-1"), json.dumps(line))
    assert [each.what for each in ledger.history("BK-1")] == ["code.rethought"]


def test_parked_messages_of_a_newer_version_are_listed_and_replayed(redis_client: Redis) -> None:
    """Whoever looks at them reads what it knows."""
    parked = ParkedList(redis_client)
    kept = Parked(stream="s", field="f", source_id="1-1", message="{}", problems=("p",), parked_at="now")
    parked.park(kept)
    found: Any = redis_client.xrange(redis_keys.PARKED)
    ((entry_id, entry_fields),) = found
    assert entry_fields["schema"] == versions.PARKED
    redis_client.xdel(redis_keys.PARKED, entry_id)
    newer = json.loads(entry_fields["parked"]) | {"severity": "high"}
    redis_client.xadd(redis_keys.PARKED, {"parked": json.dumps(newer), "schema": "1.4"})
    (entry,) = parked.list()
    assert entry.parked == kept
    parked.replay(entry)
    assert redis_client.xlen("s") == 1


ORDER = {"action": RETRY, "target": "BK-1", "by": "ann"}


@pytest.mark.parametrize(
    ("content", "outcome"),
    [
        (ORDER, "read"),
        (ORDER | {"schema": "1.0"}, "read"),
        (ORDER | {"schema": "1.4", "floor": 7}, "read"),
        (ORDER | {"schema": "2.0"}, "left"),
        (ORDER | {"schema": "1.4", "action": "pause_booking"}, "left"),
        (ORDER | {"schema": "1.0", "action": "pause_booking"}, "refused"),
        (ORDER | {"action": "pause_booking"}, "refused"),
        (ORDER | {"schema": 9, "action": "pause_booking"}, "refused"),
    ],
)
def test_orders_of_a_newer_version(content: dict[str, Any], outcome: str) -> None:
    """An order that only a newer version can give is left to it; what no version knows is refused as before."""
    text = json.dumps(content)
    if outcome == "read":
        assert command_from(text) == OpsCommand(action=RETRY, target="BK-1", by="ann")
    else:
        with pytest.raises(OfNewerVersion if outcome == "left" else ValueError, match=r"version|order"):
            command_from(text)
    assert json.loads(OpsCommand(action=RETRY, target="BK-1", by="").encoded())["schema"] == versions.ORDER
