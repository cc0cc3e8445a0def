"""What is looked at on the bare machine, once all units were started. Runs in it, as root, from what was installed."""

import json
import subprocess
import sys
import threading
import time
from collections import Counter
from collections.abc import Callable, Mapping
from datetime import timedelta
from http.client import HTTPConnection
from pathlib import Path
from typing import Any, Final, TypeVar
from uuid import uuid4

import httpx

from shared.clock import system_clock

UNITS: Final = ("oracode-web", "oracode-worker", "oracode-beat", "oracode-console")
WEB: Final = "http://127.0.0.1:8080"
CONSOLE: Final = "http://127.0.0.1:8081"
SEAM: Final = "http://127.0.0.1:8090"
_SECRETS: Final = Path("/etc/oracode/secrets")
_ACCEPTED: Final = 202
_UNAUTHORIZED: Final = 401
_POLL: Final = 0.1
_CALLERS: Final = 3
_FEWEST_ANSWERS: Final = 20
# The longest TimeoutStopSec of the units.
_STOPPED_WITHIN: Final = 35.0

T = TypeVar("T")


class Failed(Exception):
    """A check found something else than it should; the text says what."""


def main() -> int:
    """Run all checks in their order; print a line for each, and stop at the first that fails."""
    for title, check in CHECKS.items():
        try:
            found = check()
        except Failed as failed:
            print(f"FAILED  {title}: {failed}")
            return 1
        print(f"ok      {title}{f' ({found})' if found else ''}", flush=True)
    return 0


def units_run() -> str:
    """Wait until they do; return the version of systemd."""
    for unit in UNITS:
        _wait_until(lambda: _systemctl("is-active", unit) == "active", f"{unit} is active")  # noqa: B023
    _wait_until(lambda: httpx.get(f"{WEB}/readyz").is_success, "web is ready")
    _wait_until(lambda: httpx.get(f"{CONSOLE}/healthz").is_success, "the console answers")
    return _run("systemctl", "--version").split("\n", 1)[0]


def few_rights() -> str:
    """Look at each process as the kernel sees it, and at the disk as the process sees it."""
    uid = _run("id", "--user", "oracode")
    for unit in UNITS:
        pid = _pid(unit)
        status = dict(
            line.split(":\t", 1) for line in Path(f"/proc/{pid}/status").read_text().splitlines() if ":\t" in line
        )
        rights = {name: status[name].split()[0] for name in ("Uid", "CapEff", "CapBnd", "NoNewPrivs", "Seccomp")}
        expected = {"Uid": uid, "CapEff": "0" * 16, "CapBnd": "0" * 16, "NoNewPrivs": "1", "Seccomp": "2"}
        if rights != expected:
            raise Failed(f"{unit} has {rights}")
        for what in (["test", "-e", str(_SECRETS / "redis_url")], ["touch", "/opt/oracode/written"]):
            if _in_unit(pid, *what):
                raise Failed(f"{unit} can: {' '.join(what)}")
        if not _in_unit(pid, "test", "-e", f"/run/credentials/{unit}.service/redis_url"):
            raise Failed(f"{unit} has no credential redis_url")
    return f"uid {uid}"


def strangers_are_refused() -> str:
    """Send what nobody vouches for."""
    for path in ("/bookings", "/webhooks/seam"):
        status = httpx.post(f"{WEB}{path}", json={}).status_code
        if status != _UNAUTHORIZED:
            raise Failed(f"{path} answers {status}")
    return ""


def a_booking_gets_its_code() -> str:
    """Hand over a booking, and wait until it is ready and Seam's webhooks were taken."""
    secret = _secret("seam_webhook_secret")
    httpx.put(f"{SEAM}/sandbox/webhook", json={"url": f"{WEB}/webhooks/seam", "secret": secret}).raise_for_status()
    door = str(uuid4())
    slots = [{"name": "Guest", "check_in": "16:00", "check_out": "10:00"}]
    httpx.post(f"{SEAM}/sandbox/devices", json={"device_id": door, "name": "Room", "slots": slots}).raise_for_status()
    booking_id = _book(door)
    _wait_until(lambda: _booking(booking_id)["state"] == "ready", "the booking is ready", within=90)
    codes = httpx.get(f"{SEAM}/sandbox/access_codes", params={"device_id": door}).json()["access_codes"]
    if len(codes) != 1:
        raise Failed(f"{len(codes)} codes were made")
    _wait_until(lambda: _ACCEPTED in _delivered(), f"a webhook is answered {_ACCEPTED}")
    return f"{booking_id}: ready, webhooks answered {_delivered()}"


def the_doctor_is_content() -> str:
    """Run the doctor as root would; return how many findings are ok, and how many warn."""
    lines = _run("oracode", "doctor", "--json", may_fail=True).splitlines()
    findings = [json.loads(line) for line in lines]
    if not findings:
        raise Failed("it says nothing")
    if bad := [each for each in findings if each["verdict"] == "bad"]:
        raise Failed(json.dumps(bad))
    return ", ".join(
        f"{count} {verdict}" for verdict, count in sorted(Counter(each["verdict"] for each in findings).items())
    )


