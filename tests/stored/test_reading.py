"""What older versions stored is read by today's: every record, as it was meant, and nothing of it is lost by writing.

Each file in `recordings` is what one version's running system stored when it was killed (`record.py`). What a person
would check is asked of the commands, whose answers are part of the contract.
"""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import pytest
from redis import Redis

from tests.shared.keys import wrong_keys
from tests.stored.commands import Commands
from tests.stored.dump import dump, load, pretty
from tests.stored.readers import Readers
from tests.stored.replay import RECORDINGS, Recording
from tests.stored.scenes import door_id
from tests.support.server import DataServer

# As many digits as a PIN of the sandbox has, that are no part of an id, a time or a fraction.
PIN = re.compile(r"(?<![0-9A-Za-z\-.:])[0-9]{6}(?![0-9A-Za-z\-])")
SECRET = re.compile(r"whsec_|seam_(?!unavailable)|xoxb-|Bearer|redis://|/(?:tmp|home|root)/")

STATES = {
    "CANCELLED-CLEAN": ("cancelled", ""),
    "CANCELLED-RESIDUAL": ("cancelled", ""),
    "CHANGED": ("ready", ""),
    "CREATING-LOST": ("creating", "seam_unavailable"),
    "CREATING-MADE": ("creating", "seam_unavailable"),
    "CREATING-OPEN": ("creating", ""),
    "ENDED": ("ended", ""),
    "ENDED-OVER": ("ended", "already_over"),
    "FAILED-GONE": ("failed", "code_gone"),
    "FAILED-LONG": ("failed", "too_long"),
    "FAILED-NO-DOOR": ("failed", "device_not_found"),
    "FAILED-NO-SPACE": ("failed", "code_problem"),
    "FAILED-REFUSED": ("failed", "refused_by_seam"),
    "FAILED-UNMANAGED": ("failed", "code_unmanaged"),
    "FORGOTTEN": ("ended", ""),
    "FULL-FIRST": ("ready", ""),
    "ISSUED": ("issued", ""),
    "OUTBOX": ("waiting", "no_slots_configured"),
    "POISON": ("issued", "internal_error"),
    "READY-CHOSEN": ("ready", ""),
    "READY-DAILY": ("ready", ""),
    "READY-DRIFTED": ("ready", ""),
    "READY-FAMILY": ("ready", ""),
    "READY-MOVED": ("ready", "window_differs"),
    "READY-PIN": ("ready", ""),
    "READY-PLAIN": ("ready", ""),
    "READY-REVEALED": ("ready", ""),
    "READY-SPLIT": ("ready", ""),
    "RECEIVED": ("received", ""),
    "SCHEDULED-FAR": ("scheduled", "lead_time"),
    "SCHEDULED-RATE": ("scheduled", "rate_limited"),
    "SCHEDULED-SOON": ("scheduled", "lead_time"),
    "WAITING-BARE": ("waiting", "no_slots_configured"),
    "WAITING-DRIFTED": ("waiting", "no_slot"),
    "WAITING-FULL": ("waiting", "door_full"),
    "WAITING-NO-ZONE": ("waiting", "no_time_zone"),
    "WAITING-OFFERS": ("waiting", "no_slot"),
    "WAITING-ONLINE": ("waiting", "offline_codes_unsupported"),
}
# By booking: for each code (days from the recording, time of day) at which it begins and ends.
WINDOWS = {
    "READY-PLAIN": [(5, "16:00:00", 8, "10:00:00")],
    "READY-FAMILY": [(5, "16:00:00", 8, "10:00:00"), (5, "16:00:00", 8, "10:00:00")],
    "READY-REVEALED": [(5, "16:00:00", 8, "10:00:00")],
    "READY-PIN": [(5, "16:00:00", 8, "10:00:00")],
    "READY-DAILY": [(5, "12:00:00", 8, "12:00:00")],
    "READY-CHOSEN": [(5, "07:00:00", 8, "19:00:00")],
    "READY-MOVED": [(5, "16:00:00", 8, "09:00:00")],
    "READY-SPLIT": [(5, "16:00:00", 36, "10:00:00")],
    "CHANGED": [(6, "16:00:00", 9, "10:00:00")],
}
# (status, severity, handled by, problems hit) by the beginning of the alert's key.
ALERTS = {
    "seam/unavailable": ("open", "info", "", 2),
    "booking/CREATING-MADE/seam_unavailable/": ("open", "info", "", 0),
    "booking/CREATING-LOST/seam_unavailable/": ("open", "info", "", 0),
    "booking/FAILED-REFUSED/refused_by_seam/": ("open", "info", "ann", 0),
    "booking/FAILED-LONG/too_long/": ("open", "info", "", 0),
    "booking/POISON/internal_error/": ("open", "info", "", 0),
    "booking/READY-CHOSEN/no_slot/": ("resolved", "info", "", 0),
    "booking/READY-DRIFTED/slot_changed/": ("open", "info", "", 0),
    "booking/READY-PIN/pin_changed/": ("open", "info", "", 0),
    "booking/READY-REVEALED/pin_changed/": ("resolved", "info", "", 0),
    "booking/WAITING-BARE/no_slots_configured/": ("open", "info", "", 0),
    "parked/seam-events": ("open", "warning", "", 0),
}
# By stream, how the first problem of each begins.
PARKED = [
    ("booking-created", "unit: 'new wing' is not in the doors file"),
    ("booking-created", "check_in: '2026-02-30' is a date that doesn't exist"),
    ("booking-created", "message: is not JSON"),
    ("booking-created", "message: holds bytes that are not UTF-8"),
    ("seam-events", "the event is not JSON"),
    ("seam-events", "the body is not JSON"),
    ("seam-events", "event_id is not a text"),
]


