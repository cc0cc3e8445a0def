"""A system of today that is started on what an older one left behind when it was killed: it goes on where that was.

Real processes, the recorded data, and Seam (the sandbox) with the doors and codes that it had then.
"""

import json
from collections.abc import Iterator, Mapping
from typing import Any

import pytest

from deploy.local.ports import free_port
from tests.stored.replay import RECORDINGS, Recording, put
from tests.stored.stage import settings_for
from tests.support.machine import Machine
from tests.support.waiting import wait_until
from tests.worker.channel_servers import SlackApi
from tests.worker.recording_server import Recorder, recording

# What had no code when everything was killed, and has exactly one afterwards.
MADE = (
    "CREATING-LOST",
    "CREATING-OPEN",
    "FAILED-REFUSED",
    "PENDING",
    "RECEIVED",
    "SCHEDULED-RATE",
    "SCHEDULED-SOON",
    "UNREAD",
)
REPLAYED = "PARKED-UNIT"
# What a person, or time alone, must move; it stays as it was.
STAY = {
    "CANCELLED-CLEAN": "cancelled",
    "CANCELLED-RESIDUAL": "cancelled",
    "ENDED": "ended",
    "ENDED-OVER": "ended",
    "FAILED-GONE": "failed",
    "FAILED-LONG": "failed",
    "FAILED-NO-DOOR": "failed",
    "FORGOTTEN": "ended",
    "SCHEDULED-FAR": "scheduled",
    "WAITING-BARE": "waiting",
    "WAITING-DRIFTED": "waiting",
    "WAITING-NO-ZONE": "waiting",
    "WAITING-OFFERS": "waiting",
    "WAITING-ONLINE": "waiting",
}


class GoingOn:
    """The system that goes on, and what it was given."""

    def __init__(self, machine: Machine, given: Recording, codes: Mapping[str, str], slack: Recorder) -> None:
        self.machine = machine
        self.given = given
        self.codes = codes
        self.slack = slack

    def codes_by_name(self) -> dict[str, list[str]]:
        """Return the ids of the codes at Seam that open a door, by the booking in their name."""
        found: dict[str, list[str]] = {}
        for code in self.machine.seam("GET", "/sandbox/access_codes")["access_codes"]:
            if code["phase"] != "gone":
                found.setdefault(code["name"].split(" ")[0], []).append(code["access_code_id"])
        return found

    def sent_to(self, channel: str) -> list[dict[str, Any]]:
        """Return the messages that a channel of the sandbox's sink got."""
        got = self.machine.seam("GET", "/alerts.json")["alerts"]
        return [each for each in got if each["channel"] == channel]


