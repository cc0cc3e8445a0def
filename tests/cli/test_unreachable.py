"""What a command says of a data server that it can't use: in one line, and what to do about it."""

import socketserver
import threading
from collections.abc import Iterator

import pytest

from worker.cli import main
from worker.cli.doctor_server import unusable

_LOADING = b"-LOADING Redis is loading the dataset in memory\r\n"


@pytest.fixture
def loading_server() -> Iterator[str]:
    """Run a server that answers as one does that reads its file; yield its address."""

    class Handler(socketserver.StreamRequestHandler):
        def handle(self) -> None:
            for line in self.rfile:
                # One answer a command; each begins with the number of its parts.
                if line.startswith(b"*"):
                    self.wfile.write(_LOADING)

    class Server(socketserver.ThreadingTCPServer):
        daemon_threads = True

    with Server(("127.0.0.1", 0), Handler) as server:
        thread = threading.Thread(target=server.serve_forever, args=(0.02,))
        thread.start()
        yield f"redis://127.0.0.1:{server.server_address[1]}/0"
        server.shutdown()
        thread.join()


def said(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Return what a command writes when a service can't be used."""
    with pytest.raises(SystemExit) as ended:
        main(arguments)
    assert ended.value.code == 3
    return capsys.readouterr().err


def test_a_server_that_loads_its_data_needs_patience(
    loading_server: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """It is there: neither its address nor its start is what is wrong."""
    monkeypatch.setenv("REDIS_URL", loading_server)
    text = said(capsys, "bookings", "list")
    assert "loading its data" in text
    assert "in a moment" in text
    assert "REDIS_URL" not in text


def test_a_server_that_is_not_there(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    """Is looked for where REDIS_URL says."""
    monkeypatch.setenv("REDIS_URL", "redis://127.0.0.1:1/0")
    assert "check REDIS_URL" in said(capsys, "bookings", "list")


# What a failover looks like from outside; the Sentinels of a restore are stopped for longer.
_SENTINELS_AWAY = "redis+sentinel://:SECRET-PASSWORD@127.0.0.1:1,127.0.0.1:2/oracode/0"


@pytest.mark.parametrize("arguments", [("bookings", "list"), ("restored",)])
def test_no_sentinel_names_a_primary(
    arguments: tuple[str, ...], monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    """One line that says so, without the library's traceback."""
    monkeypatch.setenv("REDIS_URL", _SENTINELS_AWAY)
    text = said(capsys, *arguments)
    assert text.count("\n") == 1
    assert "names a primary" in text
    assert "SECRET" not in text


def test_the_doctor_says_that_no_sentinel_names_a_primary() -> None:
    """In plain words: the library's text is a page of its own objects."""
    finding = unusable(_SENTINELS_AWAY)
    assert finding is not None
    assert finding.verdict == "bad"
    assert finding.text == "no Sentinel of REDIS_URL names a primary: nothing is accepted"
