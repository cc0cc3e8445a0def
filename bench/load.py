"""The load generator: one process, one loop over its connections, one request under way on each.

    python -m bench.load PORT CONNECTIONS SECONDS REQUESTS [PAUSE AFTER A REFUSAL] [MOST A SECOND] [accepted]

It is our own, so that it needs only Python, can send a different signed request each time, and records every latency.
`bench.receiver` measures the most that it can send to a server that does nothing, and its CPU in every run. It is a
separate process, so that the rest of the benchmark takes no time from it.
"""

import gc
import json
import resource
import select
import socket
import sys
import time
from array import array
from collections import Counter, defaultdict, deque
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from struct import Struct

from bench.statistics import quantile

_LENGTH = Struct("<I")
_GIVE_UP_AFTER = 30.0
_REFUSED = 503
_clock = time.perf_counter


@dataclass(frozen=True, slots=True)
class Report:
    """The figures of one run. Times are in milliseconds; `by_status` counts answers, `p99_by_status` is their p99."""

    seconds: float
    answers: int
    rate: float
    p50: float
    p99: float
    slowest: float
    cpu_share: float
    by_status: dict[str, int]
    p99_by_status: dict[str, float]
    broken: int
    ran_out: bool


@dataclass(slots=True)
class _Connection:
    port: int
    wire: socket.socket = field(init=False)
    buffer: bytes = b""
    sent_at: float = 0.0

    def __post_init__(self) -> None:
        self.open()

    def open(self) -> None:
        self.wire = socket.create_connection(("127.0.0.1", self.port), timeout=_GIVE_UP_AFTER)
        self.wire.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.buffer = b""


class Heads:
    """Reads answers' heads; a head that was seen before is not parsed again."""

    def __init__(self) -> None:
        self._known: dict[bytes, tuple[int, int, bool]] = {}

    def read(self, buffer: bytes) -> tuple[int, int, bool] | None:
        """Return status, length of the answer, and whether the connection closes; None while the head is incomplete."""
        end = buffer.find(b"\r\n\r\n")
        if end < 0:
            return None
        head = buffer[:end]
        known = self._known.get(head)
        if known is None:
            if len(self._known) > 1_000:
                self._known.clear()
            known = self._known[head] = _parsed(head)
        return known


def _parsed(head: bytes) -> tuple[int, int, bool]:
    first, *lines = head.decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    if "transfer-encoding" in headers:
        raise ValueError("chunked answers are not understood")
    length = int(headers.get("content-length", "0"))
    return int(first.split(" ")[1]), len(head) + 4 + length, headers.get("connection", "").lower() == "close"


