"""Small packages made by a test, and an index on loopback that serves them and notes what it is asked for."""

import hashlib
import http.server
import threading
import zipfile
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path


@dataclass(frozen=True, slots=True)
class Package:
    """A release of a package with a script of its name; `extras` maps an extra's name to what it requires."""

    name: str
    version: str
    requires: Sequence[str] = ()
    extras: dict[str, Sequence[str]] = field(default_factory=dict)

    @property
    def filename(self) -> str:
        """The wheel's name."""
        return f"{self.name}-{self.version}-py3-none-any.whl"

    def metadata(self) -> str:
        """Return what the wheel says of itself."""
        lines = ["Metadata-Version: 2.1", f"Name: {self.name}", f"Version: {self.version}"]
        lines += [f"Requires-Dist: {requirement}" for requirement in self.requires]
        for extra, requirements in self.extras.items():
            lines.append(f"Provides-Extra: {extra}")
            lines += [f'Requires-Dist: {requirement}; extra == "{extra}"' for requirement in requirements]
        return "\n".join([*lines, ""])

    def write(self, directory: Path) -> str:
        """Write the wheel below `directory`; return the hash that a lock gives for it."""
        path = directory / self.name / self.filename
        path.parent.mkdir(parents=True, exist_ok=True)
        about = f"{self.name}-{self.version}.dist-info"
        files = {
            f"{self.name}.py": f"def main():\n    print('{self.version}')\n",
            f"{about}/entry_points.txt": f"[console_scripts]\n{self.name} = {self.name}:main\n",
            f"{about}/METADATA": self.metadata(),
            f"{about}/WHEEL": "Wheel-Version: 1.0\nGenerator: tests\nRoot-Is-Purelib: true\nTag: py3-none-any\n",
        }
        record = "".join(f"{name},,\n" for name in [*files, f"{about}/RECORD"])
        with zipfile.ZipFile(path, "w") as wheel:
            for name, text in {**files, f"{about}/RECORD": record}.items():
                wheel.writestr(name, text)
        return hashlib.sha256(path.read_bytes()).hexdigest()


class Index:
    """A package index in a directory; a folder's listing is a page of the simple API."""

    def __init__(self, directory: Path, url: str) -> None:
        self.directory = directory
        self.url = url
        self.asked: set[str] = set()
        self.is_answering = threading.Event()
        self.is_answering.set()
        self._hashes: dict[str, str] = {}

    def publish(self, *packages: Package) -> None:
        """Put releases on the index."""
        for package in packages:
            self._hashes[package.filename] = package.write(self.directory)

    def lock(self, *packages: Package) -> str:
        """Return a lock of these published releases, as `make lock` writes them."""
        return "".join(
            f"{one.name}=={one.version} \\\n    --hash=sha256:{self._hashes[one.filename]}\n" for one in packages
        )


class _Handler(http.server.SimpleHTTPRequestHandler):
    def __init__(self, *args: object, index: Index, **options: object) -> None:
        self._index = index
        super().__init__(*args, directory=str(index.directory), **options)  # type: ignore[arg-type]

    def do_GET(self) -> None:
        self._index.asked.add(self.path.strip("/"))
        self._index.is_answering.wait()
        super().do_GET()

    def log_message(self, *args: object) -> None:
        """Say nothing."""


@contextmanager
def serve(directory: Path) -> Iterator[Index]:
    """Serve an empty index until the block ends."""
    server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), http.server.SimpleHTTPRequestHandler)
    index = Index(directory, f"http://127.0.0.1:{server.server_port}")
    server.RequestHandlerClass = partial(_Handler, index=index)
    thread = threading.Thread(target=server.serve_forever, args=(0.05,))
    thread.start()
    try:
        yield index
    finally:
        index.is_answering.set()
        server.shutdown()
        thread.join()
        server.server_close()
