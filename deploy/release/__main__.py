"""`make release-check`: build wheel, hashes and SBOM into `dist/`, install them in an empty environment, try them."""

import argparse
import shutil
import sys
import tempfile
from pathlib import Path
from typing import Final

from deploy.release.build import NotReleasable, build_wheel, copy_into, install, run, write_sums
from deploy.release.versions import problems_of_versions, version_of

PROJECT: Final = Path(__file__).resolve().parents[2]


def main() -> int:
    """Check everything that can be checked before a tag is pushed; exit 1 with what is wrong."""
    parser = argparse.ArgumentParser(prog="make release-check", description=__doc__)
    parser.add_argument("--tag", default="", help="the tag that is to be published, such as v0.2.0")
    parser.add_argument("--sbom", type=Path, required=True, help="what `make sbom` wrote")
    given = parser.parse_args()
    try:
        _check(PROJECT / "dist", given.tag, given.sbom)
    except NotReleasable as error:
        print(error, file=sys.stderr)
        return 1
    return 0


def _check(folder: Path, tag: str, sbom: Path) -> None:
    if problems := problems_of_versions(PROJECT, tag):
        raise NotReleasable("\n".join(problems))
    version = version_of(PROJECT)
    if folder.exists():
        shutil.rmtree(folder)
    wheel = build_wheel(PROJECT, folder)
    copy_into(folder, PROJECT / "requirements.txt")
    shutil.copyfile(sbom, folder / "sbom.json")
    write_sums(folder)
    run("sha256sum", "--check", "--quiet", "SHA256SUMS", cwd=folder)
    with tempfile.TemporaryDirectory(prefix="release-") as empty:
        oracode = install(folder, Path(empty) / "venv", wheel.name)
        said = run(str(oracode), "--version").strip()
        if said != version:
            raise NotReleasable(f"`oracode --version` says {said}, and pyproject.toml {version}")
        for module in ("receiver", "worker", "receiver.console"):
            run(str(oracode.with_name("python")), "-I", "-c", f"import {module}")
        run(str(oracode), "doctor", "--help")
    print(f"{version} can be released. In dist/: {', '.join(sorted(path.name for path in folder.iterdir()))}")


if __name__ == "__main__":
    sys.exit(main())
