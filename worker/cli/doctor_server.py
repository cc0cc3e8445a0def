"""Whether a data server keeps what it is given: judged by what it says of itself (INFO, CONFIG), and by its disk."""

import shutil
from collections.abc import Iterable, Iterator, Mapping
from datetime import timedelta
from typing import Any, Final

from redis.exceptions import NoPermissionError, RedisError
from redis.sentinel import MasterNotFoundError

from shared.domain.alerting.clock_skew import is_skewed, show_skew
from shared.durability import CLUSTER_REFUSED, StoreProblem, store_problems
from shared.ledger.clocks import ClockReading
from shared.redis_client import connect
from worker.cli.findings import Finding

OLDEST_SERVER: Final = (6, 2)
_THIS_MACHINE: Final = ("127.0.0.1", "::1", "localhost")
# Past this share of its memory a server is about to refuse writes; there should be time to do something.
_NEARLY_FULL: Final = 0.8
# What to do where a managed server doesn't answer.
_PROVIDER: Final = "look in the provider's settings, and in docs/managed-servers.md"
# How far clocks may differ, in seconds: before a warning, and before a failure.
_CLOSE: Final = 2.0
_FAR: Final = 10.0
# In seconds; replicas answer once a second.
_LARGEST_LAG: Final = 5
_MIB: Final = 1024 * 1024
# The server rewrites its file by itself, which takes the same space once more; and logs often share its disk.
_COMFORTABLE: Final = 1024 * _MIB
_TIGHT: Final = 128 * _MIB

# Shorter than those of the processes, and used twice: somebody waits for the answer.
_CONNECT_WITHIN: Final = 1.0
_ANSWER_WITHIN: Final = 1.5


def unusable(url: str) -> Finding | None:
    """Ask the server once whether it lives; return what is wrong, None where it answers. Takes 3 seconds at most."""
    with connect(url, answer_within=_ANSWER_WITHIN, connect_within=_CONNECT_WITHIN) as client:
        try:
            client.ping()
        except NoPermissionError:
            return None
        except MasterNotFoundError:
            # Its text is the library's own view of each Sentinel, hundreds of characters long.
            remedy = "a failover takes some seconds; if it lasts, look at the Sentinels and the data servers"
            return Finding(
                "data server", "bad", "no Sentinel of REDIS_URL names a primary: nothing is accepted", remedy
            )
        except (RedisError, OSError) as error:
            remedy = "is it running, and is REDIS_URL right? Without it nothing is accepted, and all waits"
            return Finding("data server", "bad", f"can't be used: {type(error).__name__}: {error}", remedy)
    return None


def judge_disk(free: int, file: int) -> Finding:
    """Judge the disk below a server's append-only file; both in bytes.

    A server that can't write its file any more ends (fsync always) or refuses writes: all waits until there is room.
    """
    text = f"{free / _MIB:,.0f} MiB free, the append-only file has {file / _MIB:,.0f} MiB"
    if free >= max(_COMFORTABLE, 2 * file):
        return Finding("disk", "ok", text)
    remedy = "make room on the data server's disk: when it is full nothing is accepted any more, and all waits"
    return Finding("disk", "bad" if free < max(_TIGHT, file) else "warn", text, remedy)


def free_beside(address: Mapping[str, Any], directory: str) -> int | None:
    """Return how many bytes are free where a server on this machine keeps its file; None where that can't be known."""
    is_here = "path" in address or address.get("host") in _THIS_MACHINE
    if not is_here or not directory:
        return None
    try:
        return shutil.disk_usage(directory).free
    except OSError:
        return None


def judge(
    info: Mapping[str, Any], config: Mapping[str, str], *, allow_unsafe: bool = False, sync_replicas: int = 0
) -> Iterator[Finding]:
    """Yield a finding for each property. `config` and `info` are empty where they may not be asked (managed servers).

    `allow_unsafe`: what loses data was allowed by ALLOW_UNSAFE_STORE, so it is a warning. `sync_replicas` is
    SYNC_REPLICAS.
    """
    problems = {each.subject: _loses(each, allow_unsafe=allow_unsafe) for each in store_problems(info)}
    yield _version(info)
    if int(info.get("cluster_enabled", 0)):
        yield Finding("cluster mode", "bad", f"REDIS_URL {CLUSTER_REFUSED}", "see docs/failover.md")
    yield from _role(info)
    yield from _replicas(info, sync_replicas)
    yield from _persistence(info, config, problems.get("append-only file"))
    yield from _memory(info, problems.get("eviction policy"))


def _loses(problem: StoreProblem, *, allow_unsafe: bool) -> Finding:
    if allow_unsafe:
        return Finding(problem.subject, "warn", f"{problem.text} (ALLOW_UNSAFE_STORE is set)", problem.remedy)
    return Finding(problem.subject, "bad", f"{problem.text}; no process starts on it", problem.remedy)


def _not_read(subject: str, must_hold: str) -> Finding:
    return Finding(subject, "warn", "can't be asked here: the server doesn't tell us", f"{must_hold}; {_PROVIDER}")


def _version(info: Mapping[str, Any]) -> Finding:
    version = str(info.get("valkey_version") or info.get("redis_version", "unknown"))
    parts = version.split(".")[:2]
    if not all(part.isdigit() for part in parts):
        return Finding("data server version", "warn", version, "6.2 or later is needed; look which one this is")
    if tuple(map(int, parts)) < OLDEST_SERVER:
        return Finding("data server version", "bad", version, "upgrade to 6.2 or later")
    return Finding("data server version", "ok", version)


