"""Whatever takes too long at a proxy is ended: by the time that its file says, and never as if it were accepted."""

from contextlib import ExitStack
from dataclasses import dataclass

import pytest

from tests.proxy.honest import honest_traffic
from tests.proxy.hostile_clients import Client, clients, turning
from tests.proxy.recording_web import recording_web
from tests.proxy.servers import ATTACKER, HONEST, HOST, Proxy, running
from tests.proxy.test_hostile_clients import CHUNKED, HEAD, LENGTH, UNSIGNED
from tests.receiver.process import WebProcess, request, statuses
from tests.support.waiting import wait_until

# What a busy machine may need in addition.
_LATE = 5.0


@dataclass(frozen=True, slots=True)
class Slow:
    """One way to be slow, and after how many seconds each server ends it; None: not while bytes come."""

    start: bytes
    caddy: float
    nginx: float | None
    drip: bytes = b""
    reads: bool = True


ELSEWHERE = request("GET", "/elsewhere").replace(b"host: web", f"host: {HOST}".encode())
SLOW = {
    "nothing at all": Slow(b"", 5, 5),
    "blank lines": Slow(b"", 5, 5, drip=b"\r\n"),
    "half a header": Slow(HEAD + b"x: ", 5, 5),
    "a byte of a header": Slow(HEAD + b"x: ", 5, 5, drip=b"y"),
    "a header at a time": Slow(HEAD, 5, 5, drip=b"x: y\r\n"),
    "half a body": Slow(LENGTH + b"{", 15, 5),
    "a byte of a body": Slow(LENGTH, 15, None, drip=b"{"),
    "half a chunk": Slow(CHUNKED + b"5\r\nab", 15, 5),
    "a chunk at a time": Slow(CHUNKED, 15, None, drip=b"1\r\na\r\n"),
    "a trailer at a time": Slow(CHUNKED + b"0\r\n", 15, None, drip=b"x: y\r\n"),
    "no more requests": Slow(UNSIGNED, 15, 15),
    "reads no answers": Slow(b"", 20, 5, drip=ELSEWHERE * 2000, reads=False),
}
CROWD = 200


@dataclass(frozen=True, slots=True)
class Outcome:
    """What became of each slow client, of a crowd of half bodies, and of whole requests to a `web` that hangs."""

    server: str
    slow: dict[str, Client]
    crowd: list[Client]
    hanging: list[Client]

    def limit(self, name: str) -> float | None:
        """Return after how many seconds this one is to be ended."""
        return SLOW[name].caddy if self.server == "caddy" else SLOW[name].nginx

    def is_over(self) -> bool:
        """Whether all are ended that are to be ended."""
        return not self.going_on and all(each.is_over for each in self.crowd) and all(each.got for each in self.hanging)

    @property
    def going_on(self) -> list[str]:
        """Which of those that are to be ended are not."""
        limited = [name for name in self.slow if self.limit(name) is not None]
        return [name for name in limited if not self.slow[name].is_over]


@pytest.fixture(scope="module")
def outcome(server: type[Proxy], proxy: Proxy, web: WebProcess, tmp_path_factory: pytest.TempPathFactory) -> Outcome:
    """Let all of them be slow at the same time, and honest webhooks come meanwhile, until all are ended."""
    with ExitStack() as held:
        honest = held.enter_context(honest_traffic(proxy, web, "every slow client"))
        slow = {}
        for name, each in SLOW.items():
            connection = held.enter_context(proxy.connect(ATTACKER, receive_buffer=None if each.reads else 4096))
            connection.sendall(each.start)
            slow[name] = Client(connection, each.drip, reads=each.reads)
        # At once: on a busy machine the rest takes longer than a server waits for the first drop.
        held.enter_context(turning(list(slow.values())))
        crowd = held.enter_context(clients(proxy, CROWD, LENGTH + b"{" * 5000))
        hanging_web = held.enter_context(recording_web())
        hanging_web.hangs = True
        before_it = held.enter_context(running(server, tmp_path_factory.mktemp("hanging"), hanging_web.port))
        hanging = []
        for _ in range(2):
            connection = held.enter_context(before_it.connect(HONEST))
            connection.sendall(UNSIGNED)
            hanging.append(Client(connection))
        ended = Outcome(proxy.name, slow, crowd, hanging)
        held.enter_context(turning(hanging))
        try:
            wait_until(ended.is_over, within=60, what="all of them are ended")
        except AssertionError as late:
            raise AssertionError(f"{late}; going on: {ended.going_on}") from late
        honest.wait_for(20)
    return ended


@pytest.mark.parametrize("name", SLOW)
def test_what_is_slow_is_ended(outcome: Outcome, name: str) -> None:
    """In its time, however little is sent to prolong it; nginx knows no time for a whole body."""
    limit, lasted = outcome.limit(name), outcome.slow[name].lasted
    if limit is None:
        assert lasted is None
    else:
        assert lasted is not None
        assert lasted < limit + _LATE


@pytest.mark.parametrize("name", SLOW)
def test_what_is_slow_is_not_accepted(outcome: Outcome, name: str) -> None:
    """Nothing at all, or an error: never a 2xx (Caddy's own answer to a body that doesn't end is 200)."""
    expected = {401, 429} if name == "no more requests" else {400, 408, 502, 504}
    assert {*statuses(outcome.slow[name].got)} <= expected


def test_bodies_that_stop_together_end_together(outcome: Outcome) -> None:
    """Hundreds that reach their time at the same moment are no flood for `web`, and none is accepted."""
    assert {status for each in outcome.crowd for status in statuses(each.got)} <= {408, 504}


def test_a_web_that_never_answers_is_no_acceptance(outcome: Outcome) -> None:
    """504, a little later than REQUEST_TIMEOUT."""
    assert [statuses(each.got) for each in outcome.hanging] == [[504], [504]]
