"""The web processes that are compared: ours, the ceiling, and what others would build. One worker process each."""

import shutil
import sys
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Final

from bench.data_server import DataServer
from bench.processes import PROJECT, SERVER_CORE, Started, listens
from bench.webhooks import SECRET

OURS: Final = "oracode-codes (python -m receiver)"
BARE: Final = "bare Starlette endpoint, 204"
FLASK: Final = "Flask + svix + delay(), gunicorn"
FASTIFY: Final = "fastify + @seamapi/webhook + BullMQ"
PEERS: Final = PROJECT / ".venv-peers" / "bin"
_NODE_PEER: Final = PROJECT / "bench" / "peers" / "node"


class NotHere(RuntimeError):
    """A variant can't run on this machine; the text says why."""


@dataclass(frozen=True, slots=True)
class Variant:
    """One web process: how it is called and how it starts on a port."""

    name: str
    arguments: Callable[[int], list[str]]
    environment: Callable[[DataServer, int], Mapping[str, str]]
    missing: Callable[[], str]

    def start(self, server: DataServer, port: int, *, core: int | None = SERVER_CORE) -> Started:
        """Start it on a core and wait until it listens. Raises NotHere, NotUp."""
        if why := self.missing():
            raise NotHere(why)
        process = Started(self.name, self.arguments(port), self.environment(server, port), core=core)
        return process.until(lambda: listens(port))


def receiver_settings(server: DataServer, port: int) -> dict[str, str]:
    """Return the settings of our web process."""
    return {"REDIS_URL": server.url, "SEAM_WEBHOOK_SECRET": SECRET, "PORT": str(port), "HOST": "127.0.0.1"}


def peer_settings(server: DataServer, port: int) -> dict[str, str]:
    """Return the settings of a peer."""
    return {"PEER_REDIS_URL": server.url, "PEER_SECRET": SECRET, "PORT": str(port)}


def flask_arguments(port: int) -> list[str]:
    """Return how gunicorn is started: one process with eight threads, as its documentation proposes."""
    worker = ["--worker-class", "gthread", "--workers", "1", "--threads", "8", "--log-level", "warning"]
    # No control socket: it would lie in the user's own folder, and two runs would meet there.
    return [
        str(PEERS / "gunicorn"),
        *worker,
        "--no-control-socket",
        "--bind",
        f"127.0.0.1:{port}",
        "bench.peers.delay:app",
    ]


def no_peers() -> str:
    """Say why the Python peers can't run, if they can't."""
    return "" if (PEERS / "gunicorn").exists() else ".venv-peers is missing: run `make bench`"


def no_node() -> str:
    """Say why the Node peer can't run, if it can't."""
    if shutil.which("node") is None:
        return "node is not on PATH"
    return (
        "" if (_NODE_PEER / "node_modules" / "fastify").exists() else "its packages are not installed: run `make bench`"
    )


VARIANTS: Final = (
    Variant(OURS, lambda _: [sys.executable, "-m", "receiver"], receiver_settings, lambda: ""),
    Variant(
        BARE,
        lambda port: [sys.executable, "-m", "uvicorn", "bench.peers.bare:app", "--port", str(port), "--no-access-log"],
        lambda _, __: {},
        lambda: "",
    ),
    Variant(FASTIFY, lambda _: ["node", str(_NODE_PEER / "server.mjs")], peer_settings, no_node),
    Variant(FLASK, flask_arguments, peer_settings, no_peers),
)
