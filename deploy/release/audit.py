"""`make audit`: known vulnerabilities of what is pinned, as the advisory service of pip-audit tells them.

Exit 0: all is sound; 1: something is vulnerable; 3: the service gave no answer, so NOTHING is known.
"""

import subprocess
import sys
from collections.abc import Sequence
from typing import Final

_ASK: Final = ("--strict", "--require-hashes", "--disable-pip", "--progress-spinner", "off", "--timeout", "20")
_NO_ANSWER: Final = "ERROR:pip_audit"
_NOTHING_KNOWN: Final = 3


def main(arguments: Sequence[str]) -> int:
    """Ask about each lock: `pip-audit LOCK...`. Without --strict, unanswered packages would count as sound."""
    program, *locks = arguments
    is_sound = True
    for lock in locks:
        done = subprocess.run([program, *_ASK, "-r", lock], capture_output=True, text=True, check=False)
        if done.returncode == 0:
            print(f"{lock}: nothing is known to be vulnerable")
            continue
        errors = [line for line in done.stderr.splitlines() if line.strip()]
        unanswered = next((line for line in errors if line.startswith(_NO_ANSWER)), "")
        if unanswered or not done.stdout.strip():
            why = (unanswered or (errors or ["it said nothing"])[-1]).removeprefix(_NO_ANSWER).rpartition("_cli:")[2]
            print(f"make audit: no answer about {lock} ({why}). NOTHING is known to be sound.", file=sys.stderr)
            return _NOTHING_KNOWN
        print(f"{lock}: vulnerable\n{done.stdout.rstrip()}")
        is_sound = False
    return 0 if is_sound else 1


if __name__ == "__main__":
    raise SystemExit(main(sys.argv[1:]))
