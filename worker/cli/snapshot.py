"""Reads the whole content of a running data server into one file, as a new replica does (SYNC, in RDB format).

The server forks and sends its memory of that moment. So the file is consistent: a booking in it has its history, its
indexes and its due time. Nothing is stopped. If the server can send without a file of its own (`capa eof`), nothing is
written on its machine.
"""

import socket
import ssl
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, BinaryIO, Final

from redis.connection import SSLConnection
from redis.exceptions import ConnectionError as Unreachable

from shared.redis_client import address_now

_CONNECT_WITHIN: Final = 5.0
# While the server prepares, it sends an empty line each second.
_SILENT_FOR: Final = 60.0
_CHUNK: Final = 256 * 1024
_EOF_MARK: Final = b"EOF:"
_MARK_LENGTH: Final = 40
# The first bytes of files in this format: of Redis, and of Valkey since version 9.
_BEGINNINGS: Final = (b"REDIS", b"VALKEY")


class NoSnapshot(Exception):
    """The server refuses to send its content; the text is its answer."""


def write_snapshot(url: str, file: BinaryIO) -> int:
    """Write the content of the server at `url` and return its size in bytes.

    Raises redis.exceptions.ConnectionError if the server can't be reached or stops halfway, NoSnapshot if it refuses.
    """
    address = address_now(url)
    try:
        with _connected(address) as connection, connection.makefile("rb") as answers:
            if password := address.get("password"):
                user = [address["username"]] if address.get("username") else []
                _ask(connection, answers, "AUTH", *user, str(password))
            _ask(connection, answers, "REPLCONF", "capa", "eof")
            _say(connection, "SYNC")
            return _receive(answers, file)
    except OSError as error:
        raise Unreachable(f"the data server can't be read: {type(error).__name__}") from None


@contextmanager
def _connected(address: Any) -> Iterator[socket.socket]:
    if path := address.get("path"):
        plain = socket.socket(socket.AF_UNIX)
        plain.settimeout(_CONNECT_WITHIN)
        plain.connect(path)
    else:
        host = address.get("host", "localhost")
        plain = socket.create_connection((host, address.get("port", 6379)), timeout=_CONNECT_WITHIN)
    with plain:
        connection = plain
        if address.get("connection_class") is SSLConnection:
            context = ssl.create_default_context(cafile=address.get("ssl_ca_certs"))
            if certificate := address.get("ssl_certfile"):
                context.load_cert_chain(certificate, address.get("ssl_keyfile"))
            if str(address.get("ssl_cert_reqs")).lower() == "none":
                context.check_hostname = False
                context.verify_mode = ssl.CERT_NONE
            connection = context.wrap_socket(plain, server_hostname=address.get("host"))
        connection.settimeout(_SILENT_FOR)
        with connection:
            yield connection


def _say(connection: socket.socket, *words: str) -> None:
    parts = [f"*{len(words)}\r\n".encode()]
    for word in words:
        content = word.encode()
        parts += [b"$%d\r\n" % len(content), content, b"\r\n"]
    connection.sendall(b"".join(parts))


def _ask(connection: socket.socket, answers: IO[bytes], *words: str) -> None:
    _say(connection, *words)
    answer = answers.readline()
    if not answer:
        raise Unreachable("the data server closed the connection")
    if answer.startswith(b"-"):
        raise NoSnapshot(answer[1:].decode(errors="replace").strip())


def _receive(answers: IO[bytes], file: BinaryIO) -> int:
    """Write the answer to SYNC: a length and so many bytes, or a mark, and bytes until the mark comes again."""
    beginning = b"\n"
    while beginning == b"\n":
        beginning = answers.readline()
    if beginning.startswith(b"-"):
        raise NoSnapshot(beginning[1:].decode(errors="replace").strip())
    if not beginning.startswith(b"$"):
        raise Unreachable("the data server ended before it began to send")
    told = beginning[1:].strip()
    if told.startswith(_EOF_MARK):
        size = _until_mark(answers, file, told.removeprefix(_EOF_MARK))
    else:
        size = _as_many(answers, file, int(told))
    file.seek(0)
    if not file.read(6).startswith(_BEGINNINGS):
        raise NoSnapshot("what it sent is not in RDB format")
    return size


def _as_many(answers: IO[bytes], file: BinaryIO, size: int) -> int:
    left = size
    while left:
        chunk = answers.read(min(left, _CHUNK))
        if not chunk:
            raise Unreachable("the data server stopped halfway")
        file.write(chunk)
        left -= len(chunk)
    return size


def _until_mark(answers: IO[bytes], file: BinaryIO, mark: bytes) -> int:
    """Write everything before the mark. Nothing follows the mark: the server then waits for its replica's answer."""
    size, tail = 0, b""
    while tail != mark:
        chunk = answers.read1(_CHUNK)  # type: ignore[attr-defined]
        if not chunk:
            raise Unreachable("the data server stopped halfway")
        ready = tail + chunk
        cut = max(0, len(ready) - _MARK_LENGTH)
        file.write(ready[:cut])
        size, tail = size + cut, ready[cut:]
    return size
