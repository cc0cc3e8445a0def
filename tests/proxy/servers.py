"""Caddy and nginx as they are deployed: the very files of `deploy/proxy`, on free ports, as the current user."""

import os
import shutil
import socket
import ssl
import subprocess
from abc import ABC, abstractmethod
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import psutil

from tests.receiver.process import read_all
from tests.support.ports import low_port
from tests.support.waiting import wait_until

FILES: Final = Path(__file__).resolve().parents[2] / "deploy" / "proxy"
HOST: Final = "localhost"
"""The public host name in tests."""
# Loopback addresses, so that clients can be told apart (Linux).
HONEST: Final = "127.0.0.1"
ATTACKER: Final = "127.0.0.66"
BALANCER: Final = "127.0.0.77"
_ANSWER_WITHIN: Final = 40.0


class Proxy(ABC):
    """One proxy server in front of a `web`, spoken to over TLS."""

    name: str
    """Its name for people, and of its program."""
    file: Path
    """What an operator installs."""

    def __init__(self, directory: Path, web_port: int, *, edits: Mapping[str, str] | None = None) -> None:
        """Start it with the lines that an operator would edit: each key of `edits` replaced by its value."""
        directory.mkdir(parents=True, exist_ok=True)
        self.directory = directory
        self.port = low_port()
        self._log = directory / "log"
        self._context: ssl.SSLContext | None = None
        self._configuration = directory / self.file.name
        self._configuration.write_text(edited(self.file.read_text(), {**self._edits(web_port), **(edits or {})}))
        self._environment = self._variables(web_port)
        self.check()
        with self._log.open("wb") as log:
            self._process = subprocess.Popen(self._command(), env=self._environment, stdout=log, stderr=log)
        try:
            wait_until(lambda: self._serves() or self._process.poll() is not None, within=60, what=self.name)
            assert self._process.poll() is None, self.log()
        except BaseException:
            self.stop()
            raise

    @abstractmethod
    def check(self) -> None:
        """Ask the server itself whether its file is valid; fails the test where it isn't."""

    @abstractmethod
    def _edits(self, web_port: int) -> Mapping[str, str]:
        """Return what must be replaced in the file to run it here."""

    @abstractmethod
    def _variables(self, web_port: int) -> Mapping[str, str]:
        """Return the environment that it runs in."""

    @abstractmethod
    def _command(self) -> list[str]:
        """Return what starts it in the foreground."""

    @property
    @abstractmethod
    def certificate(self) -> Path:
        """The certificate that its own is signed by."""

    def stop(self) -> None:
        """End it."""
        self._process.terminate()
        self._process.wait(10)

    def log(self) -> str:
        """Return what it has written."""
        return self._log.read_text(errors="replace")

    def memory(self) -> int:
        """Return the resident memory of all its processes in bytes."""
        main = psutil.Process(self._process.pid)
        return sum(int(each.memory_info().rss) for each in (main, *main.children(recursive=True)))

    def connect_bare(self, source: str = HONEST) -> socket.socket:
        """Open a connection without TLS."""
        return socket.create_connection((HONEST, self.port), timeout=_ANSWER_WITHIN, source_address=(source, 0))

    def connect(self, source: str = HONEST, *, receive_buffer: int | None = None) -> ssl.SSLSocket:
        """Open a connection with TLS."""
        bare = socket.socket()
        try:
            if receive_buffer is not None:
                bare.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive_buffer)
            bare.settimeout(_ANSWER_WITHIN)
            bare.bind((source, 0))
            bare.connect((HONEST, self.port))
            return self.context().wrap_socket(bare, server_hostname=HOST)
        except BaseException:
            bare.close()
            raise

    def context(self) -> ssl.SSLContext:
        """Return what a client trusts: this proxy's certificate alone."""
        if self._context is None:
            self._context = ssl.create_default_context(cafile=self.certificate)
        return self._context

    def raw(self, *pieces: bytes, source: str = HONEST, quiet: float = _ANSWER_WITHIN) -> bytes:
        """Send bytes as they are; return all that is answered until it closes, or is silent for `quiet` seconds."""
        with self.connect(source) as connection:
            try:
                for piece in pieces:
                    connection.sendall(piece)
            except OSError:
                pass  # refused while we were still sending: the answer may be there all the same
            return read_all(connection, quiet=quiet)

    def _serves(self) -> bool:
        try:
            self.connect().close()
        except OSError:
            return False
        return True


