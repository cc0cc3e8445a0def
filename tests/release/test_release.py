"""What a release needs: one version everywhere, a wheel with all that runs, hashes that fit."""

import shutil
import subprocess
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner

from deploy.release import audit
from deploy.release.build import NotReleasable, build_wheel, run, write_sums
from deploy.release.versions import UNRELEASED, changelog_headings, problems_of_versions, version_of
from worker.cli import oracode


def test_one_version_everywhere(project: Path) -> None:
    """pyproject.toml, the changes, the image of the manifests, and what `oracode --version` says."""
    assert problems_of_versions(project, f"v{version_of(project)}") == []
    said = CliRunner().invoke(oracode, ["--version"]).output.strip()
    assert said == version_of(project), "make setup-dev installs the project anew"


def test_the_changes_are_listed_by_version_newest_first(project: Path) -> None:
    """What isn't released yet stands first, and has no date; each release has one."""
    headings = changelog_headings(project)
    names = [name for name, _ in headings]
    dates = [date for name, date in headings if name != UNRELEASED]
    assert names[0] in {UNRELEASED, version_of(project)}
    assert all(dates)
    assert dates == sorted(dates, reverse=True)
    versions = [tuple(map(int, name.split("."))) for name in names if name != UNRELEASED]
    assert versions == sorted(versions, reverse=True)
    assert len(versions) == len(set(versions))


@pytest.fixture
def small(project: Path, tmp_path: Path) -> Path:
    """Copy the files that name the version."""
    for name in ("pyproject.toml", "CHANGELOG.md", "deploy/kubernetes/kustomization.yaml"):
        (tmp_path / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(project / name, tmp_path / name)
    return tmp_path


def test_what_doesnt_fit_together_is_told(small: Path) -> None:
    """A version without its section or its image, and a tag of another version."""
    version = version_of(small)
    path = small / "pyproject.toml"
    path.write_text(path.read_text().replace(f'version = "{version}"', 'version = "9.9.9"', 1))
    assert problems_of_versions(small, f"v{version}") == [
        "CHANGELOG.md has no section `## 9.9.9 (YYYY-MM-DD)`",
        "deploy/kubernetes/kustomization.yaml names another image than 9.9.9",
        f"the tag is v{version}, and pyproject.toml says 9.9.9: v9.9.9 was expected",
    ]


def test_the_wheel_has_all_that_runs(project: Path, tmp_path: Path) -> None:
    """Modules, scripts of the data server and pages of the console; nothing of tests, sandbox or benchmarks."""
    wheel = build_wheel(project, tmp_path / "dist")
    with zipfile.ZipFile(wheel) as archive:
        names = set(archive.namelist())
    kinds = {".py", ".lua", ".html", ".css", ".js", ".svg"}
    needed = {
        path.relative_to(project).as_posix()
        for package in ("receiver", "shared", "worker")
        for path in (project / package).rglob("*")
        if path.suffix in kinds
    }
    assert needed <= names
    packages = {name.split("/")[0] for name in names}
    assert packages == {"receiver", "shared", "worker", f"oracode_codes-{version_of(project)}.dist-info"}


def test_sums_are_those_of_the_files(tmp_path: Path) -> None:
    """As `sha256sum --check` reads them; a file that was changed is noticed."""
    (tmp_path / "a.whl").write_text("a")
    (tmp_path / "sbom.json").write_text("{}")
    write_sums(tmp_path)
    check = ["sha256sum", "--check", "--quiet", "SHA256SUMS"]
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 0
    (tmp_path / "a.whl").write_text("b")
    assert subprocess.run(check, cwd=tmp_path, capture_output=True, check=False).returncode == 1


def test_a_step_that_fails_says_what_it_said() -> None:
    """So that nobody runs it again to see."""
    with pytest.raises(NotReleasable, match=r"false failed|sh -c .* failed"):
        run("sh", "-c", "echo broken >&2; exit 1")


@pytest.mark.parametrize(
    ("script", "code", "said"),
    [
        ("exit 0", 0, "a.txt: nothing is known to be vulnerable"),
        ("echo 'amqp 5.4.2 PYSEC-1'; echo 'Found 1 known vulnerability' >&2; exit 1", 1, "PYSEC-1"),
        (
            "echo 'ERROR:pip_audit._cli:amqp: Dependency not found' >&2; exit 1",
            3,
            "(amqp: Dependency not found). NOTHING",
        ),
        ("exit 1", 3, "NOTHING is known"),
    ],
    ids=["sound", "vulnerable", "no answer", "silent"],
)
def test_an_audit_without_an_answer_is_not_called_sound(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], script: str, code: int, said: str
) -> None:
    """Nor vulnerable: three ends, and the last says in one line that nothing is known."""
    auditor = tmp_path / "pip-audit"
    auditor.write_text(f"#!/bin/sh\n{script}\n")
    auditor.chmod(0o755)
    assert audit.main([str(auditor), "a.txt"]) == code
    told = capsys.readouterr()
    assert said in (told.err if code == 3 else told.out)
    assert len(told.err.splitlines()) == (code == 3)