def what_dies_comes_back() -> str:
    """Kill one after the other; of web, call it meanwhile."""
    for unit in UNITS:
        pid = _pid(unit)
        _run("kill", "-KILL", str(pid))
        if unit == "oracode-web" and not httpx.get(f"{WEB}/healthz", timeout=20).is_success:
            raise Failed("web wasn't there for who connected meanwhile")
        _wait_until(lambda: _pid(unit) not in (0, pid), f"{unit} is started again")  # noqa: B023
    return units_run() and ""


def a_restart_refuses_nobody() -> str:
    """Call web again and again while all are restarted, on a new connection each time."""
    over = threading.Event()
    answers: Counter[str] = Counter()

    def call() -> None:
        while not over.wait(0.02):
            connection = HTTPConnection(WEB.removeprefix("http://"), timeout=20)
            try:
                connection.request("GET", "/healthz")
                answers[str(connection.getresponse().status)] += 1
            except OSError as error:
                answers[type(error).__name__] += 1
            finally:
                connection.close()

    callers = [threading.Thread(target=call) for _ in range(_CALLERS)]
    for caller in callers:
        caller.start()
    try:
        _run("systemctl", "restart", "oracode-*.service")
        units_run()
    finally:
        over.set()
        for caller in callers:
            caller.join()
    if set(answers) != {"200"} or answers["200"] < _FEWEST_ANSWERS:
        raise Failed(f"answers: {dict(answers)}")
    return f"{answers['200']} answers"


def all_stop_in_time() -> str:
    """Stop all as docs/backup.md says, and return how long that took. Stopping the target waits for itself alone."""
    began = time.monotonic()
    _run("systemctl", "stop", "oracode.target", "oracode-*")
    took = time.monotonic() - began
    for unit in UNITS:
        state, result = (_show(unit, name) for name in ("ActiveState", "Result"))
        if (state, result) != ("inactive", "success"):
            raise Failed(f"{unit} is {state}, {result}")
    if took > _STOPPED_WITHIN:
        raise Failed(f"it took {took:.0f} s")
    return f"{took:.1f} s"


CHECKS: Final[Mapping[str, Callable[[], str]]] = {
    "every unit is active, web is ready, the console answers": units_run,
    "each has its own user, no capability, filtered system calls, only its own secrets, and can't write": few_rights,
    "a booking without a token and a webhook without a signature are refused": strangers_are_refused,
    "a booking gets its one code, and Seam's webhooks are taken": a_booking_gets_its_code,
    "`oracode doctor` finds nothing to fix": the_doctor_is_content,
    "each that is killed is started again, and who calls web meanwhile is served": what_dies_comes_back,
    "while all are restarted every call to web is answered": a_restart_refuses_nobody,
    "stopping the target stops all of them in time, and none is killed": all_stop_in_time,
}


def _book(device_id: str) -> str:
    today, booking_id = system_clock().date(), f"CHECK-{uuid4().hex[:6]}"
    stay = {"check_in": f"{today + timedelta(days=3)}T15:45", "check_out": f"{today + timedelta(days=6)}T10:15"}
    answer = httpx.post(
        f"{WEB}/bookings",
        json={"booking_id": booking_id, "device_ids": [device_id], **stay},
        headers={"authorization": f"Bearer {_secret('booking_tokens')}"},
    )
    if answer.status_code != _ACCEPTED:
        raise Failed(f"the booking was answered {answer.status_code} {answer.text}")
    return booking_id


def _booking(booking_id: str) -> dict[str, Any]:
    text = _run("oracode", "bookings", "show", booking_id, "--json", may_fail=True)
    found: dict[str, Any] = json.loads(text) if text else {"state": "unknown"}
    return found


def _delivered() -> list[int]:
    """Return the statuses with which web answered the sandbox's webhooks."""
    deliveries = httpx.get(f"{SEAM}/sandbox/deliveries").json()["deliveries"]
    statuses = {attempt["status"] for each in deliveries for attempt in each["attempts"]}
    return sorted(statuses - {None})


def _secret(name: str) -> str:
    return (_SECRETS / name).read_text(encoding="utf-8").strip()


def _in_unit(pid: int, *command: str) -> bool:
    """Run a command with the disk as a unit's process sees it; return whether it could."""
    return (
        subprocess.run(["nsenter", f"--target={pid}", "--mount", *command], capture_output=True, check=False).returncode
        == 0
    )


def _pid(unit: str) -> int:
    return int(_show(unit, "MainPID"))


def _show(unit: str, name: str) -> str:
    return _run("systemctl", "show", unit, f"--property={name}", "--value")


def _systemctl(*arguments: str) -> str:
    return _run("systemctl", *arguments, may_fail=True)


def _run(*command: str, may_fail: bool = False) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
    if done.returncode and not may_fail:
        raise Failed(f"{' '.join(command)}: {done.stdout}{done.stderr}".strip())
    return done.stdout.strip()


def _wait_until(condition: Callable[[], T], what: str, within: float = 30.0) -> None:
    deadline = time.monotonic() + within
    while True:
        try:
            if condition():
                return
        except httpx.HTTPError:
            pass
        if time.monotonic() > deadline:
            raise Failed(f"not within {within:.0f} s: {what}")
        time.sleep(_POLL)


if __name__ == "__main__":
    sys.exit(main())
