"""Honest webhooks while others attack: each sent as Seam does, each answer and its time noted."""

import http.client
import json
import ssl
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field

from tests.proxy.servers import HOST, Proxy
from tests.receiver.process import WebProcess
from tests.receiver.web import event_of, signed
from tests.support.waiting import wait_until

SLOWEST = 2.0
"""Seconds that an honest webhook may take while others attack."""
MOST_GROWTH = 48 * 1024 * 1024
"""Bytes that `web` may grow by while others attack."""
_SENDERS = 3
_PAUSE = 0.02
_PATIENCE = 15.0


@dataclass(slots=True)
class HonestSenders:
    """A few senders that share nothing: half of their webhooks come by a connection that stays, half by a new one."""

    proxy: Proxy
    answers: list[tuple[int, float]] = field(default_factory=list)
    """Status and seconds of each webhook; status 0 where there was no answer."""
    stopping: threading.Event = field(default_factory=threading.Event)

    def send(self) -> None:
        """Send webhooks until told to stop."""
        context = self.proxy.context()
        kept = self._connection(context)
        is_new = False
        while not self.stopping.wait(_PAUSE):
            connection = self._connection(context) if is_new else kept
            body = json.dumps(event_of()).encode()
            headers = {name.decode(): value.decode() for name, value in signed(body)}
            before = time.monotonic()
            try:
                connection.request("POST", "/webhooks/seam", body, headers)
                answer = connection.getresponse()
                answer.read()
                status = answer.status
            except (OSError, http.client.HTTPException):
                status = 0
                connection.close()
            self.answers.append((status, time.monotonic() - before))
            if is_new:
                connection.close()
            is_new = not is_new
        kept.close()

    def wait_for(self, more: int) -> None:
        """Wait until so many more webhooks were answered."""
        enough = len(self.answers) + more
        wait_until(lambda: len(self.answers) >= enough, within=60, what=f"{more} more honest webhooks are answered")

    def _connection(self, context: ssl.SSLContext) -> http.client.HTTPSConnection:
        return http.client.HTTPSConnection(HOST, self.proxy.port, timeout=_PATIENCE, context=context)


@contextmanager
def honest_traffic(proxy: Proxy, web: WebProcess, attack: str) -> Iterator[HonestSenders]:
    """Send honest webhooks meanwhile; then all were accepted, within SLOWEST, and `web` has not grown.

    Prints what was measured under the name of the attack.
    """
    senders = HonestSenders(proxy)
    threads = [threading.Thread(target=senders.send) for _ in range(_SENDERS)]
    before, proxy_before = web.memory(), proxy.memory()
    for thread in threads:
        thread.start()
    try:
        senders.wait_for(20)
        yield senders
        grown, proxy_grown = web.memory() - before, proxy.memory() - proxy_before
    finally:
        senders.stopping.set()
        for thread in threads:
            thread.join(2 * _PATIENCE)
    slowest = max(seconds for _, seconds in senders.answers)
    growth = f"web grew by {_mib(grown)} to {_mib(web.memory())}"
    proxy_growth = f"the proxy by {_mib(proxy_grown)} to {_mib(proxy.memory())}"
    print(  # noqa: T201 - pytest shows it with -rP, and for a test that failed
        f"{proxy.name}, {attack}: {len(senders.answers)} webhooks, slowest {slowest:.3f} s; {growth}, {proxy_growth}"
    )
    assert {status for status, _ in senders.answers} == {202}
    assert slowest <= SLOWEST
    assert grown <= MOST_GROWTH
    assert web.is_alive()
    assert "Traceback" not in web.log()


def _mib(size: int) -> str:
    return f"{size / 2**20:.1f} MiB"
