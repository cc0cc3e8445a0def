"""Whether the data server keeps what it is given. Processes refuse to start on one that clearly doesn't.

Judged by INFO alone, which managed servers answer too. What it doesn't say is not held against the server: then
`oracode doctor` says what could not be read.
"""

import os
import sys
import threading
from collections.abc import Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any, Final, cast

import structlog
from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import RedisError, ResponseError
from redis.retry import Retry

from shared.settings import InvalidSettings, Settings, exit_with

log = structlog.get_logger("durability")

UNUSABLE: Final = 2
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


def refuse_unsafe_store(settings: Settings) -> None:
    """End this process with 2 on a data server that loses data, unless ALLOW_UNSAFE_STORE says that it may.

    Waits a second at most. A server that doesn't answer by then is judged in the background, when it first answers.
    """
    if settings.allow_unsafe_store:
        return
    client = _client(settings.redis_address)
    problems = _judged(client)
    if problems is None:
        asking = threading.Thread(target=_judge_later, args=(client, _end_process), name="durability", daemon=True)
        asking.start()
    elif problems:
        exit_with(_refusal(problems))


def _judge_later(
    client: Redis, end: Callable[[tuple[StoreProblem, ...]], None], wait: Callable[[float], object] | None = None
) -> None:
    """Ask until there is an answer; call `end` where it is that data would be lost."""
    wait = wait or threading.Event().wait
    while (problems := _judged(client)) is None:
        wait(_ASK_AGAIN_AFTER)
    if problems:
        end(problems)


def _judged(client: Redis) -> tuple[StoreProblem, ...] | None:
    """Return what is wrong with the server; None where it gives no answer that decides."""
    try:
        info: Mapping[str, Any] = cast(Any, client.info())
    except ResponseError:
        # INFO is forbidden to us. Nothing is known, and nothing will be.
        return ()
    except (RedisError, OSError, ValueError):
        return None
    finally:
        with suppress(RedisError, OSError):
            client.close()
    # A replica turns its file off while it copies; the primary is what counts.
    if info.get("role", "master") != "master" or int(info.get("loading", 0)):
        return None
    return store_problems(info)


def _client(url: str) -> Redis:
    return Redis.from_url(
        url,
        decode_responses=True,
        socket_timeout=_FIRST_ANSWER_WITHIN,
        socket_connect_timeout=_FIRST_ANSWER_WITHIN,
        retry=Retry(NoBackoff(), 0),
    )


def _refusal(problems: tuple[StoreProblem, ...]) -> InvalidSettings:
    found = "; ".join(f"{each.subject} is {each.text} ({each.remedy})" for each in problems)
    return InvalidSettings(
        {"REDIS_URL": f"names a data server that loses data: {found}. ALLOW_UNSAFE_STORE=true starts all the same"}
    )


def _end_process(problems: tuple[StoreProblem, ...]) -> None:
    """Say so and end at once: what is accepted from now on may be lost."""
    log.critical("data_server.unsafe", problems=[f"{each.subject} is {each.text}" for each in problems])
    with suppress(SystemExit):
        exit_with(_refusal(problems))
    with suppress(OSError, ValueError):
        sys.stdout.flush()
        sys.stderr.flush()
    os._exit(UNUSABLE)
