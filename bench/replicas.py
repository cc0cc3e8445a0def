"""What SYNC_REPLICAS costs: webhooks accepted a second with it and without it, on a data server with one replica.

Both take turns. The web process has one core. The data server, its replica and the load generator share the other, and
both servers sync one disk, so the rates are lower than with a machine for each server: only their ratio says something.

Each connection waits for its answer. So few connections measure how much later answers come, and `web` has time to
spare; enough of them measure how many it can take.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import replace
from typing import Final

from bench.data_server import DataServer, fresh_server
from bench.load import Report
from bench.load_process import load
from bench.processes import OTHER_CORE, Started, scratch
from bench.statistics import Spread
from bench.suite import Options, Outcome
from bench.table import table
from bench.targets import Target, ratio
from bench.variants import OURS, VARIANTS, receiver_settings
from bench.waiting import wait_until
from deploy.local import data_server
from deploy.local.ports import free_port

_FASTEST: Final = 20_000
_FEW: Final = 32
_ENOUGH: Final = 128


def run(options: Options) -> Outcome:
    """Measure both, one after the other, in twice as many rounds as others: their difference is small."""
    rounds: dict[tuple[int, int], list[Report]] = {
        (connections, replicas): [] for connections in (_FEW, _ENOUGH) for replicas in (0, 1)
    }
    for number in range(2 * options.rounds):
        for (connections, replicas), found in rounds.items():
            found.append(report := one_round(replicas, connections, 2 if options.quick else 5))
            name = _named(connections, replicas)
            options.say(f"round {number + 1}: {name}: {report.rate:,.0f}/s, p99 {report.p99:.1f} ms")
    rates = {key: Spread.of([report.rate for report in found]) for key, found in rounds.items()}
    p99 = {key: Spread.of([report.p99 for report in found]) for key, found in rounds.items()}
    head = ("accepting webhooks, one replica", "a second", "spread", "p99 ms")
    rows = [
        (_named(*key), rate.median, f"{rate.low:,.0f} to {rate.high:,.0f}", p99[key].median)
        for key, rate in rates.items()
    ]
    return Outcome(
        figures={_named(*key): [rate.median, rate.low, rate.high] for key, rate in rates.items()},
        targets=tuple(
            Target(
                f"replicas: rate with SYNC_REPLICAS=1, against 0, {connections} connections",
                ratio(rates[connections, 1].median, rates[connections, 0].median),
                "at least",
                0.85,
                "×",
            )
            for connections in (_FEW, _ENOUGH)
        ),
        text=table(head, rows),
    )


def _named(connections: int, replicas: int) -> str:
    return f"SYNC_REPLICAS={replicas}, {connections} connections"


def one_round(replicas: int, connections: int, seconds: float) -> Report:
    """Start `web` on an empty data server with a replica, warm it up, load it. Raises ValueError for refusals."""

    def settings(server: DataServer, port: int) -> Mapping[str, str]:
        return {**receiver_settings(server, port), "SYNC_REPLICAS": str(replicas)}

    variant = replace(next(each for each in VARIANTS if each.name == OURS), environment=settings)
    port = free_port()
    with scratch() as folder, fresh_server() as server, a_replica(server), variant.start(server, port):
        load(port, connections=connections, seconds=1, amount=_FASTEST, folder=folder)
        report = load(port, connections=connections, seconds=seconds, amount=int(_FASTEST * seconds), folder=folder)
    accepted = sum(count for status, count in report.by_status.items() if status.startswith("2"))
    if accepted != report.answers or report.broken:
        raise ValueError(f"{_named(connections, replicas)}: {report.by_status}, {report.broken} broken")
    return report


@contextmanager
def a_replica(server: DataServer) -> Iterator[None]:
    """Run a replica of the server, and wait until it follows."""
    with scratch() as folder:
        command = data_server.configure(folder / "replica", port=free_port(), password=server.password)
        command += ["--replicaof", f"127.0.0.1 {server.port}", "--masterauth", server.password]
        with Started("replica", command, core=OTHER_CORE), server.client() as redis:
            wait_until(lambda: _follows(redis.info("replication")), within=30, what="the replica follows")
            yield


def _follows(replication: object) -> bool:
    return isinstance(replication, Mapping) and replication.get("slave0", {}).get("state") == "online"
