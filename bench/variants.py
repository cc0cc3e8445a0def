"""The web processes that are compared: ours, the bare endpoint, and the peers. Each runs in one process."""

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
    """One web process: its name, and how it is started on a port."""

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
    """Return the command for gunicorn: one process with eight threads, as its documentation proposes."""
    worker = ["--worker-class", "gthread", "--workers", "1", "--threads", "8", "--log-level", "warning"]
    # No control socket: it would be in the user's own folder, and two runs would share it.
    return [
        str(PEERS / "gunicorn"),
        *worker,
        "--no-control-socket",
        "--bind",
        f"127.0.0.1:{port}",
        "bench.peers.delay:app",
    ]


def no_peers() -> str:
    """Return why the Python peers can't run here; empty if they can."""
    return "" if (PEERS / "gunicorn").exists() else ".venv-peers is missing: run `make bench`"


def no_node() -> str:
    """Return why the Node peer can't run here; empty if it can."""
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
