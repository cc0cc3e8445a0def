"""Outcomes to booking systems by webhook: signed, in order, at least once; no receiver delays another."""

import json
from collections.abc import Iterator
from datetime import timedelta
from typing import Any

import pytest
from click.testing import CliRunner
from pydantic import SecretStr
from redis import Redis
from standardwebhooks import Webhook

from shared.domain.booking import transitions
from tests.sandbox.harness import Sandbox
from tests.shared.keys import everything_in, wrong_keys
from tests.support.server import DataServer
from tests.worker.machine import Machine
from tests.worker.recording_server import Got, Recorder, Reply, recording
from worker.cli import oracode

SECRET = "whsec_b2xkIHNlY3JldCBvZiB0aGUgdGVzdHM="
OTHER = "whsec_bmV3IHNlY3JldCBvZiB0aGUgdGVzdHM="


def honest(_: Got) -> Reply:
    """Accept everything."""
    return Reply(204)


@pytest.fixture
def receiver() -> Iterator[Recorder]:
    """Run a booking system's receiver."""
    with recording(honest) as recorder:
        yield recorder


@pytest.fixture
def second() -> Iterator[Recorder]:
    """Run another one."""
    with recording(honest) as recorder:
        yield recorder


def address(recorder: Recorder, secret: str = SECRET) -> SecretStr:
    """Return the setting for a receiver."""
    return SecretStr(f"{recorder.url.replace('http://', f'http://{secret}@')}/outcomes")


def worker(redis: Redis, server: DataServer, sandbox: Sandbox, *urls: SecretStr, **fields: Any) -> Machine:
    """Return a worker that posts to these addresses."""
    return Machine(redis, server.url, sandbox, outcome_webhook_urls=urls, **fields)


@pytest.fixture
def posting(redis_client: Redis, data_server: DataServer, sandbox: Sandbox, receiver: Recorder) -> Machine:
    """Return a worker with one receiver."""
    return worker(redis_client, data_server, sandbox, address(receiver))


def sweeps(machine: Machine, count: int = 3) -> None:
    """Sweep several times: one outcome may follow the other."""
    for _ in range(count):
        machine.sweep()


def told(recorder: Recorder, booking_id: str = "") -> list[str]:
    """Return the ids of the outcomes that came, in order."""
    ids = [request.parsed["id"] for request in recorder.got]
    return [each for each in ids if each.startswith(booking_id)]


def waiting(machine: Machine) -> list[tuple[str, int, str]]:
    """Return the outcomes that wait for their next try: booking, attempts, error."""
    names = machine.handlers.deliver_outcomes._posts
    queues = machine.outcome_queues.waiting(names)
    return [(each.booking_id, each.attempts, each.error) for each in queues]


def test_outcomes_arrive_signed_and_as_in_the_stream(posting: Machine, receiver: Recorder, sandbox: Sandbox) -> None:
    """The same CloudEvents, in order; the signature is valid, and `webhook-id` is the outcome's id."""
    booking = posting.until(posting.book(sandbox.door()), "ready")
    sweeps(posting)
    assert [request.parsed for request in receiver.got] == posting.outcomes(booking.booking_id)
    assert told(receiver) == [f"{booking.booking_id}/{number}" for number in (1, 2)]
    for request in receiver.got:
        headers = {name.lower(): value for name, value in request.headers.items()}
        Webhook(SECRET).verify(request.body, headers)
        assert headers["webhook-id"] == request.parsed["id"]
        assert headers["content-type"] == "application/cloudevents+json"
    assert waiting(posting) == []
    assert wrong_keys(posting.redis) == []