@pytest.fixture(scope="module", params=RECORDINGS, ids=lambda path: path.stem)
def system(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[GoingOn]:
    """Start everything on a recording."""
    directory = tmp_path_factory.mktemp("stored") / "data"
    given = Recording.read(request.param)
    codes = put(given, directory)
    seam_port = free_port()
    with recording(SlackApi()) as slack:
        away = f"http://127.0.0.1:{seam_port}/alerts/away"
        settings = settings_for(directory, slack=slack.url, away=away) | {"DOOR_CACHE_FOR": "1s"}
        unit, other = (json.loads(message)["data"] for message in _parked_of(given)[:2])
        # A unit that nobody knew when its booking came.
        given.write_doors_file(directory, **{unit["unit"]: other["device_ids"]})
        machine = Machine(directory, settings)
        machine.start("--seam-port", str(seam_port))
        yield GoingOn(machine, given, codes, slack)
        machine.stop()


def _parked_of(given: Recording) -> list[str]:
    entries = [next(iter(fields["parked"].values())) for _, fields in given.keys["oracode:parked"]["value"]]
    return [each["message"] for each in entries]


@pytest.mark.parametrize("booking_id", MADE)
def test_what_was_open_is_finished(system: GoingOn, booking_id: str) -> None:
    """Due, in doubt, under way, read and not done, not read at all, or ordered by a button: each gets its one code."""
    booking = system.machine.wait_for(booking_id, "ready", within=60)
    (door,) = booking["devices"]
    assert system.codes_by_name()[booking_id] == [door["access_code_id"]]


def test_a_code_in_doubt_that_was_made_is_taken_over(system: GoingOn) -> None:
    """By a look: nothing is created a second time."""
    (made,) = (
        system.codes[code["access_code_id"]]
        for code in system.given.content["seam"]["codes"]
        if code["name"].startswith("CREATING-MADE")
    )
    booking = system.machine.wait_for("CREATING-MADE", "ready", within=60)
    assert booking["devices"][0]["access_code_id"] == made
    assert system.codes_by_name()["CREATING-MADE"] == [made]
    assert "code.adopted" in [line["what"] for line in booking["history"]]


def test_work_that_was_put_aside_is_taken_up(system: GoingOn) -> None:
    """After its pause, with the code that it had."""
    booking = system.machine.wait_for("POISON", "ready", within=60)
    assert [booking["devices"][0]["access_code_id"]] == system.codes_by_name()["POISON"]


def test_what_was_to_be_told_is_told(system: GoingOn) -> None:
    """An outcome to the booking system, an alert to people; and a channel that was away gets what it missed."""

    def outcomes() -> list[str]:
        with system.machine.redis() as redis:
            entries: Any = redis.xrange("access-code-outcomes")
        return [json.loads(fields["message"])["id"] for _, fields in entries]

    wait_until(lambda: outcomes().count("OUTBOX/1") == 1, within=60, what="the outcome")
    wait_until(lambda: any("OUTBOX" in each["body"] for each in system.sent_to("webhook")), within=60, what="the alert")
    wait_until(
        lambda: any("FAILED-LONG" in each["body"] for each in system.sent_to("away")), within=60, what="the rest"
    )
    with system.machine.redis() as redis:
        wait_until(lambda: not _outbox(redis, "OUTBOX"), what="an empty outbox")


def _outbox(redis: Any, booking_id: str) -> list[Any]:
    found: list[Any] = json.loads(redis.hget(f"oracode:{{booking:{booking_id}}}:record", "record"))["outbox"]
    return found


def test_what_is_settled_stays_so(system: GoingOn) -> None:
    """Once everything else is done, no state has moved, no code was made that wasn't wanted, and none is lost."""
    for booking_id in (*MADE, "CREATING-MADE"):
        system.machine.wait_for(booking_id, "ready", within=60)
    found = {booking_id: system.machine.booking(booking_id)["state"] for booking_id in STAY}
    assert found == STAY
    at_seam = system.codes_by_name()
    recorded = {
        system.codes[code["access_code_id"]]: code["name"].split(" ")[0]
        for code in system.given.content["seam"]["codes"]
        if code["access_code_id"] in system.codes
    }
    more = {code_id for ids in at_seam.values() for code_id in ids} - recorded.keys()
    assert sorted(name for name, ids in at_seam.items() for each in ids if each in more and name != REPLAYED) == sorted(
        MADE
    )
    assert recorded.keys() <= {code_id for ids in at_seam.values() for code_id in ids}


def test_what_was_parked_for_a_unit_is_taken_once_the_unit_is_there(system: GoingOn) -> None:
    """By itself: DOORS_FILE has the unit now."""
    system.machine.wait_for(REPLAYED, "ready", within=60)
    listed = system.machine.oracode("parked", "list", "--json").stdout.splitlines()
    assert not any(REPLAYED in json.loads(line)["message"] for line in listed)


def test_nothing_crashed_on_the_way(system: GoingOn) -> None:
    """No step, no periodic job, no sweep; and nothing was left to a newer version but what came from one."""
    said = [json.loads(line) for line in system.machine.logs().splitlines() if line.startswith("{")]
    assert len(said) > 50
    crashed = [line for line in said if line.get("event") in ("step.crashed", "periodic_job.crashed", "due.unreadable")]
    assert crashed == []
    assert [line for line in said if line.get("event") == "record.passed_over"] == []
    left = [line for line in said if line.get("event") == "work.left_to_newer"]
    assert [line for line in left if "invoice" not in json.dumps(line)] == []
    assert [line for line in said if "Traceback" in json.dumps(line)] == []
