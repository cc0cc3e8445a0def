"""Issues of a connected account: told once for all of its doors, whichever reading found them, and resolved."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from redis import Redis

from shared.domain.alerting.alert import Alert
from shared.domain.booking.record import Booking
from shared.ledger.due_set import account_item, refresh_item
from tests.sandbox.harness import Sandbox
from tests.shared.keys import everything_in, wrong_keys
from tests.shared.ledgers import due_at
from tests.support.server import DataServer
from tests.worker.alert_stage import Channel
from tests.worker.machine import Machine
from tests.worker.seam_front import ACCOUNT, SeamFront, seam_front
from tests.worker.test_door_troubles import deliver_events, event, report

UNAPPROVED = {"warning_code": "dormakaba_sites_unapproved", "message": "Wait for us."}
LOST = {"error_code": "account_disconnected", "message": "Log in.", "is_connected_account_error": True}
KEY = f"account/{ACCOUNT}/trouble"


@pytest.fixture
def front(sandbox: Sandbox) -> Iterator[SeamFront]:
    """Run a Seam that has connected accounts."""
    with seam_front(sandbox.url) as running:
        yield running


@pytest.fixture
def machine(
    redis_client: Redis, data_server: DataServer, sandbox: Sandbox, front: SeamFront, channel: Channel
) -> Machine:
    """Return a worker on it, with a channel that gets every alert."""
    return Machine(redis_client, data_server.url, sandbox, channels=[channel], seam_endpoint=front.url)


def alert_of(machine: Machine) -> Alert:
    """Return the account's alert."""
    alert = machine.alerts.get(KEY)
    assert alert is not None
    return alert


def read(machine: Machine, *device_ids: str) -> None:
    """Read these doors, and then their account."""
    for device_id in device_ids:
        machine.handlers.refresh_door(device_id)
    machine.handlers.refresh_account(ACCOUNT)


def test_a_warning_of_the_account_is_told_once_for_all_its_doors(
    machine: Machine, sandbox: Sandbox, front: SeamFront
) -> None:
    """Seam reports it for the account only."""
    doors = [sandbox.door() for _ in range(3)]
    bookings = [machine.until(machine.book(device_id), "ready") for device_id in doors]
    front.account = {"warnings": [UNAPPROVED]}
    read(machine, *doors)
    alert = alert_of(machine)
    assert (alert.is_open, alert.sequence, alert.hit) == (True, 1, 3)
    assert {subject.split()[1] for subject in alert.subjects} == {each.booking_id for each in bookings}
    now = machine.clock()
    arrivals = machine.arrivals(now, now + timedelta(days=4))
    assert {(each.readiness, each.reason) for each in arrivals} == {("at risk", "account_trouble")}
    assert machine.alerts.get(f"door/{doors[0]}/trouble") is None

    front.account = {"warnings": []}
    read(machine)
    assert not alert_of(machine).is_open
    assert {each.readiness for each in machine.arrivals(now, now + timedelta(days=4))} == {"ready"}
    assert wrong_keys(machine.redis) == []


def test_an_account_is_read_for_its_doors_bookings(machine: Machine, sandbox: Sandbox) -> None:
    """The first reading of a door prompts it; then it is read in each interval as long as there are stays to come."""
    device_id = sandbox.door()
    machine.book(device_id)
    machine.handlers.refresh_door(device_id)
    item = account_item(ACCOUNT).encoded()
    assert due_at(machine.redis, item) is not None
    machine.handlers.refresh_account(ACCOUNT)
    due = due_at(machine.redis, item)
    assert due is not None
    assert due > machine.clock() + timedelta(minutes=29)
    machine.clock.move(timedelta(days=40))
    machine.handlers.refresh_account(ACCOUNT)
    assert due_at(machine.redis, item) is None


@pytest.mark.parametrize("status", [401, 403, 404])
def test_an_account_that_cannot_be_read_breaks_nothing(
    machine: Machine, sandbox: Sandbox, front: SeamFront, status: int
) -> None:
    """Its errors are told as far as its doors repeat them."""
    front.account = status
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    report(sandbox, device_id, errors=[LOST])
    read(machine, device_id)
    alert = alert_of(machine)
    assert (alert.is_open, alert.hit, booking.booking_id in alert.subjects[0]) == (True, 1, True)
    assert machine.issues.of_accounts([ACCOUNT])[ACCOUNT].unreadable.startswith("/connected_accounts/get: HTTP 4")
    report(sandbox, device_id)
    machine.handlers.refresh_door(device_id)
    due = due_at(machine.redis, account_item(ACCOUNT).encoded())
    assert due is not None
    assert due <= machine.clock() + timedelta(seconds=1)
    machine.handlers.refresh_account(ACCOUNT)
    assert not alert_of(machine).is_open