@pytest.fixture(scope="module", params=RECORDINGS, ids=lambda path: path.stem)
def recording(request: pytest.FixtureRequest) -> Recording:
    """Return each recording."""
    return Recording.read(request.param)


@pytest.fixture
def redis(recording: Recording, data_server: DataServer) -> Iterator[Redis]:
    """Lend a data server that holds the recording."""
    with Redis.from_url(data_server.url) as raw:
        raw.flushall()
        load(raw, recording.keys)
    with Redis.from_url(data_server.url, decode_responses=True) as client:
        yield client


@pytest.fixture
def readers(redis: Redis) -> Readers:
    """Return today's readers."""
    return Readers(redis)


@pytest.fixture
def commands(redis: Redis, data_server: DataServer) -> Commands:
    """Return the commands."""
    del redis
    return Commands(data_server.url)


@pytest.mark.parametrize("path", RECORDINGS, ids=lambda path: path.stem)
def test_a_recording_is_small_and_holds_no_secret(path: Any) -> None:
    """No PIN and no key; the recorder also looks for paths, and for the PINs and keys that there were."""
    text = path.read_text()
    assert len(text.encode()) <= 400 * 1024
    assert SECRET.findall(text) == []
    assert PIN.findall(text) == []


def test_what_is_loaded_is_what_was_recorded(recording: Recording, data_server: DataServer, redis: Redis) -> None:
    """The loader itself loses nothing: entries, groups, pending entries, times."""
    del redis
    with Redis.from_url(data_server.url) as raw:
        assert pretty(dump(raw)) == pretty(recording.keys)


def test_every_key_is_known_and_read(recording: Recording, redis: Redis, readers: Readers) -> None:
    """Each by the code that owns it; one that nobody reads any more, or can't read, is named."""
    assert wrong_keys(redis) == []
    assert [key for key in recording.keys if not readers.is_read(key)] == []
    assert [key for key in recording.keys if not readers.read(key)] == []


def test_lists_pass_nothing_over(recording: Recording, readers: Readers) -> None:
    """Every record that is stored is in the list of its kind."""
    keys = recording.keys
    listed = readers.listed()
    assert len(listed["bookings"]) == sum(
        key.startswith("oracode:{booking:") and key.endswith(":record") for key in keys
    )
    assert len(listed["alerts"]) == sum(key.startswith("oracode:{alert:") for key in keys)
    assert len(listed["parked"]) == len(keys["oracode:parked"]["value"])
    assert len(listed["silences"]) == len(keys["oracode:silences"]["value"])


def test_nothing_is_lost_by_writing(
    recording: Recording, data_server: DataServer, redis: Redis, readers: Readers
) -> None:
    """A record that is written over itself says what it said; it may say more, and its own version grows."""
    del redis
    readers.write_back()
    with Redis.from_url(data_server.url) as raw:
        after = dump(raw)
    written = 0
    for key, entry in recording.keys.items():
        if key.endswith(":record"):
            assert lost_in(entry["value"]["record"], after[key]["value"]["record"]) == [], key
            written += after[key]["value"]["version"] == str(int(entry["value"]["version"]) + 1)
        elif key in ("oracode:due", "oracode:arrivals", "oracode:doors"):
            assert after[key]["value"] == entry["value"], key
    records = [key for key in recording.keys if key.endswith(":record")]
    assert written == len(records)


def lost_in(before: Any, after: Any, path: str = "") -> list[str]:
    """Return where in a JSON value something isn't any more what it was; a schema may be a newer one."""
    if isinstance(before, dict) and isinstance(after, dict):
        names = [name for name in before if name != "schema"]
        return [each for name in names for each in lost_in(before[name], after.get(name), f"{path}.{name}")]
    if isinstance(before, list) and isinstance(after, list) and len(before) == len(after):
        return [
            each for n, pair in enumerate(zip(before, after, strict=True)) for each in lost_in(*pair, f"{path}.{n}")
        ]
    return [] if before == after else [f"{path}: {before!r}, and now {after!r}"]


