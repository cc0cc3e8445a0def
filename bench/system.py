"""Our own processes, started as in the Procfile, each on the core that the measurement asks for."""

import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx
from redis import Redis

from bench.data_server import DataServer
from bench.processes import OTHER_CORE, SERVER_CORE, Started
from deploy.local.ports import free_port
from shared import redis_keys
from shared.clock import system_clock
from shared.ledger.bookings import BookingLedger
from shared.ledger.due_set import DueSet
from shared.redis_client import connect
from shared.streams import GROUP

EVENT_STREAM: Final = "seam-events"
BOOKING_STREAM: Final = "booking-created"
_KEY: Final = "seam_bench_key"


@dataclass(frozen=True, slots=True)
class Sandbox:
    """A running stand-in for Seam."""

    process: Started
    url: str

    def ask(self, method: str, path: str, body: Any = None) -> Any:
        """Call a path of the stand-in. Raises httpx.HTTPError."""
        headers = {"authorization": f"Bearer {_KEY}"}
        answer = httpx.request(method, f"{self.url}{path}", json=body, headers=headers, timeout=60, trust_env=False)
        answer.raise_for_status()
        return answer.json()

    def add_doors(self, amount: int, prefix: int) -> list[str]:
        """Add doors with one hotel slot each and return their ids."""
        found = [f"{prefix:08x}-0000-4000-8000-{number:012}" for number in range(amount)]
        slots = [{"name": "Hotel", "check_in": "16:00", "check_out": "10:00"}]
        with httpx.Client(base_url=self.url, timeout=60, trust_env=False) as client:
            for device_id in found:
                body = {"device_id": device_id, "name": "Room", "slots": slots}
                client.post("/sandbox/devices", json=body).raise_for_status()
        return found

    def calls(self) -> dict[str, int]:
        """Return how many successful answers each path has given so far."""
        counts = self.ask("GET", "/sandbox/stats")["by_path_and_status"]
        return {
            path: sum(count for status, count in by_status.items() if str(status).startswith("2"))
            for path, by_status in counts.items()
        }


@contextmanager
def sandbox(*, latency: float) -> Iterator[Sandbox]:
    """Lend a stand-in for Seam that takes so many seconds for every answer. Its codes never become set."""
    port = free_port()
    command = [sys.executable, "-m", "deploy.sandbox", "--port", str(port), "--api-key", _KEY]
    with Started("sandbox", command, core=OTHER_CORE) as process:
        it = Sandbox(process, f"http://127.0.0.1:{port}")
        process.until(lambda: httpx.get(f"{it.url}/health", trust_env=False).is_success)
        # A code that becomes set sends events, which would disturb the measurement.
        it.ask("POST", "/sandbox/settings", {"latency_seconds": latency, "step_seconds": 3600, "rate_limits": False})
        yield it


@contextmanager
def worker(
    server: DataServer,
    seam_url: str,
    *,
    core: int | None = SERVER_CORE,
    settings: Mapping[str, str] | None = None,
    name: str = "worker",
) -> Iterator[Started]:
    """Run one worker while the block runs."""
    command = [sys.executable, "-m", "worker", "worker"]
    environment = {
        "REDIS_URL": server.url,
        "SEAM_API_KEY": _KEY,
        "SEAM_ENDPOINT": seam_url,
        "LOG_LEVEL": "warning",
        "DOOR_CACHE_FOR": "10m",
        **(settings or {}),
    }
    with server.client() as redis, Started(name, command, environment, core=core) as it:
        it.until(lambda: is_reading(redis))
        yield it


def is_reading(redis: Redis) -> bool:
    """Say whether a worker reads both streams."""
    groups: Any = [redis.xinfo_groups(stream) for stream in (EVENT_STREAM, BOOKING_STREAM)]
    return all(any(each["name"] == GROUP for each in found) for found in groups)


def ledger_of(server: DataServer) -> BookingLedger:
    """Return the ledger, as a worker assembles it."""
    redis = connect(server.url)
    due = DueSet(redis, lease=timedelta(minutes=1))
    return BookingLedger(redis, due=due, clock=system_clock, retention=timedelta(days=90))


def age_the_ledger(redis: Redis) -> None:
    """Make the ledger look old: for a new one, the worker looks at Seam more than once before it makes a code."""
    redis.set(redis_keys.LEDGER_EPOCH, "bench@0")