@pytest.mark.parametrize(
    "reply",
    [Reply(500), Reply(404), Reply(302, headers={"location": "http://127.0.0.1:1/"}), Reply(cut=True)],
    ids=["error", "not found", "redirect", "cut off"],
)
def test_an_outcome_that_was_not_taken_comes_again_in_order(
    posting: Machine, receiver: Recorder, sandbox: Sandbox, reply: Reply
) -> None:
    """Under the same id, before later ones of that booking; and only those that the receiver lacks."""
    receiver.faults = [reply, reply]
    booking = posting.until(posting.book(sandbox.door()), "ready", every=timedelta(seconds=1))
    for _ in range(12):
        posting.clock.move(timedelta(seconds=20))
        posting.sweep()
    one, two = (f"{booking.booking_id}/{number}" for number in (1, 2))
    assert told(receiver) == [one, one, one, two]
    bodies = {request.body for request in receiver.got[:3]}
    assert len(bodies) == 1


def test_a_receiver_that_is_down_delays_no_other(
    redis_client: Redis, data_server: DataServer, sandbox: Sandbox, receiver: Recorder, second: Recorder
) -> None:
    """Nor does a refused outcome of one booking delay those of others."""
    machine = worker(redis_client, data_server, sandbox, address(receiver), address(second, OTHER))
    bad = machine.new_id()

    def refuses_one(request: Got) -> Reply:
        return Reply(500) if request.parsed["subject"] == bad else Reply(200)

    receiver.honest = refuses_one
    refused = machine.until(machine.book(sandbox.door(), booking_id=bad), "ready")
    fine = machine.until(machine.book(sandbox.door()), "ready")
    sweeps(machine)
    assert len(told(second, refused.booking_id)) == len(told(second, fine.booking_id)) == 2
    assert len(told(receiver, fine.booking_id)) == 2
    assert set(told(receiver, bad)) == {f"{bad}/1"}
    assert [(booking_id, error) for booking_id, _, error in waiting(machine)] == [(bad, "HTTP 500")]


def test_a_new_receiver_gets_only_new_outcomes(
    redis_client: Redis, data_server: DataServer, sandbox: Sandbox, receiver: Recorder, second: Recorder
) -> None:
    """The one that was there goes on where it was."""
    before = worker(redis_client, data_server, sandbox, address(receiver))
    old = before.until(before.book(sandbox.door()), "ready")
    sweeps(before)
    after = worker(redis_client, data_server, sandbox, address(receiver), address(second, OTHER))
    after.cancel(old)
    sweeps(after)
    assert told(receiver) == [f"{old.booking_id}/{number}" for number in (1, 2, 3)]
    assert told(second) == [f"{old.booking_id}/3"]


def test_a_worker_that_dies_while_it_sends(
    posting: Machine, receiver: Recorder, sandbox: Sandbox, redis_client: Redis, data_server: DataServer
) -> None:
    """Another worker sends the same outcome after the first one's lease; none is lost or out of date."""
    taken_in_hand = posting.outcome_queues.take_in_hand
    booking = posting.book(sandbox.door())
    (name,) = posting.handlers.deliver_outcomes._posts
    # It has leased the outcome, and dies.
    queue = taken_in_hand(name, booking.booking_id, posting.clock() + timedelta(seconds=60))
    assert queue is not None
    other = worker(redis_client, data_server, sandbox, address(receiver))
    other.until(booking, "ready", every=timedelta(seconds=1))
    assert told(receiver) == []
    other.clock.move(timedelta(minutes=3))
    posting.clock.move(timedelta(minutes=3))
    sweeps(other, 4)
    assert told(receiver) == [f"{booking.booking_id}/{number}" for number in (1, 2)]


def test_publishing_that_was_cut_off_queues_once(posting: Machine, receiver: Recorder, sandbox: Sandbox) -> None:
    """The stream has the outcome but the queue doesn't, or the outbox is published again: it is queued once."""
    booking = posting.until(posting.book(sandbox.door()), "ready")
    sweeps(posting)
    (name,) = posting.handlers.deliver_outcomes._posts
    for event in posting.outcomes(booking.booking_id):
        sequence = int(event["id"].rpartition("/")[2])
        posting.outcome_queues.enqueue([name], booking.booking_id, sequence, json.dumps(event))
    sweeps(posting)
    assert len(receiver.got) == 2


