"""What the doctor says of a data server: a table over what the server says of itself, and a real one."""

from typing import Any

import pytest
from redis import Redis

from worker.cli.doctor_server import judge

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


def test_the_server_that_we_start_is_well(redis_client: Redis) -> None:
    """The embedded server's configuration passes its own doctor."""
    info: Any = redis_client.info()
    config: Any = redis_client.config_get("appendfsync")
    assert [each for each in judge(info, config) if each.verdict != "ok"] == []