def _role(info: Mapping[str, Any]) -> Iterator[Finding]:
    if "role" not in info:
        yield _not_read("role", "it must be the primary")
    elif info["role"] != "master":
        yield Finding("role", "bad", "it is a replica and takes no writes", "point REDIS_URL at the primary")
    if int(info.get("loading", 0)):
        yield Finding("role", "bad", "it is still reading its file and answers nothing", "wait until it is done")


def judge_clock(ahead: timedelta) -> Finding:
    """Judge this machine's clock, by how far it is ahead of the data server's.

    A create in doubt is looked up by the clock of the worker that looks: two clocks may differ by no more than
    `SETTLE_MARGIN` of `worker.assembly.resources`.
    """
    seconds = abs(ahead.total_seconds())
    text = f"{seconds:,.1f} s {'ahead of' if ahead > timedelta() else 'behind'} the data server's"
    if seconds <= _CLOSE:
        return Finding("clock", "ok", text)
    remedy = "have both machines keep time (timedatectl must say synchronized); see docs/failover.md"
    return Finding("clock", "bad" if seconds > _FAR else "warn", text, remedy)


def judge_clocks(readings: Iterable[ClockReading]) -> Iterator[Finding]:
    """Judge the clocks of all processes and of who signs webhooks, by what was noted of them lately."""
    listed = list(readings)
    far = [each for each in listed if abs(each.ahead).total_seconds() > _CLOSE and not each.is_of_sender]
    late = [each for each in listed if each.is_of_sender and is_skewed(each.ahead)]
    if listed and not (far or late):
        yield Finding("all clocks", "ok", f"{len(listed)} are close to the data server's")
    for each in far:
        is_bad = abs(each.ahead).total_seconds() > _FAR
        remedy = "have its machine keep time (timedatectl must say synchronized); see docs/failover.md"
        yield Finding(f"clock of {each.name}", "bad" if is_bad else "warn", show_skew(each.ahead), remedy)
    for each in late:
        remedy = "beyond 5 minutes its webhooks are refused; if our clocks are right it is for the sender to mend"
        yield Finding(f"clock of {each.name}", "bad", show_skew(each.ahead), remedy)


def _replicas(info: Mapping[str, Any], needed: int) -> Iterator[Finding]:
    """Judge the replicas, where there are some or some are needed."""
    listed = [value for name, value in info.items() if name.startswith("slave") and isinstance(value, Mapping)]
    if not needed and not listed:
        return
    in_step = sum(each.get("state") == "online" and int(each.get("lag", 0)) <= _LARGEST_LAG for each in listed)
    text = f"{in_step} of {len(listed)} in step, SYNC_REPLICAS needs {needed}"
    if in_step < needed:
        remedy = "repair the replica or its link: until then nothing is accepted"
        yield Finding("replicas", "bad", text, remedy)
    elif in_step < len(listed):
        yield Finding("replicas", "warn", text, "repair the other: as it is, it could not take over")
    else:
        yield Finding("replicas", "ok", text)


def _persistence(info: Mapping[str, Any], config: Mapping[str, str], problem: Finding | None) -> Iterator[Finding]:
    if problem is not None:
        yield problem
    elif "aof_enabled" not in info:
        yield _not_read("append-only file", "there must be one, or what is as good")
    else:
        yield Finding("append-only file", "ok", "on")
        yield _fsync(config.get("appendfsync"))
        if info.get("aof_last_write_status", "ok") != "ok":
            yield Finding("append-only file", "bad", "its last write failed", "make room on the server's disk")
        if info.get("aof_last_bgrewrite_status", "ok") != "ok":
            yield Finding("append-only file", "warn", "it can't be rewritten, and grows", "look at the server's log")
    if info.get("rdb_last_bgsave_status", "ok") != "ok":
        remedy = 'make room on the server\'s disk; or CONFIG SET save "": the append-only file is enough'
        yield Finding("snapshot", "bad", "the last one failed, so the server may refuse writes", remedy)


def _fsync(policy: str | None) -> Finding:
    match policy:
        case "always":
            return Finding("fsync", "ok", "always: what was accepted is on disk")
        case "everysec":
            remedy = "CONFIG SET appendfsync always, and in its configuration file: it costs little under load"
            return Finding("fsync", "warn", "everysec: a power cut loses up to a second of what was accepted", remedy)
        case None:
            return _not_read("fsync", "appendfsync always is right, everysec may lose a second")
        case other:
            remedy = "CONFIG SET appendfsync always, and in its configuration file"
            return Finding("fsync", "bad", f"{other}: a power cut loses what the disk wasn't given yet", remedy)


def _memory(info: Mapping[str, Any], problem: Finding | None) -> Iterator[Finding]:
    if problem is not None:
        yield problem
    elif "maxmemory_policy" not in info:
        yield _not_read("eviction policy", "it must be noeviction")
    else:
        yield Finding("eviction policy", "ok", str(info["maxmemory_policy"]))
    most, used = int(info.get("maxmemory", 0)), int(info.get("used_memory", 0))
    if most and used >= most:
        yield Finding("memory", "bad", "it is full and refuses writes", "raise maxmemory")
    elif most and used > _NEARLY_FULL * most:
        yield Finding("memory", "warn", f"{used * 100 // most} % of maxmemory are used", "raise maxmemory")
