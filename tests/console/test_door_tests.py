"""A test code from the door's page: what it means is said before, and what became of it is read from what is stored."""

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest
from redis import Redis

from shared.clock import system_clock
from shared.contracts import OPS_STREAM
from shared.domain.booking.record import State, Window
from shared.ledger.door_tests import MOST_TESTS, DoorTest, DoorTests
from shared.ops_commands import TEST, OpsCommand, SlotOrder, command_from
from tests.console.bookings import DOOR, book, move, read_door
from tests.console.console import Console
from tests.console.test_booking_pages import HOSTILE
from tests.console.test_change_stay import console_of
from tests.sandbox.harness import Sandbox
from tests.support.server import DataServer
from tests.worker.machine import Machine, meanwhile

SLOTS: list[dict[str, Any]] = [
    {"name": "Guest", "check_in": "16:00", "check_out": "10:00"},
    {"name": "Late", "check_in": "16:00", "check_out": "12:00"},
]


@pytest.fixture
def door(machine: Machine, sandbox: Sandbox) -> str:
    """Return a door with two slots, which was read."""
    device_id = sandbox.door(name="Front Door", slots=SLOTS, max_active_codes=2)
    machine.handlers.refresh_door(device_id)
    return device_id


@pytest.fixture
def at_seam(data_server: DataServer, machine: Machine, sandbox: Sandbox) -> Iterator[Console]:
    """Run the app with a key for Seam."""
    del machine
    with console_of(data_server, sandbox) as console:
        yield console


def work(machine: Machine) -> None:
    """Do what a worker does for commands and bookings."""
    machine.run_commands()
    machine.apply_all()


def body_of(console: Console, door: str, slot: str = "Guest") -> dict[str, Any]:
    """Return the order of what the preview shows."""
    shown = console.api("GET", f"/doors/{door}/test?slot={slot}", role="operator").json()
    assert shown["why_not"] == ""
    names = ("slot", "starts_at", "ends_at")
    return {name: shown[name] for name in names} | {"knows_it_stays": True, "reason": "slots changed"}


def ordered_tests(console: Console, door: str) -> list[dict[str, Any]]:
    """Return the door's tests."""
    found: list[dict[str, Any]] = console.api("GET", f"/doors/{door}").json()["tests"]
    return found


def test_from_the_preview_to_a_usable_code(at_seam: Console, machine: Machine, door: str) -> None:
    """What it means, the order, and each step with its time; ordered again, the same code is shown."""
    browser = at_seam.browser("operator")
    page = browser.get(f"/doors/{door}/test?slot=Guest").text
    assert "It can&#39;t be taken back: it opens the door until then" in page
    assert "0 in use now" in page
    body = body_of(at_seam, door)
    fields = {name: str(value).lower() if value is True else value for name, value in body.items()}
    with meanwhile(lambda: work(machine)):
        after = browser.follow(browser.post(f"/doors/{door}/test", **fields)).text
    assert "olaf: slots changed. Slot “Guest”, " in after
    (test,) = ordered_tests(at_seam, door)
    assert (test["by"], test["slot_name"], test["outcome"]) in [
        ("olaf", "Guest", it) for it in ("asked", "made", "usable")
    ]
    booking = machine.until(machine.ledger.get(test["booking_id"]), "ready")
    (test,) = ordered_tests(at_seam, door)
    assert (test["outcome"], test["booking_id"], test["state"]) == ("usable", booking.booking_id, "ready")
    told = " ".join(step["text"] for step in test["steps"])
    assert "olaf asked for a test code of the slot “Guest”: slots changed" in told
    assert "Seam confirms the code." in told
    assert "Usable" in browser.get(f"/doors/{door}").text
    with meanwhile(lambda: work(machine)):
        again = at_seam.api("POST", f"/doors/{door}/test", role="operator", body=body).json()
    assert (again["done"], again["text"]) == (True, "The test code is usable.")
    (test,) = ordered_tests(at_seam, door)
    assert (test["booking_id"], test["orders"]) == (booking.booking_id, 2)
    assert "(ordered 2 times, made once)" in at_seam.browser("viewer").get(f"/doors/{door}").text
    assert len(machine.made(door)) == 1


def test_what_is_refused_is_told(at_seam: Console, machine: Machine, door: str) -> None:
    """Without the tick nothing is ordered; the worker refuses what is not as it was shown, and a full lock."""
    body = body_of(at_seam, door)
    path = f"/doors/{door}/test"
    answer = at_seam.api("POST", path, role="operator", body=body | {"knows_it_stays": False})
    assert (answer.status_code, set(answer.json()["problems"])) == (400, {"knows_it_stays"})
    past = (system_clock() - timedelta(hours=1)).isoformat()
    assert at_seam.api("POST", path, role="operator", body=body | {"starts_at": past}).status_code == 409
    assert machine.redis.xlen(OPS_STREAM) == 0
    other = (system_clock() + timedelta(days=30)).isoformat()
    with meanwhile(lambda: work(machine)):
        answer = at_seam.api("POST", path, role="operator", body=body | {"ends_at": other}).json()
        assert "not as it was shown" in answer["text"]
        answer = at_seam.api("POST", path, role="operator", body=body | {"slot": HOSTILE}).json()
        assert "the door has no slot" in answer["text"]
    assert [it["outcome"] for it in ordered_tests(at_seam, door)] == ["refused", "refused"]
    assert machine.made(door) == []
    page = at_seam.browser("viewer").get(f"/doors/{door}").text
    assert "Refused" in page
    assert "<script>alert" not in page
    assert "Make a test code" not in page


