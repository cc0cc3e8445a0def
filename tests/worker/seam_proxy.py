"""A proxy in front of the sandbox that answers some endpoints itself, before or after Seam has done the call."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

import httpx

from tests.worker.recording_server import Got, Recorder, Reply, recording

PAGE = b"<html><body>404 page not found</body></html>"
UNKNOWN = b'{"error": {"type": "unknown_endpoint", "message": "No such endpoint."}, "ok": false}'


def not_found(error_type: str) -> bytes:
    """Return the body of an error of Seam with this type."""
    return b'{"error": {"type": "%s", "message": "Not found."}, "ok": false}' % error_type.encode()


@dataclass
class SeamProxy:
    """The proxy: `instead` are answers without asking Seam, `after` are answers after Seam did it; `calls` counts."""

    url: str
    instead: dict[str, Reply] = field(default_factory=dict)
    after: dict[str, Reply] = field(default_factory=dict)
    calls: list[str] = field(default_factory=list)

    def count(self, path: str) -> int:
        """Return how often an endpoint was called."""
        return self.calls.count(path)

    def pass_all(self) -> None:
        """Pass everything through again."""
        self.instead.clear()
        self.after.clear()


@contextmanager
def before(seam_url: str) -> Iterator[SeamProxy]:
    """Run a proxy in front of this Seam while the block runs."""
    proxy = SeamProxy("")
    with httpx.Client(base_url=seam_url, timeout=20, trust_env=False) as client:

        def answer(request: Got) -> Reply:
            proxy.calls.append(request.path)
            if request.path in proxy.instead:
                return proxy.instead[request.path]
            names = ("authorization", "content-type")
            headers = {name: request.headers[name] for name in names if name in request.headers}
            answered = client.post(request.path, content=request.body, headers=headers)
            if request.path in proxy.after:
                return proxy.after[request.path]
            kept = {name: answered.headers[name] for name in ("retry-after",) if name in answered.headers}
            return Reply(answered.status_code, answered.content, kept)

        recorder: Recorder
        with recording(answer) as recorder:
            proxy.url = recorder.url
            yield proxy
