"""`make image-check`: build the image with buildah, look into it, and run each of its processes.

Needs root and buildah. Where no registry of images can be reached, a Debian made by debootstrap takes the place of the
Dockerfile's base: the steps are the same, the Python is Debian's. Arguments go to `buildah bud`, such as `--volume`.
"""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from contextlib import suppress
from pathlib import Path
from typing import Any, Final

import httpx
import redis

from deploy.install_check.steps import NOTHING_CHECKED
from deploy.local import data_server
from deploy.local.ports import free_port
from shared.ledger.processes import ProcessSigns
from shared.liveness.fleet import PROCESSES

PROJECT: Final = Path(__file__).resolve().parents[2]
DOCKERFILE: Final = PROJECT / "deploy/docker/Dockerfile"
IMAGE: Final = "localhost/oracode-image-check"
_OWN_BASE: Final = "localhost/oracode-image-check-base"
_USER: Final = "10001:10001"
_PACKAGES: Final = "python3,python3-venv,python-is-python3,ca-certificates"
_ENTRYPOINT: Final = ["python", "-m"]
_COMMANDS: Final = {
    "web": ["receiver"],
    "worker": ["worker", "worker"],
    "beat": ["worker", "beat"],
    "console": ["receiver.console"],
}
_LIST_STRANGERS: Final = (
    "from importlib.util import find_spec; print([name for name in ('deploy', 'tests', 'bench') if find_spec(name)])"
)
_UNUSABLE_SETTINGS: Final = 2
_STOPPED_WITHIN: Final = 40.0
_NOT_CHECKED: Final = (
    "Docker, Podman and Compose: buildah has built it, and runs its processes in a chroot without limits of its own",
    "the read-only root and the networks of compose.yaml",
)


class Failed(Exception):
    """A step failed, or found something else than it should."""


class NoBase(Exception):
    """There is nothing to build the image on; the text says why."""


def main(arguments: Sequence[str]) -> int:
    """Exit 0: all is well; 1: something isn't; 3: NOTHING was checked."""
    missing = "root" if os.geteuid() else "buildah" if shutil.which("buildah") is None else ""
    if missing:
        return _nothing_checked(f"it needs {missing}")
    os.environ["BUILDAH_ISOLATION"] = "chroot"
    container = ""
    with tempfile.TemporaryDirectory(prefix="oracode-image-check-") as folder:
        try:
            base, is_own = _base(Path(folder))
            _say(f"building on {base}" + (f", in place of {_wanted_base()}" if is_own else ""))
            _build(base, arguments)
            container = _run("buildah", "from", "--pull-never", IMAGE)
            for title, check in (("its settings", _check_settings), ("its files", _check_files)):
                check(container)
                _say(f"ok: {title}")
            _run_processes(container, Path(folder))
            _say("ok: web, worker, beat and console run, serve and stop")
        except NoBase as why:
            return _nothing_checked(str(why))
        except Failed as failed:
            print(f"FAILED: {failed}", file=sys.stderr)
            return 1
        finally:
            if container:
                _run("buildah", "rm", container, may_fail=True)
    own = (f"the base {_wanted_base()}: no registry of images was reached",) if is_own else ()
    print("\nNot checked:", *(f"- {each}" for each in (*own, *_NOT_CHECKED)), sep="\n")
    return 0


def _nothing_checked(why: str) -> int:
    print(f"make image-check: {why}. NOTHING was checked.", file=sys.stderr)
    return NOTHING_CHECKED


def _wanted_base() -> str:
    found = re.search(r"^ARG BASE=(\S+)$", DOCKERFILE.read_text(encoding="utf-8"), re.MULTILINE)
    if found is None:
        raise Failed("the Dockerfile names no base")
    return found[1]


def _base(folder: Path) -> tuple[str, bool]:
    """Return the base to build on, and whether it is one of ours. Raises NoBase."""
    wanted = _wanted_base()
    try:
        pulled = subprocess.run(["buildah", "pull", "--quiet", wanted], capture_output=True, timeout=60, check=False)
        if pulled.returncode == 0:
            return wanted, False
    except subprocess.TimeoutExpired:
        pass
    if (
        subprocess.run(
            ["buildah", "inspect", "--type", "image", _OWN_BASE], capture_output=True, check=False
        ).returncode
        == 0
    ):
        # Made the last time; `buildah rmi` takes it away.
        return _OWN_BASE, True
    if shutil.which("debootstrap") is None:
        raise NoBase(f"{wanted} can't be pulled, and there is no debootstrap to make a base with")
    _say(f"{wanted} can't be pulled: making a base with debootstrap")
    root = folder / "base"
    suite = re.search(r"^VERSION_CODENAME=(\w+)$", Path("/etc/os-release").read_text(), re.MULTILINE)
    name = suite[1] if suite else "stable"
    _run("debootstrap", "--variant=minbase", f"--include={_PACKAGES}", name, str(root))
    container = _run("buildah", "from", "scratch")
    _run("buildah", "add", "--quiet", container, str(root), "/")
    _run("buildah", "commit", "--quiet", "--rm", container, _OWN_BASE)
    return _OWN_BASE, True


