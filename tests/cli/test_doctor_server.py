"""What the doctor says of a data server: a table over what the server says of itself, and a real one."""

from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from redis import Redis

from worker.cli.doctor_server import free_beside, judge, judge_clock, judge_disk

GOOD: dict[str, Any] = {
    "redis_version": "7.2.4",
    "role": "master",
    "aof_enabled": 1,
    "aof_last_write_status": "ok",
    "aof_last_bgrewrite_status": "ok",
    "rdb_last_bgsave_status": "ok",
    "maxmemory_policy": "noeviction",
    "maxmemory": 0,
    "used_memory": 10,
}
GIB = 1024**3
ALWAYS = {"appendfsync": "always"}


def test_a_good_server_is_well() -> None:
    """Every line is ok and none has a remedy."""
    found = list(judge(GOOD, ALWAYS))
    assert {each.subject for each in found} == {"data server version", "append-only file", "fsync", "eviction policy"}
    assert {(each.verdict, each.remedy) for each in found} == {("ok", "")}


@pytest.mark.parametrize(
    ("says", "config", "subject", "verdict"),
    [
        pytest.param({"redis_version": "6.0.16"}, ALWAYS, "data server version", "bad", id="too-old"),
        pytest.param({"redis_version": "ff.1"}, ALWAYS, "data server version", "warn", id="no-version"),
        pytest.param({"role": "slave"}, ALWAYS, "role", "bad", id="a-replica"),
        pytest.param({"loading": 1}, ALWAYS, "role", "bad", id="loading"),
        pytest.param({"cluster_enabled": 1}, ALWAYS, "cluster mode", "bad", id="a-cluster"),
        pytest.param({"slave0": {"state": "online", "lag": 60}}, ALWAYS, "replicas", "warn", id="a-replica-behind"),
        pytest.param({"aof_enabled": 0}, ALWAYS, "append-only file", "bad", id="no-append-only-file"),
        pytest.param({"aof_last_write_status": "err"}, ALWAYS, "append-only file", "bad", id="disk-full"),
        pytest.param({"aof_last_bgrewrite_status": "err"}, ALWAYS, "append-only file", "warn", id="no-rewrite"),
        pytest.param({"rdb_last_bgsave_status": "err"}, ALWAYS, "snapshot", "bad", id="misconf"),
        pytest.param({}, {"appendfsync": "everysec"}, "fsync", "warn", id="everysec"),
        pytest.param({}, {"appendfsync": "no"}, "fsync", "bad", id="no-fsync"),
        pytest.param({}, {}, "fsync", "warn", id="config-forbidden"),
        pytest.param({"maxmemory_policy": "allkeys-lru"}, ALWAYS, "eviction policy", "bad", id="evicts"),
        pytest.param({"maxmemory": 100, "used_memory": 100}, ALWAYS, "memory", "bad", id="full"),
        pytest.param({"maxmemory": 100, "used_memory": 90}, ALWAYS, "memory", "warn", id="nearly-full"),
    ],
)
def test_what_is_wrong_is_named_with_its_remedy(
    says: dict[str, Any], config: dict[str, str], subject: str, verdict: str
) -> None:
    """One property at a time; everything else stays well."""
    wrong = [each for each in judge(GOOD | says, config) if each.verdict != "ok"]
    assert [(each.subject, each.verdict) for each in wrong] == [(subject, verdict)]
    assert all(each.remedy for each in wrong)


def test_what_a_server_does_not_tell_is_named() -> None:
    """Where CONFIG and INFO are forbidden each property is named that nobody could read, with what must hold."""
    found = {each.subject: each for each in judge({}, {})}
    assert set(found) == {"data server version", "role", "append-only file", "eviction policy"}
    assert {each.verdict for each in found.values()} == {"warn"}
    assert all("can't be asked" in found[name].text for name in ("role", "append-only file", "eviction policy"))
    assert "noeviction" in found["eviction policy"].remedy


@pytest.mark.parametrize(
    ("replicas", "needed", "verdict"),
    [
        ([], 0, None),
        ([], 1, "bad"),
        ([{"state": "online", "lag": 1}], 1, "ok"),
        ([{"state": "online", "lag": 60}], 1, "bad"),
        ([{"state": "wait_bgsave", "lag": 0}], 1, "bad"),
        ([{"state": "online", "lag": 1}, {"state": "online", "lag": 60}], 1, "warn"),
        ([{"state": "online", "lag": 0}, {"state": "online", "lag": 0}], 0, "ok"),
    ],
)
def test_replicas_that_are_needed_are_in_step(replicas: list[Any], needed: int, verdict: str | None) -> None:
    """Else nothing is accepted; one too few to spare is a warning."""
    info = GOOD | {f"slave{number}": each for number, each in enumerate(replicas)}
    found = {each.subject: each.verdict for each in judge(info, ALWAYS, sync_replicas=needed)}
    assert found.get("replicas") == verdict


@pytest.mark.parametrize(
    ("seconds", "verdict"), [(0, "ok"), (1.9, "ok"), (-5, "warn"), (5, "warn"), (31, "bad"), (-31, "bad")]
)
def test_a_clock_that_is_wrong_is_told(seconds: float, verdict: str) -> None:
    """Ahead or behind; long before a create in doubt could be taken for one that is over."""
    assert judge_clock(timedelta(seconds=seconds)).verdict == verdict


def test_what_was_allowed_is_a_warning() -> None:
    """ALLOW_UNSAFE_STORE is a decision: doctor still tells of it, and doesn't fail for it."""
    unsafe = {"aof_enabled": 0, "maxmemory_policy": "allkeys-lru"}
    found = [each for each in judge(GOOD | unsafe, ALWAYS, allow_unsafe=True) if each.verdict != "ok"]
    assert [each.verdict for each in found] == ["warn", "warn"]
    assert all("ALLOW_UNSAFE_STORE" in each.text for each in found)


@pytest.mark.parametrize(
    ("free", "file", "verdict"),
    [
        pytest.param(50 * GIB, 2 * GIB, "ok", id="room-for-two-more"),
        pytest.param(GIB, 0, "ok", id="room"),
        pytest.param(GIB - 1, 0, "warn", id="little-room"),
        pytest.param(3 * GIB, 2 * GIB, "warn", id="room-for-one-rewrite"),
        pytest.param(GIB, 2 * GIB, "bad", id="no-room-for-a-rewrite"),
        pytest.param(100 * 1024 * 1024, 0, "bad", id="nearly-full"),
        pytest.param(0, 0, "bad", id="full"),
    ],
)
def test_a_disk_is_said_to_be_full_before_it_is(free: int, file: int, verdict: str) -> None:
    """In time to do something, and what."""
    found = judge_disk(free, file)
    assert found.verdict == verdict
    assert bool(found.remedy) == (verdict != "ok")


def test_only_a_disk_of_this_machine_is_judged(tmp_path: Path) -> None:
    """Of another machine's nothing is known, nor of a directory that isn't here."""
    assert free_beside({"host": "127.0.0.1"}, str(tmp_path))
    assert free_beside({"path": "/run/redis.sock"}, str(tmp_path))
    assert free_beside({"host": "redis.example.com"}, str(tmp_path)) is None
    assert free_beside({"host": "localhost"}, str(tmp_path / "elsewhere")) is None
    assert free_beside({"host": "localhost"}, "") is None


def test_the_server_that_we_start_is_well(redis_client: Redis) -> None:
    """The embedded server's configuration passes its own doctor."""
    info: Any = redis_client.info()
    config: Any = redis_client.config_get("appendfsync")
    assert [each for each in judge(info, config) if each.verdict != "ok"] == []