def test_an_account_that_was_deleted_is_told(machine: Machine, sandbox: Sandbox, front: SeamFront) -> None:
    """Its doors can't be reached by Seam, even if Seam still lists them."""
    device_id = sandbox.door()
    machine.until(machine.book(device_id), "ready")
    front.account = 404
    front.refusal = "connected_account_not_found"
    read(machine, device_id)
    alert = alert_of(machine)
    assert (alert.is_open, alert.hit) == (True, 1)
    assert "no such connected account any more" in alert.notice.happened


def test_an_alert_stays_open_while_the_account_cannot_be_read(
    machine: Machine, sandbox: Sandbox, front: SeamFront
) -> None:
    """Neither an outage nor a key without access to accounts means that the problem is over."""
    device_id = sandbox.door()
    machine.book(device_id)
    front.account = {"warnings": [UNAPPROVED]}
    read(machine, device_id)
    for status in (403, 500):
        front.account = status
        read(machine)
        assert alert_of(machine).is_open
    front.account = {}
    read(machine)
    assert not alert_of(machine).is_open


def test_after_an_event_the_account_and_its_doors_are_read(
    machine: Machine, sandbox: Sandbox, front: SeamFront
) -> None:
    """Only doors with stays to come; an unknown account costs nothing."""
    device_id, empty = sandbox.door(), sandbox.door()
    machine.until(machine.book(device_id), "ready")
    read(machine, device_id, empty)
    front.account = {"errors": [LOST]}
    report(sandbox, device_id, errors=[LOST])
    calls = len(front.reads)
    deliver_events(
        machine,
        event("connected_account.disconnected", connected_account_id=ACCOUNT),
        event("connected_account.disconnected", connected_account_id="nobody's"),
        event("connected_account.successful_login", connected_account_id=ACCOUNT),
    )
    assert due_at(machine.redis, account_item("nobody's").encoded()) is None
    assert due_at(machine.redis, refresh_item(empty).encoded()) is None
    machine.clock.move(timedelta(seconds=2))
    machine.sweep()
    assert sorted(front.reads[calls:]) == ["/connected_accounts/get", "/devices/get"]
    assert alert_of(machine).is_open


def test_the_account_s_holder_is_stored_nowhere(machine: Machine, sandbox: Sandbox, front: SeamFront) -> None:
    """Seam's answer holds an e-mail address."""
    device_id = sandbox.door()
    machine.book(device_id)
    front.account = {"warnings": [UNAPPROVED]}
    read(machine, device_id)
    assert "owner@example.com" not in json.dumps(everything_in(machine.redis))


def in_trouble(machine: Machine, sandbox: Sandbox, front: SeamFront) -> tuple[Booking, str]:
    """Return a booking whose code repeats that the account is disconnected, and the key of its alert."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    machine.handlers.refresh_door(device_id)
    front.account = {"errors": [LOST]}
    front.code_errors = [LOST]
    report(sandbox, device_id, errors=[LOST])
    machine.handlers.advance_door(booking.booking_id, device_id, prompted=True)
    assert machine.ledger.get(booking.booking_id).reason == "code_problem"
    return booking, f"booking/{booking.booking_id}/code_problem/{device_id}"


def deliver(machine: Machine, key: str) -> None:
    """Run the delivery of an alert's group."""
    alert = machine.alerts.get(key)
    assert alert is not None
    machine.handlers.deliver_alert(alert.group)


def told(channel: Channel) -> list[tuple[str, str]]:
    """Return the problem and the status of each message."""
    return [(item.problem, message.status) for message in channel.got for item in message.items]


def test_an_alert_that_only_repeats_the_accounts_is_inhibited(
    machine: Machine, sandbox: Sandbox, front: SeamFront, channel: Channel
) -> None:
    """The look at the code prompts a reading of the door; only the account's alert is told, with the booking."""
    _, key = in_trouble(machine, sandbox, front)
    machine.clock.move(timedelta(seconds=2))
    machine.sweep()
    machine.clock.move(timedelta(seconds=2))
    machine.sweep()
    assert alert_of(machine).is_open
    deliver(machine, key)
    deliver(machine, KEY)
    assert told(channel) == [("account_trouble", "open")]
    child = machine.alerts.get(key)
    assert child is not None
    assert (child.is_open, child.notice.inherited) == (True, "account_disconnected")


def test_all_alerts_end_with_the_accounts_problem(
    machine: Machine, sandbox: Sandbox, front: SeamFront, channel: Channel
) -> None:
    """When the account's alert ends, the codes are read: nobody is told of a booking's problem that is over, too."""
    booking, key = in_trouble(machine, sandbox, front)
    device_id = booking.doors[0].device_id
    read(machine, device_id)
    deliver(machine, KEY)
    deliver(machine, key)
    front.account, front.code_errors = {}, []
    report(sandbox, device_id)
    read(machine, device_id)
    machine.sweep()
    assert machine.ledger.get(booking.booking_id).state == "ready"
    machine.clock.move(timedelta(minutes=1))
    machine.sweep()
    assert told(channel) == [("account_trouble", "open"), ("account_trouble", "resolved")]


