"""The files that operators copy: each is judged by the tool that its format has, and compared with the code.

A tool that this machine lacks skips its tests by name. None of them speaks to a network.
"""

import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import httpx
import pytest
import yaml
from redis import Redis
from redis.exceptions import RedisError

from deploy.local.data_server import find_binary
from deploy.local.ports import free_port as find_free_port
from shared.settings import Settings
from tests.support.waiting import wait_until
from worker.cli.doctor_server import judge

PROJECT = Path(__file__).resolve().parents[2]
SYSTEMD = PROJECT / "deploy/systemd"
DOCKER = PROJECT / "deploy/docker"
KUBERNETES = PROJECT / "deploy/kubernetes"
VALKEY = PROJECT / "deploy/valkey"
UNITS = sorted(SYSTEMD.glob("*.service"))
MANIFESTS = sorted(path for path in KUBERNETES.glob("*.yaml") if path.name != "kustomization.yaml")
MOST_EXPOSED = 2.0
# What these files name beside the settings: Python's and uvicorn's own, the proxy's, Compose's and Grafana's.
OTHERS = {
    "PYTHONUNBUFFERED",
    "PYTHONDONTWRITEBYTECODE",
    "PATH",
    "FORWARDED_ALLOW_IPS",
    "PUBLIC_HOST",
    "WEB_ADDRESS",
    "ORACODE_VERSION",
    "GF_SECURITY_ADMIN_PASSWORD__FILE",
    "GF_ANALYTICS_REPORTING_ENABLED",
    "GF_ANALYTICS_CHECK_FOR_UPDATES",
}
# Settings of processes and endpoints that read them as soon as they are there; a setting that isn't there is ignored.
OF_OPTIONAL_PARTS = {"CONSOLE_TOKENS", "CONSOLE_HOST", "REVEAL_TOKENS", "OUTCOME_WEBHOOK_URLS"}


def tool(name: str) -> str:
    """Return a tool's path: that of our own environment, else of the machine; skips the test where there is none."""
    beside = Path(sys.executable).parent / name
    found = str(beside) if beside.exists() else shutil.which(name)
    if found is None:
        pytest.skip(f"{name} is not on this machine: what it judges was NOT checked")
    return found


def says(*command: str) -> str:
    """Run a tool, which must find nothing wrong; return what it says."""
    done = subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
    return done.stdout + done.stderr


def settings_in(unit: Path) -> list[str]:
    """Return what a unit's Environment= sets, as NAME=value."""
    lines = re.findall(r"^Environment=(.*)$", unit.read_text(), re.MULTILINE)
    return [word for line in lines for word in line.split()]


def test_the_units_are_sound(tmp_path: Path) -> None:
    """`systemd-analyze verify` finds nothing; of the copies only the path of Python is another."""
    analyze = tool("systemd-analyze")
    units = [*UNITS, SYSTEMD / "oracode-web.socket", SYSTEMD / "oracode.target"]
    for unit in units:
        text = unit.read_text().replace("/opt/oracode/.venv/bin/python", sys.executable)
        (tmp_path / unit.name).write_text(text)
    said = says(analyze, "verify", "--man=no", *(str(tmp_path / unit.name) for unit in units))
    assert [line for line in said.splitlines() if "oracode" in line] == []


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_each_unit_is_hardened(unit: Path) -> None:
    """By systemd's own count of what is left open, 0 to 10."""
    said = says(tool("systemd-analyze"), "security", "--offline=true", str(unit))
    found = re.search(r"exposure level for \S+: ([\d.]+)", said)
    assert found, said
    assert float(found[1]) <= MOST_EXPOSED


def test_the_target_starts_every_unit() -> None:
    """What isn't in the target doesn't start with the machine."""
    wanted = re.search(r"^Wants=(.*)$", (SYSTEMD / "oracode.target").read_text(), re.MULTILINE)
    assert wanted
    assert set(wanted[1].split()) == {unit.name for unit in UNITS} | {"oracode-web.socket"}


@pytest.mark.parametrize("script", [SYSTEMD / "oracode", PROJECT / ".ci/run"], ids=lambda script: script.name)
def test_the_scripts_are_sound(script: Path) -> None:
    """Shellcheck finds nothing in them."""
    says(tool("shellcheck"), str(script))


def test_the_dockerfile_is_sound() -> None:
    """Hadolint finds nothing in it."""
    says(tool("hadolint"), str(DOCKER / "Dockerfile"))


def test_compose_keeps_to_its_specification() -> None:
    """By the schema that check-jsonschema carries."""
    says(tool("check-jsonschema"), "--builtin-schema", "vendor.compose-spec", str(DOCKER / "compose.yaml"))


def test_the_workflows_keep_to_their_schema_and_are_safe() -> None:
    """Nothing unpinned, no more rights than needed, no text of strangers run as a command: zizmor finds those."""
    github = PROJECT / ".github"
    workflows = sorted(map(str, (github / "workflows").glob("*.yml")))
    assert workflows
    says(tool("check-jsonschema"), "--builtin-schema", "vendor.github-workflows", *workflows)
    forms = [str(path) for path in sorted((github / "ISSUE_TEMPLATE").glob("*.yml")) if path.name != "config.yml"]
    says(tool("check-jsonschema"), "--builtin-schema", "vendor.github-issue-forms", *forms)
    says(tool("zizmor"), "--offline", "--no-progress", "--persona", "pedantic", *workflows)