def test_a_full_lock(at_seam: Console, machine: Machine, sandbox: Sandbox) -> None:
    """It is said before, and the worker refuses it."""
    door = sandbox.door(slots=SLOTS, max_active_codes=1)
    machine.handlers.refresh_door(door)
    body = body_of(at_seam, door, "Late")
    with meanwhile(lambda: work(machine)):
        at_seam.api("POST", f"/doors/{door}/test", role="operator", body=body_of(at_seam, door))
    machine.until(machine.ledger.get(ordered_tests(at_seam, door)[0]["booking_id"]), "ready")
    shown = at_seam.api("GET", f"/doors/{door}/test?slot=Late", role="operator").json()
    assert "the lock is full" in shown["why_not"]
    assert "Make the test code" not in at_seam.browser("operator").get(f"/doors/{door}/test?slot=Late").text
    with meanwhile(lambda: work(machine)):
        answer = at_seam.api("POST", f"/doors/{door}/test", role="operator", body=body).json()
    assert (answer["done"], answer["outcome"]) == (False, "refused")
    assert "the lock is full" in answer["text"]
    assert len(machine.made(door)) == 1


def test_an_order_that_comes_twice(at_seam: Console, machine: Machine, door: str) -> None:
    """As after a kill: one booking, one code, one line."""
    body = body_of(at_seam, door)
    window = Window(*(datetime.fromisoformat(body[name]) for name in ("starts_at", "ends_at")))
    choice = SlotOrder(door=door, slot=body["slot"], window=window)
    command = OpsCommand(action=TEST, target=door, by="olaf", choice=choice, reason="slots changed")
    assert command_from(command.encoded()) == command
    machine.run_command(command, times=2)
    machine.apply_all()
    (test,) = ordered_tests(at_seam, door)
    assert len(machine.story_lines(test["booking_id"], "test.requested")) == 1
    assert len(machine.made(door)) == 1


def test_no_stay_and_no_door(console: Console, redis_client: Redis) -> None:
    """A door without slots says why; one that was never read isn't found; a viewer may not."""
    read_door(redis_client, DOOR, {"name": HOSTILE, "check_in": "16:00", "check_out": "16:00"})
    assert console.api("GET", "/doors/unknown/test", role="operator").status_code == 404
    assert console.api("GET", f"/doors/{DOOR}/test").status_code == 403
    shown = console.api("GET", f"/doors/{DOOR}/test?slot=none", role="operator").json()
    assert "the door has no slot" in shown["why_not"]
    page = console.browser("operator").get(f"/doors/{DOOR}/test?slot=none").text
    assert "No test code can be made" in page
    assert "<script>alert" not in page


def test_an_order_that_no_worker_takes(console: Console, redis_client: Redis, monkeypatch: pytest.MonkeyPatch) -> None:
    """The door's page says so, and watches."""
    monkeypatch.setattr("receiver.console.commands._WAIT", 0.1)
    read_door(redis_client)
    body = body_of(console, DOOR, "")
    answer = console.api("POST", f"/doors/{DOOR}/test", role="operator", body=body).json()
    assert (answer["done"], answer["outcome"]) == (False, "waiting")
    assert "no worker has done it yet" in answer["text"]
    assert console.api("GET", f"/doors/{DOOR}").json()["is_test_ordered"]
    assert "data-watch" in console.browser("viewer").get(f"/doors/{DOOR}").text


@pytest.mark.parametrize(
    ("state", "outcome"),
    [
        (State.RECEIVED, "asked"),
        (State.ISSUED, "made"),
        (State.READY, "usable"),
        (State.FAILED, "failed"),
        (State.WAITING, "failed"),
        (State.CANCELLED, "over"),
        (State.ENDED, "over"),
    ],
)
def test_what_became_of_it_is_the_state_of_its_booking(
    console: Console, redis_client: Redis, state: State, outcome: str
) -> None:
    """Whoever changed it, and whenever."""
    has_code = state in (State.ISSUED, State.READY)
    booking = book(redis_client, "TEST-1", state=state if has_code else State.FAILED)
    move(redis_client, "TEST-1", state)
    kept = DoorTests(redis_client, keep_for=timedelta(days=1))
    now = system_clock()
    for number in range(MOST_TESTS + 5):
        kept.note(
            DoorTest(
                order_id=f"{number}-0",
                device_id=DOOR,
                at=now,
                by="olaf",
                reason=f"{HOSTILE} {number}",
                slot="Guest",
                starts_at=now,
                ends_at=now,
                booking_id=booking.booking_id if number > MOST_TESTS else f"gone-{number}",
                refused="",
            )
        )
    found = ordered_tests(console, DOOR)
    # The newest four are orders of one code.
    assert len(found) == MOST_TESTS - 3
    assert [found[0]["outcome"], found[-1]["outcome"]] == [outcome, "asked"]
    assert [found[0]["orders"], found[1]["orders"]] == [4, 1]
    assert found[0]["why"].endswith(str(MOST_TESTS + 4))
    assert "<script>alert" not in console.browser("viewer").get(f"/doors/{DOOR}").text
