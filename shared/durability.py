"""Whether the data server keeps what it is given. Processes refuse to start on one that clearly doesn't.

A Cluster is refused too: it couldn't run our scripts. Judged by INFO alone, which managed servers answer too. What it
doesn't say is not held against the server: then `oracode doctor` says what could not be read.
"""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from functools import partial
from typing import Any, Final, cast

import structlog
from redis import Redis
from redis.exceptions import RedisError, ResponseError

from shared.redis_client import connect
from shared.settings import InvalidSettings, Settings, exit_with

log = structlog.get_logger("durability")

UNUSABLE: Final = 2
CLUSTER_REFUSED: Final = (
    "names a Cluster, which can't be used: a booking, its indexes and its due time are written in one step, and a"
    " Cluster keeps their keys on different nodes; use a server with cluster mode off, with replicas and Sentinels"
    " (docs/failover.md)"
)
# A data server that is away must not hold up the start: a process is needed as soon as the server is back.
_FIRST_ANSWER_WITHIN: Final = 1.0
_ASK_AGAIN_AFTER: Final = 1.0


@dataclass(frozen=True, slots=True)
class StoreProblem:
    """One way in which a data server loses data, and what ends it."""

    subject: str
    text: str
    remedy: str


def store_problems(info: Mapping[str, Any]) -> tuple[StoreProblem, ...]:
    """Return how a server loses what it was given, by its own INFO; nothing for what INFO doesn't say."""
    found: list[StoreProblem] = []
    if int(info.get("aof_enabled", 1)) != 1:
        remedy = "CONFIG SET appendonly yes, and in its configuration file"
        found.append(StoreProblem("append-only file", "off: a crash loses bookings", remedy))
    policy = str(info.get("maxmemory_policy", "noeviction"))
    if policy != "noeviction":
        remedy = "CONFIG SET maxmemory-policy noeviction, and in its configuration file"
        found.append(StoreProblem("eviction policy", f"{policy}: a full server throws bookings away", remedy))
    return tuple(found)


def refusal_of(info: Mapping[str, Any], *, allow_unsafe: bool) -> str | None:
    """Return why no process starts on a server that says this of itself; None where it may be used."""
    if int(info.get("cluster_enabled", 0)):
        return CLUSTER_REFUSED
    problems = () if allow_unsafe else store_problems(info)
    if not problems:
        return None
    found = "; ".join(f"{each.subject} is {each.text} ({each.remedy})" for each in problems)
    return f"names a data server that loses data: {found}. ALLOW_UNSAFE_STORE=true starts all the same"


def refuse_unsafe_store(settings: Settings) -> None:
    """End this process with 2 on a Cluster, and on a server that loses data unless ALLOW_UNSAFE_STORE says it may.

    Waits a second or two. A server that doesn't answer by then is judged in the background, when it first answers.
    """
    client = connect(settings.redis_address, answer_within=_FIRST_ANSWER_WITHIN, connect_within=_FIRST_ANSWER_WITHIN)
    judge = partial(_judged, client, allow_unsafe=settings.allow_unsafe_store)
    refusal = judge()
    if refusal is None:
        asking = threading.Thread(target=_judge_later, args=(judge, _end_process), name="durability", daemon=True)
        asking.start()
    elif refusal:
        exit_with(InvalidSettings({"REDIS_URL": refusal}))


def _judge_later(
    judge: Callable[[], str | None], end: Callable[[str], None], wait: Callable[[float], object] | None = None
) -> None:
    """Ask until there is an answer; call `end` where it is a refusal."""
    wait = wait or threading.Event().wait
    while (refusal := judge()) is None:
        wait(_ASK_AGAIN_AFTER)
    if refusal:
        end(refusal)


def _judged(client: Redis, *, allow_unsafe: bool) -> str | None:
    """Return why the server is refused, "" where it isn't; None where it gives no answer that decides."""
    try:
        info: Mapping[str, Any] = cast(Any, client.info())
    except ResponseError:
        # INFO is forbidden to us. Nothing is known, and nothing will be.
        return ""
    except (RedisError, OSError, ValueError):
        return None
    finally:
        with suppress(RedisError, OSError):
            client.close()
    # A replica turns its file off while it copies; the primary is what counts.
    if info.get("role", "master") != "master" or int(info.get("loading", 0)):
        return None
    return refusal_of(info, allow_unsafe=allow_unsafe) or ""


def _end_process(refusal: str) -> None:
    """Say so and end at once: what is accepted from now on may be lost."""
    log.critical("data_server.refused", why=refusal)
    with suppress(SystemExit):
        exit_with(InvalidSettings({"REDIS_URL": refusal}))
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(UNUSABLE)
