"""What the documents list is what the code has."""

import re
import shutil
import subprocess
import tomllib
from datetime import timedelta
from pathlib import Path

import pytest
from click import Context, Group

from shared import redis_keys
from shared.domain.booking.problem_catalogue import door_reasons
from shared.domain.times.daily import DailyTime, parse_daily_time
from shared.domain.times.durations import parse_duration
from shared.settings import Settings
from worker.alerts.message import RUNBOOK_SECTIONS
from worker.cli import LazyGroup


def test_the_page_of_settings_lists_every_setting(project: Path) -> None:
    """No setting is missing from the table, and none in it is unknown."""
    table = (project / "docs/settings.md").read_text().split("<!-- settings")[1]
    listed = {
        name for row in re.findall(r"^\| (`[A-Z_`, ]+) \|", table, re.MULTILINE) for name in re.findall(r"[A-Z_]+", row)
    }
    assert listed == {name.upper() for name in Settings.model_fields}


def test_the_page_of_settings_says_each_default(project: Path) -> None:
    """Where the code has one."""
    table = (project / "docs/settings.md").read_text().split("<!-- settings")[1]
    compared = 0
    for names, said in re.findall(r"^\| (`[A-Z_`, ]+) \| ([^|]*) \|", table, re.MULTILINE):
        settings = re.findall(r"[A-Z_]+", names)
        for name, text in zip(settings, said.split(", ") if len(settings) > 1 else [said], strict=True):
            default = Settings.model_fields[name.lower()].default
            if default is not None and default not in ((), ""):
                assert _as_the_default(text.strip().strip("`"), default) == default, name
                compared += 1
    assert compared > 30


def _as_the_default(text: str, default: object) -> object:
    """Read what the page says as a value of the default's type."""
    match default:
        case bool():
            return {"true": True, "false": False}[text]
        case timedelta():
            return parse_duration(text)
        case DailyTime():
            return parse_daily_time(text)
        case int():
            return int(text)
        case _:
            return text


@pytest.mark.parametrize("name", sorted(Settings.model_fields))
def test_every_setting_is_read(project: Path, name: str) -> None:
    """One that nothing asks for would change nothing, in silence."""
    read = re.compile(rf"\.{name}\b")
    packages = ("receiver", "worker", "shared", "deploy")
    sources = (path for package in packages for path in (project / package).rglob("*.py"))
    assert any(read.search(path.read_text()) for path in sources), name.upper()


def test_no_key_is_made_outside_the_key_module(project: Path) -> None:
    """Only `shared/redis_keys.py` makes keys."""
    sources = [path for package in ("receiver", "worker", "shared") for path in (project / package).rglob("*.py")]
    makers = {path.name for path in sources if f'"{redis_keys.PREFIX}:' in path.read_text()}
    assert makers <= {"redis_keys.py"}


@pytest.mark.parametrize(
    "document", ["ARCHITECTURE.md", "CONTRIBUTING.md", "docs/how-nothing-is-lost.md", "docs/two-versions.md"]
)
def test_every_file_that_a_document_names_is_there(project: Path, document: str) -> None:
    """A reader who follows it finds what it speaks of."""
    named = re.findall(r"`((?:receiver|worker|shared|deploy|docs|tests)/[\w/.-]+)`", (project / document).read_text())
    assert named
    assert [path for path in named if not (project / path).exists()] == []


def test_no_tracked_file_names_a_registry_or_a_path_of_a_machine(project: Path) -> None:
    """Requirements carry hashes, never a host."""
    if not (shutil.which("git") and (project / ".git").exists()):
        pytest.skip("no git, or no clone: nothing tells which files are tracked")
    # The folder may belong to another user than the one who tests.
    command = ["git", "-c", "safe.directory=*", "ls-files"]
    tracked = subprocess.run(command, cwd=project, capture_output=True, text=True, check=True).stdout
    pattern = re.compile(r"--(?:extra-)?index-url|/(?:home|Users)/\w+/")
    found = [
        name
        for name in tracked.splitlines()
        if (project / name).is_file()
        and name != "tests/test_docs.py"
        and pattern.search((project / name).read_text(errors="replace"))
    ]
    assert found == []


def test_the_supported_pythons_are_the_same_everywhere(project: Path) -> None:
    """Package, README, linter and what `make` suggests."""
    settings = tomllib.loads((project / "pyproject.toml").read_text())
    about = settings["project"]
    minors = [
        one.rpartition(" ")[2] for one in about["classifiers"] if one.startswith("Programming Language :: Python ::")
    ]
    assert about["requires-python"] == f">={minors[0]}"
    assert settings["tool"]["ruff"]["target-version"] == "py" + minors[0].replace(".", "")
    assert f"{', '.join(minors[:-1])} and {minors[-1]} are tested" in (project / "README.md").read_text()
    script = (project / "deploy/local/make_venv.sh").read_text()
    assert f"for candidate in {' '.join(f'python{minor}' for minor in reversed(minors))}; do" in script
    assert f"needs Python {minors[0]} or newer" in script
    assert f"sys.version_info < ({minors[0].replace('.', ', ')})" in script


def test_every_reason_of_an_outcome_is_explained(project: Path) -> None:
    """A booking system shows them to people; so do readers of `GET /bookings/{id}`."""
    text = (project / "docs/outcomes.md").read_text().partition("### Reasons")[2].partition("\n## ")[0]
    assert set(re.findall(r"^\| `(\w+)` \|", text, re.MULTILINE)) - {"reason"} == door_reasons()
    for path in (*(project / "worker").rglob("*.py"), *(project / "shared/domain/booking").rglob("*.py")):
        given = re.findall(r"\breason=\"(\w+)\"", path.read_text())
        assert not given, f"{path.name} gives a reason that no catalogue has"


def test_the_runbook_has_a_section_for_every_problem(project: Path) -> None:
    """Each alert names its section; each section says whom the problem hits, what to do, and when it is over."""
    text = (project / "deploy/RUNBOOK.md").read_text()
    sections = dict(re.findall(r"^## (\w+)\n(.*?)(?=^## |\Z)", text, re.MULTILINE | re.DOTALL))
    assert set(sections) == set(RUNBOOK_SECTIONS)
    for name, section in sections.items():
        assert "**Hit:**" in section, name
        assert "**Over:**" in section, name
        assert re.search(r"^1\. ", section, re.MULTILINE), name


def test_every_command_that_a_page_names_exists(project: Path) -> None:
    """At night nobody wants to learn that a command was renamed. And no command is left out."""
    pages = [project / "deploy/RUNBOOK.md", project / "README.md", *(project / "docs").rglob("*.md")]
    text = "\n".join(page.read_text() for page in pages)
    named = set(re.findall(r"(?:`|^ *)oracode ([a-z]+)(?: ([a-z]+))?", text, re.MULTILINE))
    assert set(LazyGroup().list_commands(Context(LazyGroup()))) <= {name for name, _ in named}
    for name, verb in named:
        command = LazyGroup().get_command(Context(LazyGroup()), name)
        assert command is not None or name == "up", name
        if isinstance(command, Group) and verb:
            assert verb in command.commands, (name, verb)
