"""Hostile clients by the hundred: they open connections, and send, drip or stream until they are told to stop."""

import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from contextlib import ExitStack, contextmanager, suppress

from tests.proxy.servers import ATTACKER, Proxy

_TURN = 0.25
_HALF_A_HANDSHAKE = b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03"


class Client:
    """One connection that is never waited for; `got` is what was answered so far."""

    def __init__(self, connection: socket.socket, drip: bytes = b"", *, reads: bool = True) -> None:
        """`drip` is sent again in every turn; without `reads` answers are left where they are."""
        connection.settimeout(0)
        self._connection = connection
        self._drip = drip
        self._reads = reads
        self._since = time.monotonic()
        self.got = b""
        self.lasted: float | None = None
        """Seconds from its start, or from the last bytes that were taken of one that doesn't read, to its end."""

    def turn(self) -> None:
        """Send, and read what has come; note when it is over."""
        if self.lasted is not None:
            return
        try:
            if self._drip:
                self._send()
            while self._reads:
                piece = self._connection.recv(65536)
                if not piece:
                    raise ConnectionResetError
                self.got += piece
        except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
            pass
        except OSError:
            self.lasted = time.monotonic() - self._since

    def _send(self) -> None:
        with suppress(BlockingIOError, ssl.SSLWantWriteError, ssl.SSLWantReadError):
            self._connection.send(self._drip)
            if not self._reads:
                self._since = time.monotonic()

    @property
    def is_over(self) -> bool:
        """Whether the other side has ended it."""
        return self.lasted is not None


@contextmanager
def clients(
    proxy: Proxy,
    count: int,
    start: bytes,
    drip: bytes = b"",
    *,
    source: Callable[[int], str] = lambda _: ATTACKER,
    reads: bool = True,
) -> Iterator[list[Client]]:
    """Open so many connections, send `start` by each, and drip until the block ends."""
    opened: list[Client] = []
    with ExitStack() as held, turning(opened):
        for number in range(count):
            buffer = None if reads else 4096
            connection = held.enter_context(proxy.connect(source(number), receive_buffer=buffer))
            connection.sendall(start)
            opened.append(Client(connection, drip, reads=reads))
        yield opened


@contextmanager
def turning(opened: Sequence[Client]) -> Iterator[None]:
    """Let clients have their turns until the block ends, those too that are added meanwhile."""
    stopping = threading.Event()

    def turns() -> None:
        while not stopping.wait(_TURN):
            for each in opened:
                each.turn()

    thread = threading.Thread(target=turns)
    thread.start()
    try:
        yield
    finally:
        stopping.set()
        thread.join()


@contextmanager
def idle(proxy: Proxy, *, silent: int, half_open: int, ready: int) -> Iterator[list[Client]]:
    """Open connections that never send a request: without a byte, in the middle of the TLS handshake, and after it."""
    with ExitStack() as held:
        opened = []
        for number in range(silent + half_open):
            bare = held.enter_context(proxy.connect_bare(ATTACKER))
            if number >= silent:
                bare.sendall(_HALF_A_HANDSHAKE)
            opened.append(Client(bare))
        opened += [Client(held.enter_context(proxy.connect(ATTACKER))) for _ in range(ready)]
        yield opened


def leave(proxy: Proxy, start: bytes) -> None:
    """Send the start of a request, and reset the connection."""
    with proxy.connect(ATTACKER) as connection:
        connection.sendall(start)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
