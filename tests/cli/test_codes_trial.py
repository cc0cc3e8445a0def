"""`oracode codes test`: one code for a slot's next stay, followed until it is usable; asked for first, made once."""

import json
import threading
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from datetime import datetime, timedelta
from typing import Any
from uuid import uuid4

import pytest
from click.testing import CliRunner, Result

from shared.clock import system_clock
from shared.code_trial import SOURCE
from shared.domain.booking.record import State
from shared.domain.messages.parse import parse_booking_message
from tests.sandbox.harness import Sandbox
from tests.support.waiting import wait_until
from tests.worker.machine import Machine, kept
from worker.cli import codes_trial, oracode

# A check-in of this very minute is left to others.
ONE_DAY = timedelta(days=1, minutes=1)
SLOTS: list[dict[str, Any]] = [
    {"name": "Guest", "check_in": "16:00", "check_out": "10:00"},
    {"name": "Late", "check_in": "18:00", "check_out": "12:00"},
    {"name": "Staff", "check_in": "06:00", "check_out": "22:00", "is_master": True},
]


@contextmanager
def working(machine: Machine) -> Iterator[None]:
    """Let the worker do in a thread of its own what its processes do: apply what comes, sweep, and look."""
    over = threading.Event()

    def work() -> None:
        while not over.is_set():
            entries: Any = machine.redis.xrange("booking-created")
            for entry_id, _ in entries:
                machine.apply(entry_id)
            machine.sweep()
            # Seam's webhooks prompt a look at what was made; without them it comes after 15 s.
            for booking in machine.ledger.all():
                for door in booking.doors:
                    if door.state is State.ISSUED:
                        machine.handlers.advance_door(booking.booking_id, door.key, prompted=True)
            time.sleep(0.02)

    thread = kept(ThreadPoolExecutor(1)).submit(work)
    try:
        yield
    finally:
        over.set()
        thread.result(30)


def run(*arguments: str, answer: str | None = None) -> Result:
    """Run the command."""
    result = CliRunner().invoke(oracode, ["codes", "test", *arguments], input=answer)
    assert result.exception is None or isinstance(result.exception, SystemExit), result.exception
    return result


def ids(machine: Machine) -> list[str]:
    """Return every booking of the ledger."""
    return [booking.booking_id for booking in machine.ledger.all()]


def test_a_door_that_works(machine: Machine, sandbox: Sandbox) -> None:
    """What will be made, each step with its time, that it is usable, and how to read the PIN; exit 0."""
    door = sandbox.door(name="Front Door", slots=SLOTS, max_active_codes=10)
    with working(machine):
        result = run(door, "--yes", "--slot", "Guest", "--by", "ann")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert lines[0] == f"This makes a code on Front Door ({door}):"
    assert lines[1] == "  slot “Guest”, 16:00 to 10:00"
    assert lines[3].endswith("uses one of the lock's 10 places; 0 in use now.")
    assert [line.split(" s  ")[1].split(" ")[0] for line in lines[4:8]] == ["the", "access", "Seam", "Seam"]
    assert lines[8].startswith("Usable: the code works from ")
    (booking_id,) = ids(machine)
    assert f"oracode codes reveal {booking_id}" in lines[9]
    (code,) = machine.made(door)
    assert code["access_code_id"] in lines[5]
    assert code["name"] == f"{booking_id} | Test code"
    assert code["pin"] not in result.output
    starts_at = datetime.fromisoformat(code["starts_at"])
    assert system_clock() < starts_at <= system_clock() + ONE_DAY
    assert (f"{starts_at:%H:%M}", code["ends_at"][11:16]) == ("16:00", "10:00")
    story = [entry.text for entry in machine.ledger.history(booking_id)]
    assert "ann asked for a test code of the slot “Guest”." in story