class Caddy(Proxy):
    """Caddy, with a certificate of its own for `localhost`."""

    name = "caddy"
    file = FILES / "Caddyfile"

    def check(self) -> None:
        """Run `caddy validate`."""
        command = ["caddy", "validate", "--adapter", "caddyfile", "--config", str(self._configuration)]
        checked = subprocess.run(command, env=self._environment, capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr

    def _edits(self, web_port: int) -> Mapping[str, str]:
        del web_port
        return {}

    def _variables(self, web_port: int) -> Mapping[str, str]:
        return {
            "PATH": os.environ["PATH"],
            "HOME": str(self.directory),
            "XDG_DATA_HOME": str(self.directory),
            "CADDY_ADMIN": f"unix/{self.directory}/admin",
            "PUBLIC_HOST": HOST,
            "HTTPS_PORT": str(self.port),
            "WEB_ADDRESS": f"127.0.0.1:{web_port}",
        }

    def _command(self) -> list[str]:
        return ["caddy", "run", "--adapter", "caddyfile", "--config", str(self._configuration)]

    @property
    def certificate(self) -> Path:
        """Return the root that it made for itself."""
        return self.directory / "caddy/pki/authorities/local/root.crt"


def _caddy_version() -> tuple[int, ...]:
    words = subprocess.run(["caddy", "version"], capture_output=True, text=True, check=True).stdout.split()
    return tuple(int(part) for part in words[0].removeprefix("v").split("-")[0].split("."))


class Nginx(Proxy):
    """nginx, with a certificate made for it."""

    name = "nginx"
    file = FILES / "nginx.conf"

    def __init__(self, directory: Path, web_port: int, *, edits: Mapping[str, str] | None = None) -> None:
        directory.mkdir(parents=True, exist_ok=True)
        make_certificate(directory)
        self.plain_port = low_port()
        super().__init__(directory, web_port, edits=edits)

    def check(self) -> None:
        """Run `nginx -t`."""
        checked = subprocess.run([*self._command(), "-t"], capture_output=True, text=True, check=False)
        assert checked.returncode == 0, checked.stderr

    def log(self) -> str:
        """Return what it has written."""
        return super().log() + (self.directory / "error.log").read_text(errors="replace")

    def _edits(self, web_port: int) -> Mapping[str, str]:
        # An operator changes the host name. Ports, and the directories of Debian's package, are the tests' alone.
        places = "".join(f" {name}_temp_path {self.directory}/{name};" for name in _TEMPORARY)
        return {
            "/etc/letsencrypt/live/hooks.example.com": str(self.directory),
            "hooks.example.com": HOST,
            "server 127.0.0.1:8080;": f"server 127.0.0.1:{web_port};",
            "listen 443 ": f"listen 127.0.0.1:{self.port} ",
            "listen [::]:443 ": f"listen unix:{self.directory}/tls ",
            "listen 80 ": f"listen 127.0.0.1:{self.plain_port} ",
            "listen [::]:80 ": f"listen unix:{self.directory}/plain ",
            "/var/log/nginx": str(self.directory),
            "http {": "http {" + places,
        }

    def _variables(self, web_port: int) -> Mapping[str, str]:
        del web_port
        return {"PATH": os.environ["PATH"]}

    def _command(self) -> list[str]:
        program = find_nginx()
        assert program is not None
        return [program, "-c", str(self._configuration), "-g", f"daemon off; pid {self.directory}/pid;"]

    @property
    def certificate(self) -> Path:
        """Return its certificate, which is signed by itself."""
        return self.directory / "fullchain.pem"


# From this version on the Caddyfile must be changed: docs/reverse-proxy.md.
_OTHER_CADDY: Final = (2, 7)
_TEMPORARY: Final = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
SERVERS: Final[tuple[type[Proxy], ...]] = (Caddy, Nginx)


def missing(server: type[Proxy]) -> str | None:
    """Return why this server can't be run here, to skip by; None where it can."""
    name = server.name
    needed = {name: find_nginx() if server is Nginx else shutil.which(name)}
    if server is Nginx:
        needed["openssl"] = shutil.which("openssl")
    for package, found in needed.items():
        if found is None:
            return f"{package.upper()} IS NOT INSTALLED: nothing about {name} was tested (apt-get install {package})"
    if server is Caddy and (version := _caddy_version()) >= _OTHER_CADDY:
        return f"CADDY IS {version}, NOT DEBIAN'S 2.6: nothing about it was tested (apt-get install caddy)"
    return None


def find_nginx() -> str | None:
    """Return the program; Debian keeps it where only root looks."""
    return shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")


@contextmanager
def running(
    server: type[Proxy], directory: Path, web_port: int, *, edits: Mapping[str, str] | None = None
) -> Iterator[Proxy]:
    """Run a server in front of `web_port`, and end it."""
    proxy = server(directory, web_port, edits=edits)
    try:
        yield proxy
    finally:
        proxy.stop()


def edited(text: str, edits: Mapping[str, str]) -> str:
    """Return a configuration with its lines changed; fails the test where there is nothing to change."""
    for before, after in edits.items():
        assert before in text, f"nothing to edit: {before}"
        text = text.replace(before, after)
    return text


def make_certificate(directory: Path) -> None:
    """Write a certificate for HOST that is signed by itself, under the names that certbot uses."""
    command = ["openssl", "req", "-x509", "-nodes", "-days", "2"]
    command += ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1"]
    command += ["-subj", f"/CN={HOST}", "-addext", f"subjectAltName=DNS:{HOST}"]
    command += ["-keyout", str(directory / "privkey.pem"), "-out", str(directory / "fullchain.pem")]
    subprocess.run(command, check=True, capture_output=True)
