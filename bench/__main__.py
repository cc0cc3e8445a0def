"""`python -m bench`: runs everything, prints the table, writes `bench/results.json`.

python -m bench                     the whole run: less than 25 minutes, on a machine that does nothing else
python -m bench --quick             a short run for trying things out: its figures prove nothing, and go to .bench/
python -m bench --only receiver     one part (may be repeated); the results of other parts stay as they were
python -m bench --profile           py-spy records the measured processes into .bench/profiles/
"""

import argparse
import importlib
import json
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

from bench import capacity, machine, plots_process
from bench.suite import Options
from bench.table import verdicts
from bench.targets import Target, missed
from shared.logging_setup import configure_logging

PARTS: Final = (
    "matching",
    "startup",
    "receiver",
    "overload",
    "replicas",
    "events",
    "creates",
    "growth",
    "scaling",
    "console",
)
RESULTS: Final = Path(__file__).parent / "results.json"
QUICK_RESULTS: Final = Path(__file__).parents[1] / ".bench" / "results.json"


def main(arguments: list[str]) -> int:
    """Run the benchmark; exit 1 if a target was missed."""
    parser = argparse.ArgumentParser(prog="python -m bench", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--profile", action="store_true")
    parser.add_argument("--only", action="append", choices=PARTS)
    asked = parser.parse_args(arguments)
    configure_logging("bench", "error")
    options = Options(quick=asked.quick, profile=asked.profile)
    path = QUICK_RESULTS if asked.quick else RESULTS
    results = read(path)
    results["machine"] = machine.described()
    texts, targets = [], []
    for part in asked.only or PARTS:
        options.say(f"== {part}")
        outcome = importlib.import_module(f"bench.{part}").run(options)
        results["parts"][part] = {
            "quick": asked.quick,
            "figures": outcome.figures,
            "targets": [{**asdict(target), "verdict": target.verdict} for target in outcome.targets],
        }
        texts.append(outcome.text)
        targets += outcome.targets
        # Written after every part: an interrupted run keeps the results that it has.
        write(path, results)
    print("\n" + "\n\n".join([*texts, verdicts(targets)]))
    plots_process.draw(path, options)
    if not asked.quick and capacity.write(results):
        options.say("docs/capacity.md is up to date")
    return conclusion(targets, path)


def read(path: Path) -> dict[str, Any]:
    """Return the stored results; empty if there are none."""
    found: dict[str, Any] = json.loads(path.read_text()) if path.exists() else {"parts": {}}
    return found


def write(path: Path, results: dict[str, Any]) -> None:
    """Store the results."""
    path.parent.mkdir(exist_ok=True)
    path.write_text(json.dumps(results, indent=1, sort_keys=True) + "\n")


def conclusion(targets: list[Target], path: Path) -> int:
    """Say what was missed, and return the exit status."""
    print(f"\nWritten to {path.relative_to(Path(__file__).parents[1])}.")
    if short := missed(targets):
        print(f"{len(short)} of {len(targets)} targets MISSED: " + "; ".join(target.what for target in short))
        return 1
    print(f"All {len(targets)} targets that could be measured are met.")
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
