"""Stands for `web` where a test must see what reached it: takes any request, and keeps it as it came."""

import socket
import threading
from collections.abc import Iterator
from contextlib import closing, contextmanager, suppress
from dataclasses import dataclass, field

import h11

ANSWER = b'{"status":"recorded"}'


@dataclass(frozen=True, slots=True)
class Recorded:
    """One request, as it came."""

    method: bytes
    target: bytes
    headers: tuple[tuple[bytes, bytes], ...]
    body: bytes

    def values(self, name: bytes) -> list[bytes]:
        """Return all values of a header, by its name in lower case."""
        return [value for each, value in self.headers if each == name]


@dataclass(slots=True)
class RecordingWeb:
    """Answers every request with `status` and `headers`, or with nothing at all where it `hangs`."""

    port: int
    status: int = 202
    headers: tuple[tuple[bytes, bytes], ...] = ()
    hangs: bool = False
    closes_at_second: bool = False
    """Whether the second request of a connection meets its end."""
    connections: int = 0
    requests: list[Recorded] = field(default_factory=list)

    def serve(self, connection: socket.socket) -> None:
        """Serve one connection until it ends."""
        self.connections += 1
        protocol = h11.Connection(h11.SERVER)
        with closing(connection), suppress(OSError, h11.RemoteProtocolError):
            while self._answer(connection, protocol) and not self._closes(connection):
                protocol.start_next_cycle()

    def _answer(self, connection: socket.socket, protocol: h11.Connection) -> bool:
        head: h11.Request | None = None
        body = b""
        while True:
            event = protocol.next_event()
            match event:
                case h11.NEED_DATA:
                    protocol.receive_data(connection.recv(65536))
                case h11.Request():
                    head = event
                case h11.Data():
                    body += event.data
                case h11.EndOfMessage():
                    break
                case _:
                    return False
        assert head is not None
        self.requests.append(Recorded(head.method, head.target, tuple(head.headers), body))
        if self.hangs:
            connection.recv(1)
            return False
        headers = [(b"content-length", b"%d" % len(ANSWER)), *self.headers]
        answer = h11.Response(status_code=self.status, headers=headers)
        for each in (answer, h11.Data(data=ANSWER), h11.EndOfMessage()):
            connection.sendall(protocol.send(each) or b"")
        return protocol.our_state is h11.DONE and protocol.their_state is h11.DONE

    def _closes(self, connection: socket.socket) -> bool:
        return self.closes_at_second and bool(connection.recv(1))


@contextmanager
def recording_web() -> Iterator[RecordingWeb]:
    """Run one on a free port."""
    with closing(socket.create_server(("127.0.0.1", 0), backlog=1024)) as listener:
        web = RecordingWeb(listener.getsockname()[1])

        def accept() -> None:
            with suppress(OSError):
                while True:
                    connection, _ = listener.accept()
                    threading.Thread(target=web.serve, args=(connection,), daemon=True).start()

        threading.Thread(target=accept, daemon=True).start()
        try:
            yield web
        finally:
            listener.shutdown(socket.SHUT_RDWR)