def test_bookings_are_in_the_states_they_were_in(commands: Commands) -> None:
    """Every one, for the reason it was."""
    found = commands.by("booking_id", "bookings", "list")
    assert {name: (each["state"], each["reason"]) for name, each in found.items()} == STATES


def test_codes_open_doors_when_they_did(recording: Recording, commands: Commands) -> None:
    """To the minute, on the lock's clock."""
    found = commands.by("booking_id", "bookings", "list")
    windows = {
        booking_id: [(each["starts_at"], each["ends_at"]) for each in found[booking_id]["devices"] if each["starts_at"]]
        for booking_id in WINDOWS
    }
    assert windows == {
        booking_id: [(recording.at(first, at), recording.at(last, until)) for first, at, last, until in expected]
        for booking_id, expected in WINDOWS.items()
    }


def test_facts_of_single_bookings(recording: Recording, commands: Commands) -> None:
    """What a person would look up: who may still get in, when something is done next, who chose, what is forgotten."""
    found = commands.by("booking_id", "bookings", "list")
    assert found["CANCELLED-RESIDUAL"]["residual_access_until"] == recording.at(8, "10:00:00")
    assert found["CANCELLED-CLEAN"]["residual_access_until"] is None
    assert found["CHANGED"]["residual_access_until"] == recording.at(8, "10:00:00")
    assert (found["READY-PLAIN"]["label"], found["ENDED"]["label"], found["FORGOTTEN"]["label"]) == (
        "Room 101, late arrival",
        "A guest's label",
        None,
    )
    assert found["FORGOTTEN"]["due_at"] is None
    # 15:45 at the door, two weeks and the lead time of 14 days before.
    assert found["SCHEDULED-FAR"]["due_at"] == f"{recording.at(46, '22:45:00')[:-6]}+00:00"
    assert [(each["status"], each["reason"]) for each in found["READY-SPLIT"]["devices"]] == [
        ("ready", ""),
        ("scheduled", "lead_time"),
    ]
    assert found["CHANGED"]["revision"] == 2
    assert found["READY-PLAIN"]["held_back_by"] is None
    chosen = commands.one("bookings", "show", "READY-CHOSEN")
    assert [(each["name"], each["by"]) for each in chosen["chosen_slots"]] == [("Day use", "ann")]
    story = [line["what"] for line in commands.one("bookings", "show", "READY-REVEALED")["history"]]
    assert {"code.issued", "pin.replaced", "pin.revealed", "access_code.set_on_device"} <= set(story)
    assert story[0] == "message.applied"
    assert story.index("pin.replaced") < story.index("pin.revealed")
    (lost,) = [
        line for line in commands.one("bookings", "show", "FAILED-GONE")["history"] if line["what"] == "code.lost"
    ]
    assert lost["device_id"] == found["FAILED-GONE"]["devices"][0]["device_id"]
    assert found["FAILED-NO-DOOR"]["devices"][0]["device_id"] == door_id(999)


def test_alerts_are_what_they_were(commands: Commands) -> None:
    """Open or over, handled, silenced; who was told, and who couldn't be."""
    found = commands.by("key", "alerts", "list", "--all")
    alerts = {begins: _one(found, begins) for begins in ALERTS}
    assert {
        begins: (each["status"], each["severity"], each["handled_by"], each["hit"]) for begins, each in alerts.items()
    } == ALERTS
    told = {name: it["up_to_date"] for name, it in alerts["booking/FAILED-LONG/too_long/"]["told"].items()}
    assert told == {"slack-1": True, "webhook-2": True, "bot": True, "away": False}
    assert alerts["booking/CREATING-MADE/seam_unavailable/"]["told"] == {}
    assert alerts["seam/unavailable"]["told"]["bot"]["up_to_date"]
    silenced = {key.split("/")[1] for key, each in found.items() if each["silent_until"]}
    assert silenced == {"WAITING-BARE"}
    (silence,) = commands.lines("alerts", "silences")
    assert (silence["booking"], silence["by"], silence["why"]) == ("WAITING-BARE", "ann", "the installer comes")


def _one(found: Mapping[str, Any], begins: str) -> Any:
    (each,) = [value for key, value in found.items() if key.startswith(begins)]
    return each


def test_parked_messages_are_what_they_were(commands: Commands) -> None:
    """With where they came from and what is wrong with them."""
    # What came at the same moment stands in any order.
    found = sorted(commands.lines("parked", "list"), key=lambda each: (each["stream"], each["problems"]))
    expected = sorted(PARKED)
    assert [each["stream"] for each in found] == [stream for stream, _ in expected]
    for each, (_, problem) in zip(found, expected, strict=True):
        assert each["problems"][0].startswith(problem)
    assert [bool(each["message"]) for each in found] == [True] * len(PARKED)