class Load:
    """One run: every connection sends a request, waits for its answer, and sends the next."""

    def __init__(self, port: int, connections: int, requests: list[bytes], *, pause: float, rate: float = 0.0) -> None:
        """`pause`: how many seconds a connection waits after it was refused (503).

        `rate`: the most requests to send in a second, evenly spread; 0: no limit.
        """
        self._pause = pause
        self._gap = 1 / rate if rate else 0.0
        self._next_at = 0.0
        self._left = iter(requests)
        self._heads = Heads()
        self._poll = select.epoll()
        self._lines: dict[int, _Connection] = {}
        self._resting: deque[tuple[float, int]] = deque()
        self._latencies: defaultdict[int, array[float]] = defaultdict(lambda: array("d"))
        self._broken = self._active = 0
        self._ran_out = False
        self._over_at = 0.0
        for _ in range(connections):
            self._add(_Connection(port))

    def wait_until_accepted(self) -> None:
        """Wait until the server has accepted every connection: it accepts them in the order in which they came."""
        newest = self._lines[max(self._lines)]
        newest.wire.send(b"GET /healthz HTTP/1.1\r\nhost: 127.0.0.1\r\n\r\n")
        answer = b""
        while (head := self._heads.read(answer)) is None or len(answer) < head[1]:
            answer += newest.wire.recv(65_536)

    def run(self, seconds: float) -> Report:
        """Send until all requests are sent or the time is over, and wait for the last answers."""
        cpu, started = time.process_time(), _clock()
        self._over_at = started + seconds
        self._next_at = started
        for number in list(self._lines):
            self._send_next(number)
        while self._active or self._resting:
            ready = self._poll.poll(self._patience())
            if not ready and not self._resting:
                self._broken += self._active
                break
            for number, _ in ready:
                self._receive(number)
            while self._resting and self._resting[0][0] <= _clock():
                self._send_now(self._resting.popleft()[1])
        took = _clock() - started
        for line in self._lines.values():
            line.wire.close()
        return _report(self._latencies, took, time.process_time() - cpu, self._broken, ran_out=self._ran_out)

    def _patience(self) -> float:
        return max(0.0, self._resting[0][0] - _clock()) if self._resting else _GIVE_UP_AFTER

    def _add(self, line: _Connection) -> None:
        number = line.wire.fileno()
        self._lines[number] = line
        self._poll.register(number, select.EPOLLIN)

    def _send_next(self, number: int) -> None:
        """Send the next request, or wait until it is time for it; if none is left, this connection is done."""
        if self._gap:
            now = _clock()
            # If sending is behind, at most the requests of one second are caught up.
            self._next_at = max(self._next_at, now - 1)
            if self._next_at > now:
                self._resting.append((self._next_at, number))
                self._next_at += self._gap
                return
            self._next_at += self._gap
        self._send_now(number)

    def _send_now(self, number: int) -> None:
        request = next(self._left, None) if (now := _clock()) < self._over_at else None
        if request is None:
            self._ran_out = self._ran_out or now < self._over_at
            return
        line = self._lines[number]
        line.sent_at = now
        line.wire.send(request)
        self._active += 1

    def _receive(self, number: int) -> None:
        line = self._lines[number]
        try:
            chunk = line.wire.recv(65_536)
        except OSError:
            chunk = b""
        if not chunk:
            self._replace(number)
            if line.sent_at:
                self._broken, self._active = self._broken + 1, self._active - 1
            return
        line.buffer = line.buffer + chunk if line.buffer else chunk
        head = self._heads.read(line.buffer)
        if head is None or len(line.buffer) < head[1]:
            return
        now = _clock()
        status, _, closes = head
        self._latencies[status].append(now - line.sent_at)
        self._active -= 1
        line.buffer, line.sent_at = b"", 0.0
        if closes:
            self._replace(number)
        elif status == _REFUSED and self._pause:
            self._resting.append((now + self._pause, number))
        else:
            self._send_next(number)

    def _replace(self, number: int) -> None:
        """Replace a connection that the server has closed."""
        line = self._lines.pop(number)
        self._poll.unregister(number)
        line.wire.close()
        if _clock() < self._over_at:
            fresh = _Connection(line.port)
            self._add(fresh)
            self._send_next(fresh.wire.fileno())


def _report(latencies: Mapping[int, "array[float]"], took: float, cpu: float, broken: int, *, ran_out: bool) -> Report:
    every = [each for of_status in latencies.values() for each in of_status] or [0.0]
    counts = Counter({str(status): len(of_status) for status, of_status in latencies.items()})
    return Report(
        seconds=took,
        answers=counts.total(),
        rate=counts.total() / took,
        p50=quantile(every, 0.5) * 1e3,
        p99=quantile(every, 0.99) * 1e3,
        slowest=max(every) * 1e3,
        cpu_share=cpu / took,
        by_status=dict(counts),
        p99_by_status={str(status): quantile(each, 0.99) * 1e3 for status, each in latencies.items()},
        broken=broken,
        ran_out=ran_out,
    )


def write_requests(path: Path, requests: list[bytes]) -> None:
    """Write requests to a file for the generator's process."""
    with path.open("wb") as file:
        for request in requests:
            file.write(_LENGTH.pack(len(request)))
            file.write(request)


def read_requests(path: Path) -> list[bytes]:
    """Return the requests of that file."""
    whole, found, at = path.read_bytes(), [], 0
    while at < len(whole):
        (length,) = _LENGTH.unpack_from(whole, at)
        found.append(whole[at + 4 : at + 4 + length])
        at += 4 + length
    return found


def main() -> None:
    """Run once and print the report as JSON."""
    port, connections, seconds, path = int(sys.argv[1]), int(sys.argv[2]), float(sys.argv[3]), Path(sys.argv[4])
    most = resource.getrlimit(resource.RLIMIT_NOFILE)[1]
    resource.setrlimit(resource.RLIMIT_NOFILE, (most, most))
    requests = read_requests(path)
    gc.disable()
    pause = float(sys.argv[5]) if len(sys.argv) > 5 else 0.0
    rate = float(sys.argv[6]) if len(sys.argv) > 6 else 0.0
    under_load = Load(port, connections, requests, pause=pause, rate=rate)
    if "accepted" in sys.argv[7:]:
        under_load.wait_until_accepted()
    print(json.dumps(asdict(under_load.run(seconds))))


if __name__ == "__main__":
    main()