def test_json(machine: Machine, sandbox: Sandbox) -> None:
    """One object, and nothing else on standard output."""
    door = sandbox.door(name="Front Door", slots=SLOTS[:1])
    with working(machine):
        result = run(door, "--yes", "--json")
    found = json.loads(result.stdout)
    (code,) = machine.made(door)
    assert (found["outcome"], found["state"], found["device_id"], found["door"]) == (
        "usable",
        "ready",
        door,
        "Front Door",
    )
    assert (found["booking_id"], found["access_code_id"]) == (ids(machine)[0], code["access_code_id"])
    assert found["slot"]["name"] == "Guest"
    assert datetime.fromisoformat(found["starts_at"]) == datetime.fromisoformat(code["starts_at"])
    assert [step["what"] for step in found["steps"]] == ["taken", "made", "pin", "set"]
    seconds = [step["seconds"] for step in found["steps"]]
    assert seconds == sorted(seconds)


def test_asking_twice_makes_one_code(machine: Machine, sandbox: Sandbox) -> None:
    """The same door, slot and stay are one booking: the second time it is followed, without asking."""
    door = sandbox.door(slots=SLOTS[:1])
    with working(machine):
        assert run(door, "--yes").exit_code == 0
        again = run(door, "--yes", "--json")
    assert again.exit_code == 0
    found = json.loads(again.stdout)
    assert [step["seconds"] for step in found["steps"]] == [None] * 4
    assert (len(machine.made(door)), machine.creates(door), len(ids(machine))) == (1, 1, 1)


def test_two_slots_are_two_tests(machine: Machine, sandbox: Sandbox) -> None:
    """Each has a code of its own; the second is told whom it meets."""
    # Of one start: between two, only the later one's next stay begins today, and they don't meet.
    door = sandbox.door(slots=[SLOTS[0], {"name": "Late", "check_in": "16:00", "check_out": "12:00"}])
    with working(machine):
        run(door, "--yes", "--slot", "Guest")
        first = ids(machine)[0]
        result = run(door, "--yes", "--slot", "Late")
    assert result.exit_code == 0
    assert f"Booked on this door in that time: {first}." in result.stdout
    assert len(machine.made(door)) == 2


def test_without_a_slot_the_soonest_check_in_is_taken(machine: Machine, sandbox: Sandbox) -> None:
    """Never that of a master slot."""
    door = sandbox.door(slots=SLOTS)
    with working(machine):
        found = json.loads(run(door, "--yes", "--json").stdout)
    starts_at, now = datetime.fromisoformat(found["starts_at"]), system_clock()
    assert found["slot"]["name"] in ("Guest", "Late")
    assert now < starts_at <= now + ONE_DAY
    others = {"Guest": 18, "Late": 16}
    other = now.replace(hour=others[found["slot"]["name"]], minute=0, second=0, microsecond=0)
    assert starts_at <= (other if other > now else other + ONE_DAY)


def test_a_door_that_fails(machine: Machine, sandbox: Sandbox) -> None:
    """The problem and its next step, with exit 1.

    Once the cause is corrected, the same command tries again, and succeeds.
    """
    door = sandbox.door(slots=SLOTS[:1])
    sandbox.fault("access_codes.create", "refuse", device_id=door, message="Not today.")
    with working(machine):
        result = run(door, "--yes")
        assert result.exit_code == 1
        assert "Seam refused to make the code." in result.stderr
        assert "Not today." in result.stderr
        assert "Next: " in result.stderr
        assert machine.made(door) == []
        found = run(door, "--yes", "--json")
    assert found.exit_code == 0
    assert [step["what"] for step in json.loads(found.stdout)["steps"]][-1] == "set"
    assert len(machine.made(door)) == 1


def test_a_failure_in_json(machine: Machine, sandbox: Sandbox) -> None:
    """With the problem's kind, what happened, what to do and who."""
    door = sandbox.door(slots=SLOTS[:1])
    sandbox.fault("access_codes.create", "refuse", device_id=door, message="Not today.")
    with working(machine):
        result = run(door, "--yes", "--json")
    found = json.loads(result.stdout)
    assert (result.exit_code, found["outcome"], found["state"]) == (1, "problem", "failed")
    (problem,) = found["problems"]
    assert (problem["problem"], problem["actor"]) == ("refused_by_seam", "ops")
    assert problem["next_step"]


