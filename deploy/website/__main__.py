"""`make docs`: build the site, or say what is wrong with it and exit 1."""

import argparse
import sys
from pathlib import Path

from deploy.website.build import PROJECT, NotBuilt, build


def main() -> int:
    """Build it."""
    parser = argparse.ArgumentParser(prog="make docs", description="Build the documentation as a site.")
    parser.add_argument("--directory", type=Path, default=PROJECT / ".site", help="emptied first; default: .site")
    directory: Path = parser.parse_args().directory
    try:
        site = build(directory.resolve())
    except NotBuilt as error:
        print(error, file=sys.stderr)
        return 1
    print(f"{site / 'index.html'} is the first page. Every link in the site leads somewhere.")
    return 0


if __name__ == "__main__":
    sys.exit(main())
