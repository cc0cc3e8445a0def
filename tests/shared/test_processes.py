"""Signs of life: who lives, who is missing, who started again; and what was refused in the last hour."""

import json
import threading
from datetime import timedelta

import pytest
from redis import Redis
from redis.exceptions import ConnectionError as NoConnection

from shared import redis_keys
from shared.ledger.auth_failures import AuthFailureLedger
from shared.ledger.processes import ProcessIdentity, ProcessSigns, SeenProcess
from shared.liveness.fleet import DEAD_AFTER, PROCESSES, WEB, WORKER, ProcessGroup, groups_of
from shared.liveness.sign_of_life import SignOfLife, this_process
from shared.replicas import begin_step
from shared.stream_backlog import backlog_of
from shared.streams import GROUP, acknowledge, ensure_group
from tests.shared.keys import wrong_keys
from tests.shared.stories import NOW
from tests.support.waiting import wait_until

A_MINUTE = timedelta(minutes=1)


def started(process: str = WEB, *, ago: timedelta = timedelta(days=1), pid: int = 1) -> ProcessIdentity:
    """Return who a process is."""
    return ProcessIdentity(process=process, host="h", pid=pid, version="1.2.3", started_at=NOW - ago)


def seen(process: str = WEB, *, silent_for: timedelta = timedelta(), ago: timedelta = timedelta(days=1)) -> SeenProcess:
    """Return a process that started `ago` and gave its last sign `silent_for` ago."""
    return SeenProcess(identity=started(process, ago=ago), silent_for=silent_for)


def group(name: str, *found: SeenProcess) -> ProcessGroup:
    """Return how the processes of one name stand."""
    return next(each for each in groups_of(found, NOW) if each.process == name)


def test_a_sign_tells_who_lives_and_since_when(redis_client: Redis) -> None:
    """One entry a start, however often it signs; judged by the data server's clock alone."""
    signs = ProcessSigns(redis_client)
    for _ in range(3):
        signs.sign(started())
    signs.sign(started(WORKER, pid=2))
    found = {each.identity.process: each for each in signs.seen()}
    assert found[WEB].identity == started()
    assert found[WEB].silent_for <= timedelta(seconds=1)
    assert redis_client.zcard(redis_keys.PROCESSES) == 2
    assert wrong_keys(redis_client) == []


def test_what_is_kept_is_bounded(redis_client: Redis) -> None:
    """A crash loop leaves a thousand entries, and a week of silence none."""
    seconds, _ = redis_client.time()
    old = redis_keys.PROCESSES_FOR.total_seconds() + 5
    redis_client.zadd(redis_keys.PROCESSES, {"long ago": seconds - old})
    redis_client.zadd(redis_keys.PROCESSES, {f"start {number}": seconds - 60 for number in range(1_200)})
    ProcessSigns(redis_client).sign(started())
    assert redis_client.zcard(redis_keys.PROCESSES) == 1_000
    assert redis_client.zscore(redis_keys.PROCESSES, "long ago") is None
    assert [each.identity for each in ProcessSigns(redis_client).seen()] == [started()]


@pytest.mark.parametrize("member", ["", "[]", "{}", '{"process": "web", "pid": "x"}', json.dumps({"process": "web"})])
def test_what_another_version_wrote_is_passed_over(redis_client: Redis, member: str) -> None:
    """It is no reason to show nothing of the others."""
    redis_client.zadd(redis_keys.PROCESSES, {member: 1})
    ProcessSigns(redis_client).sign(started())
    assert [each.identity for each in ProcessSigns(redis_client).seen()] == [started()]


@pytest.mark.parametrize(
    ("silent_for", "alive", "missing"),
    [
        pytest.param(DEAD_AFTER, 1, False, id="three signs late"),
        pytest.param(DEAD_AFTER + timedelta(seconds=1), 0, True, id="later than that"),
    ],
)
def test_who_is_missing(silent_for: timedelta, alive: int, *, missing: bool) -> None:
    """A process that gave its last sign too long ago; one that never gave any is not seen, and not missing."""
    it = group(WEB, seen(silent_for=silent_for))
    assert (len(it.alive), it.is_missing, it.silent_for) == (alive, missing, silent_for)
    never = group(WORKER, seen())
    assert (never.alive, never.is_missing, never.silent_for) == ((), False, None)


@pytest.mark.parametrize(
    ("found", "webhook_ago", "standing"),
    [
        pytest.param([seen()], 1, "alive", id="it gives signs"),
        pytest.param([seen(silent_for=A_MINUTE)], 1, "unknown", id="another one works without signs"),
        pytest.param([seen(silent_for=A_MINUTE)], 45, "missing", id="its last work before it died"),
        pytest.param([seen(silent_for=A_MINUTE)], None, "missing", id="nobody works"),
        pytest.param([], 600, "unknown", id="it never gave signs, and works"),
        pytest.param([], None, "not seen", id="it was never there"),
    ],
)
def test_a_web_of_an_older_version_is_unknown(found: list[SeenProcess], webhook_ago: int | None, standing: str) -> None:
    """It gives no signs of life, and takes webhooks. What was taken just after the last sign, its giver took."""
    webhook_at = NOW - timedelta(seconds=webhook_ago) if webhook_ago is not None else None
    it, worker, *_ = groups_of(found, NOW, webhook_at=webhook_at)
    which = {"alive": bool(it.alive), "unknown": it.is_unknown, "missing": it.is_missing}
    assert [name for name, holds in which.items() if holds] == ([] if standing == "not seen" else [standing])
    assert not worker.is_unknown