def test_a_create_in_doubt_makes_one_code(machine: Machine, sandbox: Sandbox) -> None:
    """Seam failed after the effect: the code is looked up, and not made twice."""
    door = sandbox.door(slots=SLOTS[:1])
    sandbox.fault("access_codes.create", "error_after", device_id=door)
    with working(machine):
        result = run(door, "--yes", "--json")
    assert result.exit_code == 0, result.output
    assert "try_failed" in [step["what"] for step in json.loads(result.stdout)["steps"]]
    assert len(machine.made(door)) == 1


def test_a_cancelled_test_is_taken_up_again(machine: Machine, sandbox: Sandbox) -> None:
    """With the code that outlived it: two for one stay would be one too many."""
    door = sandbox.door(slots=SLOTS[:1])
    with working(machine):
        run(door, "--yes")
        booking = machine.ledger.get(ids(machine)[0])
        cancellation = {"id": "x", "source": SOURCE, "type": "booking.cancelled"}
        data = {"booking_id": booking.booking_id, "revision": 0}
        machine.append(json.dumps({"specversion": "1.0", **cancellation, "data": data}))
        wait_until(lambda: machine.ledger.get(booking.booking_id).state == "cancelled", what="the cancellation")
        result = run(door, "--yes")
    assert result.exit_code == 0, result.output
    assert machine.ledger.get(booking.booking_id).revision == 1
    assert len(machine.made(door)) == 1


