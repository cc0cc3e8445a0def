"""What the doctor says of Sentinels: one that is away is noticed by nobody until a failover needs it."""

import json
from pathlib import Path

import pytest
from click.testing import CliRunner

from tests.support.failover import failover
from worker.cli.doctor import command
from worker.cli.doctor_sentinels import judge_sentinels, sentinels

A, B, C = ("10.0.0.1", 26379), ("10.0.0.2", 26379), ("10.0.0.3", 26379)
ONE, TWO = "10.0.0.1:6379", "10.0.0.2:6379"


@pytest.mark.parametrize(
    ("named", "verdict", "said"),
    [
        ((ONE, ONE, ONE), "ok", "3 of 3 name a primary: 10.0.0.1:6379"),
        ((ONE, None, ONE), "warn", "2 of 3 name a primary: 10.0.0.1:6379; no answer from 10.0.0.2:26379"),
        ((ONE, None, None), "bad", "no answer from 10.0.0.2:26379, 10.0.0.3:26379"),
        ((None, None, None), "bad", "0 of 3 name a primary; no answer from"),
        ((ONE, TWO, TWO), "warn", "3 of 3 name a primary: 10.0.0.1:6379, 10.0.0.2:6379"),
    ],
)
def test_what_they_name(named: tuple[str | None, ...], verdict: str, said: str) -> None:
    """Most of them must be there; and they agree, but for the seconds of a failover."""
    finding = judge_sentinels(dict(zip((A, B, C), named, strict=True)))
    assert (finding.verdict, bool(finding.remedy)) == (verdict, verdict != "ok")
    assert said in finding.text


def test_a_server_without_sentinels_has_nothing_to_judge() -> None:
    """Nor is anybody asked."""
    assert list(sentinels("redis://127.0.0.1:1/0")) == []


def test_real_sentinels_are_asked(tmp_path: Path) -> None:
    """Each of them, with its own password; one more that isn't there is named."""
    with failover(tmp_path) as servers:
        (finding,) = sentinels(servers.url)
        assert finding.verdict == "ok", finding
        assert f"3 of 3 name a primary: 127.0.0.1:{servers.primary.port}" in finding.text
        (finding,) = sentinels(servers.url.replace("/oracode/0", ",127.0.0.1:1/oracode/0"))
        assert finding.verdict == "warn"
        assert "no answer from 127.0.0.1:1" in finding.text


def test_the_doctor_asks_them_also_without_a_data_server(monkeypatch: pytest.MonkeyPatch) -> None:
    """Then above all somebody wants to know which part is away."""
    for name, value in {
        "REDIS_URL": "redis+sentinel://127.0.0.1:1,127.0.0.1:2/oracode/0",
        "SEAM_ENDPOINT": "http://127.0.0.1:1",
        "SEAM_API_KEY": "seam_test",
        "SEAM_WEBHOOK_SECRET": "whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA",
    }.items():
        monkeypatch.setenv(name, value)
    lines = [json.loads(line) for line in CliRunner().invoke(command, ["--json"]).stdout.splitlines()]
    assert [line["verdict"] for line in lines if line["subject"] == "Sentinels"] == ["bad"]
