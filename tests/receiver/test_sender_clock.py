"""What `web` learns of the clock of the sender of webhooks, from deliveries with a valid signature."""

import json
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as Disconnected

from receiver.refusals import InvalidSignature
from receiver.sender_clock import SenderClock
from receiver.webhook_signature import WebhookSecrets
from shared.ledger.clocks import SENDER, ClockReading, ClockReadings
from tests.receiver.process import WebProcess, request
from tests.receiver.web import OTHER_SECRET, SECRET, event_of, signed
from tests.support.server import DataServer
from tests.support.waiting import wait_until

BODY = json.dumps(event_of()).encode()


def now() -> float:
    """Return the present moment."""
    return datetime.now(UTC).timestamp()


def learned(*deliveries: dict[str, object]) -> list[timedelta]:
    """Return what is known of the sender's clock after these deliveries: one measure or none."""
    sender = SenderClock()
    secrets = WebhookSecrets([OTHER_SECRET, SECRET], sender_clock=sender)
    for options in deliveries:
        headers = dict(signed(BODY, **options))  # type: ignore[arg-type]
        try:
            secrets.verify(headers, BODY)
        except InvalidSignature:
            continue
    found: list[timedelta] = []
    sender.flush(into(found))
    sender.flush(into(found))
    return found


def into(found: list[timedelta]) -> Callable[[timedelta], bool]:
    """Return what notes each measurement."""

    def note(ahead: timedelta) -> bool:
        found.append(ahead)
        return True

    return note


@pytest.mark.parametrize("seconds", [0, 40, -40, 400, -400, -86_400])
def test_a_genuine_delivery_tells_the_senders_clock(seconds: int) -> None:
    """Also one that is refused because it seems to be from too far away in time."""
    (found,) = learned({"at": now() + seconds})
    assert abs(found - timedelta(seconds=seconds)) < timedelta(seconds=2)


def test_only_the_first_delivery_of_a_second_is_measured_and_again_after_a_flush() -> None:
    """A later one with the same or an earlier timestamp was slower; what was flushed doesn't count any more."""
    sender, found = SenderClock(), list[timedelta]()
    signed_at = now()
    sender.saw(signed_at)
    sender.saw(signed_at)
    sender.saw(signed_at - 9)
    sender.flush(into(found))
    sender.saw(signed_at - 9)
    sender.flush(into(found))
    assert [round(each.total_seconds()) for each in found] == [0, -9]


def refuses(_: timedelta) -> bool:
    """Say that the data server took too long."""
    return False


def fails(_: timedelta) -> bool:
    """Raise what is raised while the data server is away."""
    raise Disconnected


@pytest.mark.parametrize("note", [refuses, fails])
def test_what_could_not_be_noted_is_noted_later(note: Callable[[timedelta], bool]) -> None:
    """The next webhook may come in an hour. If one came meanwhile, that one counts."""
    sender, found = SenderClock(), list[timedelta]()
    for ahead in (400, 0):
        sender.saw(now() + ahead)
        with suppress(Disconnected):
            sender.flush(note)
    for _ in range(2):
        sender.flush(into(found))
    assert [round(each.total_seconds()) for each in found] == [0]


def test_of_several_the_shortest_way_counts() -> None:
    """A delivery that was on its way for a minute says nothing of the clock."""
    (found,) = learned({"at": now() - 60}, {"at": now()}, {"at": now() - 50})
    assert abs(found) < timedelta(seconds=2)


@pytest.mark.parametrize(
    "options",
    [
        pytest.param({"secret": "whsec_Zm9yZ2Vk"}, id="forged"),
        pytest.param({"secret": "whsec_Zm9yZ2Vk", "at": 1.0}, id="forged-and-old"),
        pytest.param({"at": 1.0, "changed": {"signature": b"v1,\xff"}}, id="no-signature"),
        pytest.param({"at": 1.0, "changed": {"timestamp": b"9" * 20}}, id="no-time"),
        pytest.param({"at": 1.0, "changed": {"timestamp": b"2"}}, id="another-time"),
    ],
)
def test_a_forged_one_tells_nothing(options: dict[str, object]) -> None:
    """Nobody without the secret can make people look at their clocks."""
    assert learned(options) == []


def test_a_running_web_notes_it(data_server: DataServer, redis_client: Redis, tmp_path: Path) -> None:
    """Beside its own clock, within seconds, for the worker and the doctor."""
    web = WebProcess(data_server.url, tmp_path / "log")
    try:
        late = request("POST", "/webhooks/seam", BODY, *signed(BODY, at=now() + 400), close=True)
        assert b" 401 " in web.served(late)

        def found() -> dict[str, ClockReading] | None:
            noted = {each.name: each for each in ClockReadings(redis_client).latest()}
            return noted if SENDER in noted else None

        noted = wait_until(found, what="the sender's clock") or {}
    finally:
        web.stop()
    assert abs(noted.pop(SENDER).ahead - timedelta(seconds=400)) < timedelta(seconds=5)
    (own,) = noted.values()
    assert own.name.startswith("web on ")
    assert abs(own.ahead) < timedelta(seconds=1)