def test_after_three_days_people_are_told_and_can_send_it_again(
    posting: Machine,
    receiver: Recorder,
    sandbox: Sandbox,
    data_server: DataServer,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """All outcomes that weren't taken are listed. Sent again, they arrive in order, and the alert ends."""
    receiver.honest = lambda _: Reply(503)
    booking = posting.until(posting.book(sandbox.door()), "ready")
    for _ in range(60):
        posting.clock.move(timedelta(hours=2, minutes=30))
        posting.sweep()
    (name,) = posting.handlers.deliver_outcomes._posts
    alert = posting.alerts.get(f"outcomes/{name}")
    assert alert is not None
    assert alert.is_open
    assert alert.notice.problem == "outcomes_not_taken"
    assert booking.booking_id in {queue.booking_id for queue in posting.outcome_queues.not_taken()}
    given_up = {each.sequence for queue in posting.outcome_queues.not_taken() for each in queue.not_taken}
    assert given_up >= {1, 2}
    assert wrong_keys(posting.redis) == []

    for setting in ("ALERT_URLS", "ALERTS_FILE", "DOORS_FILE", "ORACODE_DATA_DIR"):
        monkeypatch.delenv(setting, raising=False)
    monkeypatch.setenv("REDIS_URL", data_server.url)
    monkeypatch.setattr("worker.cli.outcomes.system_clock", posting.clock)
    listed = CliRunner().invoke(oracode, ["outcomes", "list", "--json"])
    lines = [json.loads(line) for line in listed.stdout.splitlines()]
    assert listed.exit_code == 1
    assert {(each["outcome_id"], each["state"], each["error"]) for each in lines} >= {
        (f"{booking.booking_id}/1", "given_up", "HTTP 503"),
    }
    assert name in CliRunner().invoke(oracode, ["outcomes", "list"]).stdout
    assert CliRunner().invoke(oracode, ["outcomes", "resend", "BK-nobody"]).exit_code == 1

    receiver.honest, receiver.got = honest, []
    sent = CliRunner().invoke(oracode, ["outcomes", "resend"])
    assert sent.exit_code == 0, sent.output
    sweeps(posting, 4)
    assert told(receiver) == [event["id"] for event in posting.outcomes(booking.booking_id)]
    assert CliRunner().invoke(oracode, ["outcomes", "list"]).stdout == "Every outcome was taken.\n"
    alert = posting.alerts.get(f"outcomes/{name}")
    assert alert is None or not alert.is_open


def test_outcomes_of_a_removed_receiver_are_given_up(
    posting: Machine, receiver: Recorder, sandbox: Sandbox, redis_client: Redis, data_server: DataServer
) -> None:
    """They are given up in time, and can be discarded; nothing is sent to it."""
    receiver.honest = lambda _: Reply(503)
    booking = posting.book(sandbox.door())
    sweeps(posting)
    after = worker(redis_client, data_server, sandbox)
    count = len(receiver.got)
    for _ in range(60):
        after.clock.move(timedelta(hours=2, minutes=30))
        after.sweep()
    assert len(receiver.got) == count
    (queue,) = after.outcome_queues.not_taken()
    assert (queue.booking_id, queue.error) == (booking.booking_id, "it is not in OUTCOME_WEBHOOK_URLS")


@pytest.fixture
def with_pins(redis_client: Redis, data_server: DataServer, sandbox: Sandbox, receiver: Recorder) -> Machine:
    """Return a worker with posts that have PINs."""
    return worker(redis_client, data_server, sandbox, address(receiver), outcome_pin=True)


def codes_in(recorder: Recorder) -> list[str | None]:
    """Return the PINs of each device in each outcome that came."""
    return [device["code"] for request in recorder.got for device in request.parsed["data"]["devices"]]


def test_posts_have_pins_if_that_is_set(with_pins: Machine, receiver: Recorder, sandbox: Sandbox) -> None:
    """The PIN is read when it is sent. The story names the receiver; the stream and the queue have no PIN."""
    receiver.faults = [Reply(500)]
    booking = with_pins.until(with_pins.book(sandbox.door()), "ready", every=timedelta(seconds=1))
    for _ in range(4):
        with_pins.clock.move(timedelta(seconds=10))
        with_pins.sweep()
    (code,) = with_pins.made(booking.doors[0].device_id)
    pin = code["pin"]
    assert codes_in(receiver)[-1] == pin
    lines = [entry for entry in with_pins.ledger.history(booking.booking_id) if entry.what.startswith("pin.")]
    # The first try was refused: it is in the story, too, but nobody has the PIN.
    sent = [entry for entry in lines if entry.what == "pin.revealed"]
    assert len(sent) == sum(each is not None for each in codes_in(receiver)) > 1
    assert [entry.what for entry in lines].count("pin.taken") == 2
    assert receiver.url.rpartition("/")[2].split(":")[0] in sent[0].text
    everything = [json.dumps(with_pins.outcomes(booking.booking_id)), *(entry.text for entry in lines)]
    everything += everything_in(with_pins.redis).values()
    assert not [text for text in everything if pin in text]


def test_a_seam_that_is_away_delays_the_outcome(with_pins: Machine, receiver: Recorder, sandbox: Sandbox) -> None:
    """Without its PIN an outcome would look like one of a code without a PIN."""
    booking = with_pins.book(sandbox.door())
    sandbox.arrange("POST", "/sandbox/outage", {"on": True})
    with_pins.sweep()
    assert receiver.got == []
    assert [error for _, _, error in waiting(with_pins)] == ["the PIN can't be read from Seam: Unreachable"]
    sandbox.arrange("POST", "/sandbox/outage", {"on": False})
    with_pins.until(booking, "ready")
    with_pins.clock.move(timedelta(minutes=1))
    sweeps(with_pins)
    assert told(receiver) == [event["id"] for event in with_pins.outcomes(booking.booking_id)]


def test_no_pin_of_a_code_that_is_no_longer_the_bookings(
    with_pins: Machine, receiver: Recorder, sandbox: Sandbox
) -> None:
    """A late outcome, after the cancellation, has none."""
    receiver.honest = lambda _: Reply(503)
    booking = with_pins.until(with_pins.book(sandbox.door()), "ready")
    with_pins.cancel(booking)
    receiver.honest, receiver.got = honest, []
    with_pins.clock.move(timedelta(hours=1))
    sweeps(with_pins)
    assert told(receiver) == [event["id"] for event in with_pins.outcomes(booking.booking_id)]
    assert set(codes_in(receiver)) <= {None}


def test_the_alert_of_a_new_pin_ends_when_the_booking_system_has_it(
    with_pins: Machine, receiver: Recorder, sandbox: Sandbox
) -> None:
    """The alert says that the guest has an old PIN; it doesn't end before."""
    booking = with_pins.until(with_pins.book(sandbox.door()), "ready")
    sweeps(with_pins)
    door = booking.doors[0]
    assert door.code is not None
    receiver.honest = lambda _: Reply(503)
    changed = transitions.record_pin_change(
        with_pins.ledger.get(booking.booking_id),
        door.code.access_code_id,
        at=with_pins.clock(),
        now=with_pins.clock(),
    )
    with_pins.ledger.record(booking, lambda _: changed)
    key = f"booking/{booking.booking_id}/pin_changed/{door.key}"
    with_pins.sweep()
    alert = with_pins.alerts.get(key)
    assert alert is not None
    assert alert.is_open
    receiver.honest = honest
    with_pins.clock.move(timedelta(minutes=1))
    sweeps(with_pins)
    assert receiver.got[-1].parsed["data"]["devices"][0]["pin_changed"] is True
    alert = with_pins.alerts.get(key)
    assert alert is None or not alert.is_open