def test_workflows_call_the_same_commands_as_people_do() -> None:
    """Each `make …` in them is a target; the tests are run by `.ci/run`, which installs the servers that they start."""
    targets = set(re.findall(r"^([a-z-]+):", (PROJECT / "Makefile").read_text(), re.MULTILINE))
    script = PROJECT / ".ci/run"
    steps = {
        path.stem: re.findall(r"run: (make [a-z-]+|\S+)", path.read_text())
        for path in (PROJECT / ".github/workflows").glob("*.yml")
    }
    assert steps["test"] == [".ci/run"]
    assert steps["release"][:2] == [".ci/run", "make release-check"]
    assert os.access(script, os.X_OK)
    called = {step for of_file in steps.values() for step in of_file} | set(
        re.findall(r"^make [a-z-]+$", script.read_text(), re.MULTILINE)
    )
    assert "make test" in called
    assert {step.removeprefix("make ") for step in called if step.startswith("make ")} <= targets


def test_the_manifests_keep_to_the_schemas_of_kubernetes() -> None:
    """Strictly: an unknown field is an error. The kustomization lists each of them."""
    says(tool("kubernetes-validate"), "--strict", *map(str, MANIFESTS))
    listed = yaml.safe_load((KUBERNETES / "kustomization.yaml").read_text())["resources"]
    assert sorted(listed) == [path.name for path in MANIFESTS]


def test_no_pod_gets_settings_from_the_names_of_services() -> None:
    """A Service "console" would set CONSOLE_PORT=tcp://… in every pod, and no process would start."""
    for manifest in documents():
        if manifest["kind"] == "Deployment":
            assert manifest["spec"]["template"]["spec"]["enableServiceLinks"] is False


def documents() -> Iterator[dict[str, Any]]:
    """Yield every manifest."""
    for path in MANIFESTS:
        yield from yaml.safe_load_all(path.read_text())


def names() -> Iterator[tuple[str, str]]:
    """Yield every name of an environment variable in these files, and where it stands."""
    written = {
        (SYSTEMD / "oracode.env", r"^#?([A-Z_]+)="),
        (DOCKER / "compose.yaml", r"\$\{([A-Z_]+)"),
        (DOCKER / "Dockerfile", r"\b([A-Z_]+)="),
        *((unit, r"^Environment=([A-Z_]+)=") for unit in (DOCKER / "quadlet").glob("*.container")),
    }
    for path, pattern in written:
        for name in re.findall(pattern, path.read_text(), re.MULTILINE):
            yield path.name, name
    for unit in UNITS:
        for setting in settings_in(unit):
            yield unit.name, setting.partition("=")[0]
    for name, service in yaml.safe_load((DOCKER / "compose.yaml").read_text())["services"].items():
        yield from ((f"compose.yaml {name}", variable) for variable in service.get("environment", {}))
    for manifest in documents():
        yield from ((manifest["metadata"]["name"], variable) for variable in variables_of(manifest))


def variables_of(manifest: dict[str, Any]) -> list[str]:
    """Return the names of the variables that a manifest sets."""
    if manifest["kind"] == "ConfigMap":
        return list(manifest["data"])
    if manifest["kind"] == "Deployment":
        containers = manifest["spec"]["template"]["spec"]["containers"]
        return [variable["name"] for container in containers for variable in container["env"]]
    return []


def test_every_name_is_a_setting() -> None:
    """A misspelled or renamed setting would be ignored in silence."""
    known = {name.upper() for name in Settings.model_fields} | OF_OPTIONAL_PARTS | OTHERS | {"BASE"}
    known |= {f"{name}_FILE" for name in Settings.secret_names()} | {f"{name}_FILE" for name in OF_OPTIONAL_PARTS}
    found = list(names())
    assert len(found) > 50
    assert [(where, name) for where, name in found if name not in known] == []


@pytest.mark.parametrize("secret", Settings.secret_names())
def test_every_secret_reaches_a_unit(secret: str) -> None:
    """A service gets only the secrets that its unit loads."""
    assert any(f"{secret}_FILE=" in unit.read_text() for unit in UNITS), secret


@pytest.mark.parametrize("unit", UNITS, ids=lambda unit: unit.stem)
def test_each_credential_is_loaded_and_named(unit: Path) -> None:
    """Every NAME_FILE has its LoadCredential, and every optional one a value for when there is no file."""
    text = unit.read_text()
    loaded = set(re.findall(r"^LoadCredential=(\w+):/etc/oracode/secrets/\1$", text, re.MULTILINE))
    named = {word.partition("=")[0].removesuffix("_FILE").lower() for word in settings_in(unit) if "_FILE=" in word}
    assert loaded == named
    assert all(f"{name.upper()}_FILE=%d/{name}" in text for name in named)