def test_a_worker_that_is_not_there(machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is said, and how to follow on; the message stays in the stream. Asked again, it is still one booking."""
    monkeypatch.setattr(codes_trial, "_HINT_AFTER", 0.1)
    door = sandbox.door(slots=SLOTS[:1])
    result = run(door, "--yes", "--wait", "1s")
    assert result.exit_code == 1
    assert "No worker has taken it yet" in result.stderr
    assert "oracode bookings watch" in result.stderr
    run(door, "--yes", "--wait", "1s")
    with working(machine):
        assert run(door, "--yes").exit_code == 0
    assert (len(ids(machine)), len(machine.made(door))) == (1, 1)


def test_it_asks_first(machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch) -> None:
    """Enter alone means no: nothing is published."""
    monkeypatch.setattr(codes_trial, "is_interactive", lambda: True)
    door = sandbox.door(slots=SLOTS[:1])
    for answer in ("\n", "n\n"):
        declined = run(door, answer=answer)
        assert declined.exit_code == 1
        assert "It can't be taken back" in declined.stdout
        assert "Nothing was made." in declined.stderr
    assert machine.redis.xlen("booking-created") == 0
    as_object = run(door, "--json", answer="n\n")
    assert json.loads(as_object.stdout)["outcome"] == "declined"
    assert "It can't be taken back" in as_object.stderr
    with working(machine):
        assert run(door, answer="y\n").exit_code == 0
    assert len(machine.made(door)) == 1


def test_what_seam_reports_of_the_door_is_said_before(
    machine: Machine, sandbox: Sandbox, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The question says how full the lock is: a person may not want to spend a code on that door now."""
    monkeypatch.setattr(codes_trial, "is_interactive", lambda: True)
    door = sandbox.door(slots=SLOTS[:1])
    error = {"error_code": "device_disconnected", "message": "It is offline.", "is_device_error": True}
    device = sandbox.api.get("/devices/get", params={"device_id": door}).json()["device"]
    sandbox.arrange("PATCH", f"/sandbox/devices/{door}", {"device": {**device, "errors": [error]}})
    declined = run(door, answer="n\n")
    assert "Seam reports of this door: " in declined.stdout
    assert machine.made(door) == []


def test_nobody_to_ask(machine: Machine, sandbox: Sandbox) -> None:
    """Without a terminal and without --yes nothing is even read from Seam; exit 2."""
    door = sandbox.door(slots=SLOTS[:1])
    result = run(door)
    assert result.exit_code == 2
    assert "--yes" in result.stderr
    assert machine.redis.xlen("booking-created") == 0
    assert sandbox.look("/sandbox/requests", device_id=door)["requests"] == []


@pytest.mark.usefixtures("machine")
@pytest.mark.parametrize(
    ("arguments", "says"),
    [
        (["front-door"], "'front-door' is not a UUID"),
        ([str(uuid4())], "is no door of Seam"),
        ([..., "--slot", "Gust"], "has no slot “Gust”; it has “Guest”, “Late”, “Staff”"),
        ([..., "--wait", "soon"], "--wait"),
    ],
    ids=["no UUID", "unknown", "no such slot", "no duration"],
)
def test_input_that_cannot_be_used(sandbox: Sandbox, arguments: list[Any], says: str) -> None:
    """Exit 2 and a sentence."""
    door = sandbox.door(slots=SLOTS)
    result = run(*(door if each is ... else each for each in arguments), "--yes")
    assert result.exit_code == 2
    assert says in result.stderr
    assert result.stdout == ""


NO_STAY: list[Any] = [
    pytest.param({"slots": []}, {}, "no time slot is configured on this door", id="no slots"),
    pytest.param({"slots": SLOTS, "offline_codes": False}, {}, "takes no offline access codes", id="no offline"),
    pytest.param({"slots": SLOTS[2:]}, {}, "Staff: a master slot is never used", id="only a master slot"),
    pytest.param({"slots": SLOTS}, {"CREATE_LEAD_TIME": "1m"}, "further away than CREATE_LEAD_TIME", id="lead time"),
]


@pytest.mark.parametrize(("spec", "settings", "says"), NO_STAY)
def test_a_door_that_gives_no_stay(
    machine: Machine, monkeypatch: pytest.MonkeyPatch, spec: dict[str, Any], settings: dict[str, str], says: str
) -> None:
    """Said before anything is asked or published; exit 1."""
    for name, value in settings.items():
        monkeypatch.setenv(name, value)
    door = machine.sandbox.door(**spec)
    result = run(door, "--yes")
    assert result.exit_code == 1
    assert says in result.stderr
    found = json.loads(run(door, "--yes", "--json").stdout)
    assert (found["outcome"], found["booking_id"]) == ("no_stay", None)
    assert machine.redis.xlen("booking-created") == 0


def test_a_full_lock(machine: Machine, sandbox: Sandbox) -> None:
    """No booking is made that would only wait."""
    door = sandbox.door(slots=SLOTS, max_active_codes=1)
    with working(machine):
        assert run(door, "--yes", "--slot", "Guest").exit_code == 0
    result = run(door, "--yes", "--slot", "Late")
    assert result.exit_code == 1
    assert "The lock is full" in result.stderr
    assert len(ids(machine)) == 1


@pytest.mark.parametrize("name", ["Front Door", "", "Tür № 7 | Ünïcødé", "x" * 200, "\x1b[2J"])
def test_whatever_a_door_is_called(machine: Machine, sandbox: Sandbox, name: str) -> None:
    """Its booking has an id that can be typed, and no terminal is garbled."""
    door = sandbox.door(name=name, slots=SLOTS[:1])
    result = run(door, "--yes", "--wait", "1s")
    assert "\x1b" not in result.output
    entries: Any = machine.redis.xrange("booking-created")
    message = parse_booking_message(entries[0][1]["message"])
    assert message.booking_id.startswith("TEST-")
    assert message.booking_id.isascii()
    assert len(message.booking_id) <= 64
    assert " " not in message.booking_id


def test_seam_out_of_reach(machine: Machine, sandbox: Sandbox) -> None:
    """It says so; nothing is published."""
    door = sandbox.door(slots=SLOTS)
    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    result = CliRunner().invoke(oracode, ["codes", "test", door, "--yes"])
    assert type(result.exception).__name__ == "Unreachable"
    assert machine.redis.xlen("booking-created") == 0