def test_a_problem_that_outlasts_the_accounts_is_told(
    machine: Machine, sandbox: Sandbox, front: SeamFront, channel: Channel
) -> None:
    """The code still has the error when the account has none: a person must look."""
    booking, key = in_trouble(machine, sandbox, front)
    device_id = booking.doors[0].device_id
    read(machine, device_id)
    deliver(machine, key)
    assert told(channel) == []
    front.account = {}
    report(sandbox, device_id)
    read(machine, device_id)
    machine.sweep()
    machine.clock.move(timedelta(minutes=1))
    machine.sweep()
    assert ("code_problem", "open") in told(channel)


def test_a_problem_of_the_code_itself_is_told_beside_the_accounts(
    machine: Machine, sandbox: Sandbox, front: SeamFront, channel: Channel
) -> None:
    """It wouldn't end with the account's."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    own: dict[str, Any] = {"error_code": "access_code_inactive", "message": "Disabled."}
    front.account = {"errors": [LOST]}
    front.code_errors = [own, LOST]
    report(sandbox, device_id, errors=[LOST])
    read(machine, device_id)
    machine.handlers.advance_door(booking.booking_id, device_id, prompted=True)
    deliver(machine, f"booking/{booking.booking_id}/code_problem/{device_id}")
    assert told(channel) == [("code_problem", "open")]


SHARED = {"warning_code": "third_party_integration_detected", "message": "Somebody else is at it."}


@pytest.mark.parametrize("is_at_door", [True, False])
def test_a_warning_that_means_the_same_on_a_door_and_its_codes_is_told_once(
    machine: Machine, sandbox: Sandbox, front: SeamFront, channel: Channel, *, is_at_door: bool
) -> None:
    """By the door's alert; if the door doesn't list it, by the booking's. The code opens the door nevertheless."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    front.code_says = {"warnings": [SHARED]}
    report(sandbox, device_id, warnings=[SHARED] if is_at_door else [])
    machine.handlers.advance_door(booking.booking_id, device_id, prompted=True)
    after = machine.ledger.get(booking.booking_id)
    assert (after.state, after.reason) == ("ready", "code_problem")
    # The look at the code prompts a reading of the door.
    machine.clock.move(timedelta(seconds=2))
    machine.sweep()
    key = f"booking/{booking.booking_id}/code_problem/{device_id}"
    deliver(machine, key)
    if is_at_door:
        deliver(machine, f"door/{device_id}/trouble")
    assert told(channel) == [("door_trouble" if is_at_door else "code_problem", "open")]

    front.code_says = {}
    machine.handlers.advance_door(booking.booking_id, device_id, prompted=True)
    assert machine.ledger.get(booking.booking_id).reason == ""


def test_a_code_of_unknown_status_names_the_accounts_problem(
    machine: Machine, sandbox: Sandbox, front: SeamFront, channel: Channel
) -> None:
    """Its own errors name none, but the account's issue does; the account's alert tells of the booking."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    front.account = {"errors": [LOST]}
    read(machine, device_id)
    front.code_says = {"status": "unknown"}
    machine.handlers.advance_door(booking.booking_id, device_id, prompted=True)
    after = machine.ledger.get(booking.booking_id)
    assert (after.state, after.reason) == ("issued", "code_problem")
    assert (
        "Seam does not know the state of the code. What is known of its connected account: Seam has lost its"
        " connection to the dormakaba account; connect it again in Seam's console (Seam says: account_disconnected:"
        " Log in.)." in after.doors[0].detail
    )
    deliver(machine, f"booking/{booking.booking_id}/code_problem/{device_id}")
    deliver(machine, KEY)
    assert told(channel) == [("account_trouble", "open")]


def test_a_code_of_unknown_status_prompts_a_reading_of_its_door(
    machine: Machine, sandbox: Sandbox, front: SeamFront
) -> None:
    """If no known issue explains it; the next look names what was found."""
    device_id = sandbox.door()
    booking = machine.until(machine.book(device_id), "ready")
    front.code_says = {"status": "unknown"}
    report(sandbox, device_id, errors=[{"error_code": "hub_disconnected", "message": "Gone.", "is_device_error": True}])
    machine.handlers.advance_door(booking.booking_id, device_id, prompted=True)
    assert "as a rule its connection" in machine.ledger.get(booking.booking_id).doors[0].detail
    machine.clock.move(timedelta(seconds=2))
    machine.sweep()
    machine.handlers.advance_door(booking.booking_id, device_id, prompted=True)
    detail = machine.ledger.get(booking.booking_id).doors[0].detail
    assert "What is known of its door: Seam has lost the door's hub (Seam says: hub_disconnected: Gone.)." in detail
