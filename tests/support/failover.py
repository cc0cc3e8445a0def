"""A primary, its replicas and three Sentinels, all real servers, to try failovers on."""

import secrets
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from redis import Redis
from redis.exceptions import RedisError

from deploy.local import data_server
from deploy.local.ports import free_port
from tests.support.server import DataServer
from tests.support.waiting import wait_until

NAME = "oracode"
# The Sentinels act once a primary is gone for so long. It is short, so that the tests are.
DOWN_AFTER = 1.5
_SENTINEL = """\
bind 127.0.0.1
port {port}
dir {directory}
logfile {directory}/log
requirepass {sentinel_password}
sentinel sentinel-pass {sentinel_password}
sentinel monitor {name} 127.0.0.1 {primary} 2
sentinel auth-user {name} sentinel
sentinel auth-pass {name} {password}
sentinel down-after-milliseconds {name} {down_after}
sentinel failover-timeout {name} 6000
sentinel parallel-syncs {name} 1
"""


class Failover:
    """Data servers and three Sentinels; `url` is the REDIS_URL that names them."""

    def __init__(self, directory: Path, *, replicas: int = 1, more: str = "") -> None:
        """Prepare them; `more` are further lines of the data servers' configuration."""
        self._directory = directory
        self._password, self._sentinel_password = secrets.token_urlsafe(16), secrets.token_urlsafe(16)
        # Replicas and Sentinels log in as separate users, so that each can be shut out.
        both = (
            f"user replica on >{self._password} ~* &* +@all\nmasteruser replica\nmasterauth {self._password}\n"
            f"user sentinel on >{self._password} ~* &* +@all\n"
            f"repl-diskless-sync-delay 0\nrepl-ping-replica-period 1\nlogfile log\n{more}"
        )
        one = DataServer(directory / "one", password=self._password, more=both)
        self.primary = one
        following = f"{both}replicaof 127.0.0.1 {one.port}\n"
        self.replicas = [
            DataServer(directory / f"replica-{number}", password=self._password, more=following)
            for number in range(replicas)
        ]
        self._ports: list[int] = []
        self._sentinels: list[subprocess.Popen[bytes]] = []

    @property
    def url(self) -> str:
        """The address of the Sentinels, with the passwords of both sides."""
        hosts = ",".join(f"127.0.0.1:{port}" for port in self._ports)
        return f"redis+sentinel://:{self._password}@{hosts}/{NAME}/0?sentinel_password={self._sentinel_password}"

    def start(self) -> None:
        """Start all of them, and wait until the Sentinels know each other and the replica has all."""
        self.primary.start()
        for replica in self.replicas:
            replica.start()
        for number in range(3):
            self._start_sentinel(self._directory / f"sentinel-{number}")
        wait_until(lambda: all(map(_follows, self.replicas)), what="the replicas")
        wait_until(lambda: all(map(self._knows_all, self._ports)), what="the Sentinels")

    def stop(self) -> None:
        """End all of them."""
        for process in self._sentinels:
            process.kill()
            process.wait(10)
        for server in (self.primary, *self.replicas):
            try:
                server.send(signal.SIGCONT)
            except (AssertionError, ProcessLookupError):
                continue
            server.kill()

    def cut_replicas_off(self) -> None:
        """Stop the replication: from now on the replicas lack what is written."""
        self._shut_out("replica")

    def split(self) -> None:
        """Cut the primary off from replicas and Sentinels. Clients still reach it, and it accepts their writes."""
        self._shut_out("replica", "sentinel")

    def heal(self) -> None:
        """Let replicas and Sentinels reach the old primary again."""
        with Redis.from_url(self.primary.url) as client:
            for user in ("replica", "sentinel"):
                client.acl_setuser(user, enabled=True)

    def _shut_out(self, *users: str) -> None:
        with Redis.from_url(self.primary.url) as client:
            for user in users:
                client.acl_setuser(user, enabled=False)
                client.execute_command("CLIENT", "KILL", "USER", user)

    def new_primary(self) -> DataServer | None:
        """Return the replica that is the primary now; None if none is."""
        return next((each for each in self.replicas if _is_primary(each)), None)

    def promoted(self) -> DataServer:
        """Wait until a replica is the primary, and return it."""
        server = wait_until(self.new_primary, within=20, what="a promotion")
        assert server is not None
        return server

    def _start_sentinel(self, directory: Path) -> None:
        directory.mkdir(parents=True)
        port = free_port()
        path = directory / "sentinel.conf"
        text = _SENTINEL.format(
            port=port,
            directory=directory,
            name=NAME,
            primary=self.primary.port,
            password=self._password,
            sentinel_password=self._sentinel_password,
            down_after=int(DOWN_AFTER * 1000),
        )
        path.write_text(text)
        command = [data_server.find_binary(), str(path), "--sentinel"]
        self._sentinels.append(subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        self._ports.append(port)

    def _knows_all(self, port: int) -> bool:
        with Redis(port=port, password=self._sentinel_password, socket_timeout=1) as client:
            try:
                seen = client.sentinel_masters()[NAME]
            except (RedisError, KeyError):
                return False
            return bool(seen["num-other-sentinels"] == 2 and seen["num-slaves"] == len(self.replicas))


def _is_primary(replica: DataServer) -> bool:
    try:
        return bool(said_by(replica)["role"] == "master")
    except (RedisError, OSError):
        # A server ends all connections when it changes its role.
        return False


def _follows(replica: DataServer) -> bool:
    return bool(said_by(replica).get("master_link_status") == "up")


def said_by(server: DataServer) -> dict[str, Any]:
    """Return what a server says of its replication."""
    with Redis.from_url(server.url, decode_responses=True, socket_timeout=1) as client:
        answer: dict[str, Any] = client.info("replication")
        return answer


@contextmanager
def primary_and_replica(directory: Path) -> Iterator[tuple[DataServer, DataServer]]:
    """Run a primary and its replica, without Sentinels, and end them."""
    more = "masterauth of-both\nrepl-diskless-sync-delay 0\n"
    primary = DataServer(directory / "one", password="of-both", more=more)
    replica = DataServer(directory / "two", password="of-both", more=f"{more}replicaof 127.0.0.1 {primary.port}\n")
    try:
        primary.start()
        replica.start()
        wait_until(lambda: said_by(replica)["master_link_status"] == "up", what="the replica")
        yield primary, replica
    finally:
        primary.kill()
        replica.kill()


@contextmanager
def failover(directory: Path, *, replicas: int = 1, more: str = "") -> Iterator[Failover]:
    """Run them, and end them."""
    servers = Failover(directory, replicas=replicas, more=more)
    try:
        servers.start()
        yield servers
    finally:
        servers.stop()
