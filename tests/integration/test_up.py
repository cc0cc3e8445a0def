"""`oracode up` and `make demo` as a newcomer meets them."""

import json
import os
import signal
import subprocess
from pathlib import Path

import pytest

from deploy.local.__main__ import print_addresses
from deploy.local.addresses import Addresses
from tests.support.machine import Machine
from tests.support.waiting import wait_until


def test_the_demo_ends_well_within_ninety_seconds(tmp_path: Path) -> None:
    """Bookings end in every state, the alerts go out, the exit code is 0."""
    answer = subprocess.run(
        ["oracode", "up", "--demo", "--data-dir", str(tmp_path / "demo")],
        env={**os.environ, "PATH": f"{Path(os.sys.executable).parent}{os.pathsep}{os.environ['PATH']}"},  # type: ignore[attr-defined]
        capture_output=True,
        text=True,
        timeout=90,
        check=False,
    )
    assert answer.returncode == 0, answer.stdout + answer.stderr
    assert "Every booking ended as it should." in answer.stdout
    for state in ("received", "scheduled", "waiting", "creating", "issued", "ready", "failed", "cancelled", "ended"):
        assert f" {state}\n" in answer.stdout


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_it_ends_everything_it_started_and_keeps_its_data(tmp_path: Path, number: signal.Signals) -> None:
    """All processes are gone within ten seconds, and the next start finds what was there."""
    machine = Machine(tmp_path / "data")
    machine.start()
    run = machine.run()
    assert set(run["pids"]) == {"redis", "sandbox", "web", "worker", "beat", "console"}
    with machine.redis() as redis:
        redis.set("kept", "yes")
    assert machine.stop(number) == 0
    assert not any(_is_alive(pid) for pid in run["pids"].values())
    machine.start()
    with machine.redis() as redis:
        assert redis.get("kept") == "yes"
    assert machine.run()["web_url"] == run["web_url"]
    machine.stop()


def test_killed_outright_it_leaves_no_process_and_no_loss(tmp_path: Path) -> None:
    """`kill -9` of `up` itself: what it started ends too, and the next start works in the same directory."""
    machine = Machine(tmp_path / "data")
    machine.start()
    pids = machine.run()["pids"]
    with machine.redis() as redis:
        redis.set("kept", "yes")
    machine.stop(signal.SIGKILL)
    wait_until(lambda: not any(_is_alive(pid) for pid in pids.values()), what="all have ended")
    machine.start()
    with machine.redis() as redis:
        assert redis.get("kept") == "yes"
    machine.stop()


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        pytest.param({"SEAM_API_KEY": "seam_key"}, "SEAM_WEBHOOK_SECRET", id="a-real-key-without-its-secret"),
        pytest.param({"SEAM_ENDPOINT": "http://127.0.0.1:9"}, "SEAM_API_KEY", id="an-endpoint-without-a-key"),
    ],
)
def test_settings_that_do_not_belong_together_are_named(tmp_path: Path, settings: dict[str, str], named: str) -> None:
    """It says what is missing and exits 2, having started nothing."""
    machine = Machine(tmp_path / "data", settings)
    answer = machine.oracode("up", "--data-dir", str(tmp_path / "data"))
    assert answer.returncode == 2
    assert named in answer.stderr


def test_malformed_settings_are_told_before_anything_is_started(tmp_path: Path) -> None:
    """Every one, also those in the files that settings name; the ports are ours to say."""
    files = {name: tmp_path / f"{name.lower()}.yaml" for name in ("ALERTS_FILE", "DOORS_FILE")}
    files["ALERTS_FILE"].write_text("channels: {a: {type: slack, url_env: NOT_HERE}}\nrate: {burst: 0}")
    files["DOORS_FILE"].write_text("units: [")
    given = {name: str(path) for name, path in files.items()}
    machine = Machine(tmp_path / "data", {"CREATE_LEAD_TIME": "soon", "PORT": "tcp://x", **given})
    answer = machine.oracode("up", "--data-dir", str(tmp_path / "data"))
    assert answer.returncode == 2
    for named in ("CREATE_LEAD_TIME", "NOT_HERE is not set", "rate.burst", "DOORS_FILE"):
        assert named in answer.stderr
    assert "PORT" not in answer.stderr
    assert not (tmp_path / "data").exists()


def test_settings_of_one_process_alone_are_told_too(tmp_path: Path) -> None:
    """In the words that the process itself has for them."""
    machine = Machine(tmp_path / "data", {"CREATE_LEAD_TIME": "soon", "SLOT_PREFERENCE": "best"})
    answer = machine.oracode("up", "--data-dir", str(tmp_path / "data"))
    assert answer.returncode == 2
    assert "CREATE_LEAD_TIME" in answer.stderr
    assert "SLOT_PREFERENCE" in answer.stderr


@pytest.mark.parametrize(
    ("alerts_url", "is_warned"), [("http://127.0.0.1:9/alerts", False), (None, True)], ids=["sandbox", "real-doors"]
)
def test_with_real_doors_it_says_what_it_is_not(
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
    alerts_url: str | None,
    *,
    is_warned: bool,
) -> None:
    """It isn't a way to run this for guests; it says so, and which page says how."""
    monkeypatch.setenv("CONSOLE_TOKENS", "somebody:viewer:token")
    place = Addresses(
        directory=tmp_path,
        web_url="",
        console_url="",
        seam_url="",
        redis_url="",
        booking_token="",
        console_token="",
        seam_api_key="",
        webhook_secret="",
        alerts_url=alerts_url,
    )
    print_addresses(place)
    assert ("docs/deploy.md" in capsys.readouterr().out) == is_warned


def test_run_json_is_readable_by_its_owner_alone(tmp_path: Path) -> None:
    """It holds keys and tokens."""
    machine = Machine(tmp_path / "data")
    machine.start()
    path = tmp_path / "data" / "run.json"
    assert path.stat().st_mode & 0o077 == 0
    assert set(json.loads(path.read_text())) == {
        "web_url",
        "console_url",
        "console_token",
        "booking_token",
        "seam_url",
        "seam_api_key",
        "webhook_secret",
        "redis_url",
        "alerts_url",
        "pids",
        "settings",
    }
    machine.stop()


def _is_alive(pid: int) -> bool:
    try:
        stat = Path(f"/proc/{pid}/stat").read_text()
    except OSError:
        return False
    return stat.rpartition(")")[2].split()[0] != "Z"