def test_the_secrets_of_compose_are_declared_and_used() -> None:
    """And each process names those files that it is given."""
    compose = yaml.safe_load((DOCKER / "compose.yaml").read_text())
    used = {secret for service in compose["services"].values() for secret in service.get("secrets", ())}
    assert used == set(compose["secrets"])
    for name, service in compose["services"].items():
        files = {path for key, path in service.get("environment", {}).items() if key.endswith("_FILE")}
        given = {f"/run/secrets/{secret}" for secret in service.get("secrets", ())}
        # Those read their secrets by what their own configuration says.
        assert name in ("valkey", "prometheus") or files == given


def test_the_caddyfile_for_containers_is_the_other_one() -> None:
    """But for the line that newer versions want."""

    def rules(path: Path) -> list[str]:
        lines = [line.strip() for line in path.read_text().splitlines()]
        return [line for line in lines if line and not line.startswith("#")]

    ours, theirs = rules(DOCKER / "Caddyfile"), rules(PROJECT / "deploy/proxy/Caddyfile")
    at = theirs.index("buffer_requests")
    assert theirs[at + 1] == "max_buffer_size 257KiB"
    assert ours == [*theirs[:at], "request_buffers 257KiB", *theirs[at + 2 :]]


def test_a_server_with_our_configuration_is_well(tmp_path: Path) -> None:
    """Started with `deploy/valkey/valkey.conf` and a password file: doctor finds nothing to mend."""
    port = find_free_port()
    (tmp_path / "local.conf").write_text(f"requirepass tell-nobody\ndir {tmp_path}\n")
    include = ["--include", str(tmp_path / "local.conf")]
    with running([find_binary(), str(VALKEY / "valkey.conf"), *include, "--port", str(port)]):
        client = Redis(port=port, password="tell-nobody", decode_responses=True)
        wait_until(lambda: answers(client), what="valkey")
        info: Any = client.info()
        config: Any = client.config_get("appendfsync")
        assert [each for each in judge(info, config) if each.verdict != "ok"] == []
        # Five seconds by default, in which SYNC_REPLICAS accepts nothing.
        assert client.config_get("repl-diskless-sync-delay") == {"repl-diskless-sync-delay": "0"}
        client.close()


def test_a_sentinel_with_our_configuration_watches(tmp_path: Path) -> None:
    """It knows the primary by the name `oracode`."""
    port = find_free_port()
    shutil.copy(VALKEY / "sentinel.conf", tmp_path)
    with running(
        [find_binary(), str(tmp_path / "sentinel.conf"), "--sentinel", "--dir", str(tmp_path), "--port", str(port)]
    ):
        client = Redis(port=port, decode_responses=True)
        wait_until(lambda: answers(client), what="sentinel")
        masters: Any = client.sentinel_masters()
        assert masters["oracode"]["quorum"] == 2
        client.close()


@pytest.mark.parametrize("name", ["web", "beat"])
def test_a_units_command_starts_with_what_the_unit_gives(tmp_path: Path, redis_client: Redis, name: str) -> None:
    """No other environment, secrets as files, optional ones empty: as systemd starts it (but for the hardening)."""
    unit = SYSTEMD / f"oracode-{name}.service"
    port = find_free_port()
    options = redis_client.connection_pool.connection_kwargs
    url = f"redis://:{options['password']}@127.0.0.1:{options['port']}/0"
    required = {"redis_url": url, "seam_webhook_secret": "whsec_dGhlIHNlY3JldA=="}
    environment = {"LANG": "C.UTF-8", "PATH": os.defpath, "PORT": str(port)}
    for setting in settings_in(unit):
        variable, _, value = setting.partition("=")
        environment[variable] = value.replace("%d", str(tmp_path))
        if variable.endswith("_FILE"):
            credential = variable.removesuffix("_FILE").lower()
            (tmp_path / credential).write_text(required.get(credential, "") + "\n")
    command = re.search(r"^ExecStart=\S+ (.*)$", unit.read_text(), re.MULTILINE)
    assert command
    log = tmp_path / "log"
    with log.open("wb") as output, running([sys.executable, *command[1].split()], environment, output) as process:
        if name == "web":
            wait_until(lambda: is_ready(port), what="web")
        else:
            wait_until(lambda: "beat" in log.read_text() or process.poll() is not None, what="beat")
        assert process.poll() is None, log.read_text()


@contextmanager
def running(
    command: list[str], environment: dict[str, str] | None = None, output: Any = subprocess.DEVNULL
) -> "Iterator[subprocess.Popen[bytes]]":
    """Run a process in the project's folder, and end it with the block."""
    process = subprocess.Popen(
        command, cwd=PROJECT, env=environment, stdout=output, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL
    )
    try:
        yield process
    finally:
        process.send_signal(signal.SIGTERM)
        try:
            process.wait(15)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def answers(client: Redis) -> bool:
    """Whether a server answers by now."""
    try:
        return bool(client.ping())
    except RedisError:
        return False


def is_ready(port: int) -> bool:
    """Whether `web` takes webhooks."""
    try:
        return httpx.get(f"http://127.0.0.1:{port}/readyz", timeout=5).is_success
    except httpx.HTTPError:
        return False