RESTARTS = {
    "none": ([seen()], 0),
    "one more for the load": ([seen(), seen(ago=A_MINUTE)], 0),
    "one took the place of another": ([seen(silent_for=A_MINUTE), seen(ago=A_MINUTE)], 1),
    "that was longer than an hour ago": ([seen(silent_for=timedelta(hours=2)), seen(ago=timedelta(hours=2))], 0),
    "again and again": ([*(seen(silent_for=A_MINUTE, ago=A_MINUTE) for _ in range(4)), seen(ago=A_MINUTE)], 4),
    "it ended, and nobody started it": ([seen(silent_for=A_MINUTE, ago=3 * A_MINUTE)], 0),
    "it ended after another had started": ([seen(silent_for=A_MINUTE), seen(ago=5 * A_MINUTE)], 0),
}


@pytest.mark.parametrize(("found", "restarts"), RESTARTS.values(), ids=RESTARTS)
def test_restarts_of_the_last_hour(found: list[SeenProcess], restarts: int) -> None:
    """Starts that took the place of what ended."""
    assert group(WEB, *found).restarts == restarts


def test_the_processes_of_the_procfile_come_first() -> None:
    """Each of them, seen or not; then whatever else signs."""
    names = [each.process for each in groups_of([seen("another")], NOW)]
    assert names == [*PROCESSES, "another"]


def test_a_thread_gives_signs_and_takes_notes_along(redis_client: Redis) -> None:
    """The first at once; while the data server is away it goes on, and signs again afterwards."""
    noted: list[str] = []
    fails = threading.Event()

    def note() -> None:
        noted.append("x")
        if fails.is_set():
            raise NoConnection

    life = SignOfLife(redis_client, this_process(WEB), also=[note], every=timedelta(milliseconds=10))
    stopping = threading.Event()
    thread = threading.Thread(target=life.run, args=(stopping,))
    thread.start()
    try:
        wait_until(lambda: ProcessSigns(redis_client).seen(), what="the first sign")
        fails.set()
        before = len(noted)
        wait_until(lambda: len(noted) > before + 2, what="it goes on")
        fails.clear()
        redis_client.delete(redis_keys.PROCESSES)
        (found,) = wait_until(lambda: ProcessSigns(redis_client).seen(), what="the next sign")
    finally:
        stopping.set()
        thread.join()
    assert found.identity.process == WEB
    assert found.identity.version


def test_failed_tries_of_an_hour(redis_client: Redis) -> None:
    """Added up by reason over all `web`, with the last moment; what is older than an hour is left out."""
    failures = AuthFailureLedger(redis_client)
    for ago, count in ((timedelta(hours=2), 100), (timedelta(minutes=40), 2), (A_MINUTE, 3)):
        failures.add({"wrong_signature": count}, {"wrong_signature": NOW - ago})
    failures.add({"too_old": 1}, {"too_old": NOW})
    found = [(it.reason, it.count, it.last_at) for it in failures.last_hour(NOW)]
    assert found == [("wrong_signature", 5, NOW - A_MINUTE), ("too_old", 1, NOW)]
    assert wrong_keys(redis_client) == []


def test_a_backlog_tells_unread_entries_and_since_when(redis_client: Redis) -> None:
    """What no worker has read is told apart from what one has in hand; without a group all is unread."""
    stream = "booking-created"
    assert backlog_of(redis_client, stream).length == 0
    ids = [f"{1_000 * number}-0" for number in (1, 2, 3)]
    for entry_id in ids:
        redis_client.xadd(stream, {"message": "{}"}, id=entry_id)
    alone = backlog_of(redis_client, stream)
    assert (alone.unread, alone.in_hand) == (3, 0)
    assert alone.oldest_unread_at == alone.oldest_at
    ensure_group(redis_client, stream)
    redis_client.xreadgroup(GROUP, "c", {stream: ">"}, count=2)
    some = backlog_of(redis_client, stream)
    assert (some.unread, some.in_hand, some.length) == (1, 2, 3)
    assert [moment.timestamp() for moment in (some.oldest_at, some.oldest_unread_at) if moment] == [1, 3]
    redis_client.xreadgroup(GROUP, "c", {stream: ">"})
    assert backlog_of(redis_client, stream).oldest_unread_at is None
    acknowledge(redis_client, stream, ids, step=begin_step(redis_client))
    assert backlog_of(redis_client, stream).length == 0
