"""Two versions side by side, as in every rolling restart: the older reads what the newer wrote, and keeps the rest.

What happens to whole processes is in `tests/faults/test_two_versions.py`.
"""

from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import replace
from datetime import timedelta
from itertools import count
from typing import Any

from hypothesis import given
from hypothesis import strategies as st
from redis import Redis

from shared import redis_keys
from shared.domain.alerting import alert as alerting
from shared.domain.alerting import receipts
from shared.domain.alerting.alert import Alert, record_notice
from shared.domain.alerting.budget import Budget, Priority, Rate, spend
from shared.domain.alerting.notifications import (
    Group,
    Notification,
    record_failed_try,
    with_notification,
    without_notification,
)
from shared.domain.alerting.severity import Severity
from shared.domain.booking import transitions
from shared.domain.booking.next_step import Step, next_step
from shared.domain.booking.notices import alerts_of
from shared.domain.booking.record import Booking, Change, State, Window
from shared.ledger.bookings import BookingLedger
from tests.shared.ledgers import RETENTION, due_set
from tests.shared.newer_versions import NEWER, NOTICE, a_booking, json_of, kept_in, of_a_newer_version
from tests.shared.stories import CHECK_OUT, DOOR, ERASE_AT, NOW, SECOND, SOON, accepted, issued, with_door

LATER = NOW + timedelta(hours=1)
WINDOW = Window(NOW, LATER)
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
    "ended": lambda it: transitions.end_stay(it, DOOR, erase_at=ERASE_AT, now=CHECK_OUT + SOON),
    "forgotten": lambda it: transitions.erase_personal_data(it, DOOR, now=ERASE_AT + SOON),
}
ALERT_MOVES: Mapping[str, Callable[[Alert], Alert | None]] = {
    "noticed again": lambda it: record_notice(it, replace(NOTICE, happened="Another thing.")),
    "resolved": lambda it: record_notice(it, replace(NOTICE, raised=False)),
    "more severe": lambda it: alerting.raise_severity(it, Severity.PAGE, LATER),
    "reminder": lambda it: alerting.add_reminder(it, LATER),
    "handled": lambda it: alerting.mark_handled(it, "ann"),
    "delivered": lambda it: receipts.record_delivery(it, "slack", it.sequence),
    "maybe delivered": lambda it: receipts.record_possible_delivery(it, "slack", it.sequence, thread="t"),
    "given up": lambda it: receipts.record_failed_delivery(it, "slack", it.sequence, error="no"),
}


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
def test_an_unknown_reason_blocks_no_transition(moves: list[str]) -> None:
    """A reason is a text. An unknown one has no alert here, and every transition of the door works."""
    it = with_door(a_booking(), state=State.FAILED, reason="removed_by_martians", detail="Far away.")
    it = json_of(Booking).decoded(json_of(Booking).encoded(it))
    assert alerts_of(it, NOW) == {}
    assert next_step(it, it.door(DOOR), LATER, prompted=True) is Step.CHECK
    for move in moves:
        with suppress(transitions.StaleRead, transitions.Superseded, transitions.Repeated, KeyError):
            it = BOOKING_MOVES[move](it).booking
    json_of(Booking).decoded(json_of(Booking).encoded(it))


def test_a_superseded_code_keeps_the_fields_that_a_newer_version_added() -> None:
    """Unknown fields stay with their code when it moves within the record."""
    text, added = of_a_newer_version(issued(DOOR), ({"n": n} for n in count()))
    it = json_of(Booking).decoded(text)
    after = transitions.supersede_code(it, DOOR, revision=0, is_gone=False, now=NOW).booking
    (door,) = after.doors
    assert door.code is None
    assert [each.access_code_id for each in door.residual] == ["c-1"]
    assert kept_in(after)["c-1"] == added["c-1"]


@given(additions=st.lists(ADDITION, min_size=3, max_size=3), moves=st.lists(st.sampled_from(sorted(ALERT_MOVES))))
def test_what_a_newer_version_added_to_an_alert_is_kept(additions: list[dict[str, Any]], moves: list[str]) -> None:
    """Whatever happens to the alert, also if it is resolved and opened again."""
    opened = record_notice(None, NOTICE)
    assert opened is not None
    before = receipts.record_delivery(opened, "slack", 1)
    text, added = of_a_newer_version(before, iter(additions))
    it = json_of(Alert).decoded(text)
    for move in moves:
        it = ALERT_MOVES[move](it) or it
    kept = kept_in(it)
    assert it.schema == NEWER
    assert (kept["k"], kept["k.told[slack]"]) == (added["k"], added["k.told[slack]"])


@given(additions=st.lists(ADDITION, min_size=3, max_size=3))
def test_what_a_newer_version_added_to_a_group_or_a_budget_is_kept(additions: list[dict[str, Any]]) -> None:
    """Notifications of other channels stay as they were."""
    mine, theirs = (
        Notification(channel=name, status="open", members={"k": 1}, delivery_id=f"{name}#1", is_page=False, at=NOW)
        for name in ("mail", "slack")
    )
    text, added = of_a_newer_version(with_notification(with_notification(Group(), mine), theirs), iter(additions))
    it = json_of(Group).decoded(text)
    failed = record_failed_try(it.parcels["open:mail"], error="no", now=NOW, jitter=0.5, retry_after=None)
    assert kept_in(with_notification(it, failed)) == added
    assert kept_in(without_notification(it, mine)) == {key: each for key, each in added.items() if "mail" not in key}
    text, added = of_a_newer_version(Budget(3, NOW), iter(additions))
    after, _ = spend(json_of(Budget).decoded(text), Rate(), LATER, name="a", priority=Priority.WARNING)
    assert kept_in(after) == added


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