def _build(base: str, arguments: Sequence[str]) -> None:
    ignore = f"{DOCKERFILE}.dockerignore"
    command = ["buildah", "bud", "--pull-never", "--build-arg", f"BASE={base}", "--ignorefile", ignore, *arguments]
    _run(*command, "-t", IMAGE, "-f", str(DOCKERFILE), str(PROJECT), within=1_200)


def _check_settings(_: str) -> None:
    config: Any = json.loads(_run("buildah", "inspect", "--type", "image", IMAGE))["OCIv1"]["config"]
    found = (config.get("User"), config.get("Entrypoint"), config.get("Cmd"))
    if found != (_USER, _ENTRYPOINT, ["receiver"]):
        raise Failed(f"user, entrypoint and command are {found}")


def _check_files(container: str) -> None:
    """Look at what the processes' user may write, and for what has no business in the image."""
    writable = _inside(container, "find", "/opt", "/etc", "/usr", "-xdev", "-not", "-type", "l", "-writable")
    if writable:
        raise Failed(f"its user may write {writable.splitlines()[:5]}")
    if not _inside(container, "oracode", "--version"):
        raise Failed("there is no oracode in it")
    listed = _inside(container, "python", "-c", _LIST_STRANGERS)
    if listed != "[]":
        raise Failed(f"what isn't deployed can be imported: {listed or 'nothing was said'}")
    done = _start(container, ["receiver"], {}).wait(60)
    if done != _UNUSABLE_SETTINGS:
        raise Failed(f"without settings web ends with {done}")


def _run_processes(container: str, folder: Path) -> None:
    """Run all four beside a data server of this machine, until each gave a sign of life and serves."""
    ports = {name: free_port() for name in ("redis", "web", "console", "seam")}
    command = data_server.configure(folder / "redis", port=ports["redis"], password="image-check")  # noqa: S106 - for minutes
    url = f"redis://:image-check@127.0.0.1:{ports['redis']}/0"
    settings = {
        "REDIS_URL": url,
        "SEAM_API_KEY": "seam_nobody",
        "SEAM_ENDPOINT": f"http://127.0.0.1:{ports['seam']}",
        "SEAM_WEBHOOK_SECRET": "whsec_dGhlIHNlY3JldA==",
        "CONSOLE_TOKENS": "somebody:viewer:a-token-of-the-check",
        "HOST": "127.0.0.1",
        "PORT": str(ports["web"]),
        "CONSOLE_PORT": str(ports["console"]),
    }
    server = subprocess.Popen(command, stdout=subprocess.DEVNULL)
    running: dict[str, subprocess.Popen[bytes]] = {}
    client = redis.Redis.from_url(url, decode_responses=True)
    try:
        _wait_until(lambda: bool(client.ping()), "the data server")
        running = {name: _start(container, arguments, settings) for name, arguments in _COMMANDS.items()}
        signs = ProcessSigns(client)
        _wait_until(lambda: {each.identity.process for each in signs.seen()} >= set(PROCESSES), "signs of life of all")
        _wait_until(lambda: httpx.get(f"http://127.0.0.1:{ports['web']}/readyz").is_success, "web is ready")
        _wait_until(lambda: httpx.get(f"http://127.0.0.1:{ports['console']}/healthz").is_success, "the console answers")
        for each in signs.seen():
            # A chroot has no process ids of its own: they are this machine's.
            if f"-m\0{_COMMANDS[each.identity.process][0]}\0" in Path(f"/proc/{each.identity.pid}/cmdline").read_text():
                os.kill(each.identity.pid, signal.SIGTERM)
        for name, process in running.items():
            # It isn't said whether they ended by themselves or by the signal: uvicorn raises it again in the end.
            try:
                process.wait(_STOPPED_WITHIN)
            except subprocess.TimeoutExpired:
                raise Failed(f"{name} doesn't stop") from None
    finally:
        for process in running.values():
            process.kill()
        client.close()
        server.terminate()
        server.wait(15)


def _start(container: str, arguments: Sequence[str], settings: dict[str, str]) -> subprocess.Popen[bytes]:
    given = [f"--env={name}={value}" for name, value in settings.items()]
    command = ["buildah", "run", "--user", _USER, *given, container, "--", *_ENTRYPOINT, *arguments]
    return subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)


def _inside(container: str, *command: str) -> str:
    return _run("buildah", "run", "--user", _USER, container, "--", *command, may_fail=True)


def _run(*command: str, may_fail: bool = False, within: float = 600) -> str:
    done = subprocess.run(command, capture_output=True, text=True, timeout=within, check=False)
    if done.returncode and not may_fail:
        raise Failed(f"{' '.join(command)}\n{done.stdout[-3000:]}{done.stderr[-3000:]}")
    return done.stdout.strip()


def _wait_until(condition: Callable[[], bool], what: str, within: float = 60) -> None:
    deadline = time.monotonic() + within
    while True:
        with suppress(httpx.HTTPError, redis.RedisError):
            if condition():
                return
        if time.monotonic() > deadline:
            raise Failed(f"not within {within:.0f} s: {what}")
        time.sleep(0.1)


def _say(what: str) -> None:
    print(f"· {what}", flush=True)


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
