"""Failed tries are counted by client and minute, in bounded memory; only failures are ever refused."""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st
from redis import Redis
from structlog.testing import capture_logs

from receiver.auth_failure_counts import AuthFailureCounts
from receiver.auth_failures import AuthFailureLimiter, client_of
from receiver.refusals import InvalidSignature, InvalidToken
from receiver.webhook_signature import fault_of
from tests.receiver.web import OTHER_SECRET, Web, booking_of, event_of, running, settings_for
from tests.shared.stories import NOW
from tests.support.server import DataServer

A_MINUTE = timedelta(minutes=1)


class Clock:
    """A clock that is moved by hand."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        """Return its time."""
        return self.now


def test_a_client_has_so_many_a_minute() -> None:
    """Then it is over its limit until the minute ends; another client isn't."""
    clock = Clock()
    failures = AuthFailureLimiter(a_minute=3, clock=clock)
    assert [failures.count_for("a") for _ in range(5)] == [2, 1, 0, -1, -2]
    assert failures.count_for("b") == 2
    clock.now += 59.9
    assert failures.count_for("a") < 0
    clock.now += 0.2
    assert failures.count_for("a") == 2


def test_memory_is_bounded_for_any_number_of_clients() -> None:
    """Past ten thousand clients a minute the rest share one count."""
    failures = AuthFailureLimiter(a_minute=1, clock=Clock())
    for number in range(30_000):
        failures.count_for(f"client {number}")
    assert failures.size <= 10_001
    assert failures.count_for("one more") < 0


ADDRESSES = {
    "192.0.2.1": "192.0.2.1",
    "::ffff:192.0.2.1": "192.0.2.1",
    "2001:db8:1:2:3:4:5:6": "2001:db8:1:2::/64",
    "2001:db8:1:2:ffff::1": "2001:db8:1:2::/64",
    "2001:db8:1:3::1": "2001:db8:1:3::/64",
}


@pytest.mark.parametrize(("host", "client"), ADDRESSES.items())
def test_who_is_counted(host: str, client: str) -> None:
    """An address; of IPv6 the network, because one customer has all of it."""
    assert client_of({"client": (host, 1)}) == client


@given(host=st.text(max_size=500))
def test_any_name_is_a_short_one(host: str) -> None:
    """What a proxy writes may be anything; what is kept of it is short."""
    assert len(client_of({"client": (host, 0)})) <= 64
    assert client_of({"client": None}) == "unknown"


@pytest.fixture
def strict(data_server: DataServer, redis_client: Redis) -> Iterator[Web]:
    """Run `web` with a limit of two."""
    del redis_client
    with running(settings_for(data_server.url, rejection_limit=2)) as it:
        yield it


def test_failures_are_refused_and_nothing_else(strict: Web, redis_client: Redis) -> None:
    """401, 401, then 429 with the time to wait; Seam and a good token from the same address are served meanwhile."""
    forged = [strict.webhook(event_of(), secret=OTHER_SECRET) for _ in range(4)]
    assert [answer.status_code for answer in forged] == [401, 401, 429, 429]
    assert forged[-1].json() == {"error": "too_many_rejections"}
    assert 1 <= int(forged[-1].headers["retry-after"]) <= 61
    assert strict.webhook(event_of()).json() == {"status": "accepted"}
    assert strict.booking(booking_of()).status_code == 202
    assert redis_client.xlen("seam-events") == 1


def test_tokens_and_signatures_share_the_count(strict: Web) -> None:
    """Failures on all endpoints count together: a client gets no more tries by using several."""
    strict.webhook(event_of(), secret=OTHER_SECRET)
    tokens = [strict.booking(booking_of(), token="guess").status_code for _ in range(3)]
    assert tokens == [401, 429, 429]


FAULTS = {
    "1000000000": "wrong_signature",
    "999999700": "wrong_signature",
    "999999699": "too_old",
    "1000000301": "too_new",
    "soon": "malformed_headers",
    "9" * 30: "malformed_headers",
    "": "malformed_headers",
}


@pytest.mark.parametrize(("timestamp", "fault"), FAULTS.items())
def test_why_a_signature_does_not_hold(timestamp: str, fault: str) -> None:
    """As far as its headers tell, because a clock that is off and a wrong secret are corrected in different places."""
    assert fault_of({"webhook-timestamp": timestamp}, 1_000_000_000) == fault


def test_counts_are_handed_over_once() -> None:
    """By reason, with the last moment; what can't be written is kept for the next time."""
    moments = iter([NOW, NOW + A_MINUTE, NOW])
    counts = AuthFailureCounts(lambda: next(moments))
    written: list[tuple[Mapping[str, int], Mapping[str, datetime]]] = []

    def fail(_counts: object, _last_at: object) -> None:
        raise OSError

    for failure in (InvalidSignature("too_old"), InvalidSignature("too_old"), InvalidToken()):
        counts.add(failure)
    with pytest.raises(OSError):  # noqa: PT011 - the one above
        counts.flush(fail)
    for _ in range(2):
        counts.flush(lambda *each: written.append(each))
    assert written == [({"too_old": 2, "invalid_token": 1}, {"too_old": NOW + A_MINUTE, "invalid_token": NOW})]


def test_every_failed_try_is_counted_and_logged_by_its_reason(data_server: DataServer, redis_client: Redis) -> None:
    """Past the limit they are still counted. Signatures are `webhook.rejected`, as the runbook has it."""
    del redis_client
    counts = AuthFailureCounts()
    written: dict[str, int] = {}
    with running(settings_for(data_server.url, rejection_limit=2), counts=counts) as web, capture_logs() as logs:
        for _ in range(4):
            web.webhook(event_of(), secret=OTHER_SECRET)
        web.send("POST", "/webhooks/seam", body=b"{}")
        web.booking(booking_of(), token="guess")
    counts.flush(lambda found, _: written.update(found))
    assert written == {"wrong_signature": 4, "missing_headers": 1, "invalid_token": 1}
    told = [(line["event"], line.get("reason")) for line in logs if line["event"] != "auth_failures.limited"]
    assert told == [("webhook.rejected", "wrong_signature")] * 2
