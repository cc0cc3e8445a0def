"""Records what this version stores: `python -m tests.stored.record FILE`, three minutes.

The real system (`oracode up`) is driven through `tests.stored.scenes` and then killed at once, with work of every kind
under way. What its data server holds is written to FILE, with the doors and codes that Seam (the sandbox) had. Ids that
were made up at random are numbered instead. A recording is never made anew for a version that has one: a version that
stores something else gets a file of its own, beside the older ones.
"""

import argparse
import json
import os
import re
import signal
import socket
import tempfile
from datetime import datetime
from pathlib import Path
from typing import Any, Final

from redis import Redis

from deploy.local.ports import free_port
from shared.clock import system_clock
from shared.domain import versions
from tests.stored.dump import dump, pretty, renamed
from tests.stored.happenings import (
    OUTCOMES,
    doubt,
    forget,
    happen,
    keep_outbox,
    leave_unread,
    park,
    poison,
    tell,
    wait_for_parent,
)
from tests.stored.scenes import SOON, ZONE, Script
from tests.stored.stage import HOOK_SECRET, SLACK_SECRET, Stage, settings_for, write_doors_file
from tests.support.leaks import leaks, secrets_of
from tests.support.machine import Machine
from tests.support.server import DataServer
from tests.worker.channel_servers import TOKEN, SlackApi
from tests.worker.recording_server import recording

# The rest says nothing that these don't.
MOST_OUTCOMES: Final = 12
# As `oracode up` names what it makes up, and as Seam and we name things.
_UUID: Final = re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}\b")
_GIVEN: Final = ("d0000000-", "99999999-")


def record(directory: Path, slack: str) -> dict[str, Any]:
    """Drive everything, kill it, and return what is to be kept."""
    seam_port = free_port()
    now = system_clock()
    script = Script(now)
    first, second = script.first_part(), script.second_part()
    doubtful, last, late = script.doubtful_part(), script.last_part(), script.late_part()
    settings = settings_for(directory, slack=slack)
    check_in = datetime.fromisoformat(next(e for e in second if e.booking_id == "SCHEDULED-SOON").booking["check_in"])
    write_doors_file(directory, script.units, soon=check_in.replace(tzinfo=ZONE) - now - SOON)

    it = Stage(directory, {**settings, "LONG_STAYS": "refuse", "RECLAIM_AFTER": "2s"}, seam_port)
    it.start()
    it.play(first)
    poison(it, script)
    for booking_id in ("ENDED", "FORGOTTEN"):
        it.wait(booking_id, "ended", "", within=90)
    it.machine.stop(signal.SIGKILL)
    forget(it, "FORGOTTEN")

    again = Stage(directory, settings, seam_port)
    again.start()
    again.play(second)
    again.play(script.third_part())
    happen(again, script)
    park(again, script)
    doubt(again, doubtful)
    tell(again)
    wait_for_parent(again)
    # From here on nobody waits for what isn't done.
    again.play(last)
    keep_outbox(again, late[0])
    recorded_at = leave_unread(again, *late[1:])
    seam = again.seam_as_it_is()
    secrets = secrets_of(again.machine)
    _kill(again.machine)
    keys = _keys(directory)
    content: dict[str, Any] = {
        "about": "What a system stored that was killed: see tests/stored/record.py. Never edited, never made anew.",
        "recorded_at": recorded_at.isoformat(),
        "zone": ZONE.key,
        "units": script.units,
        "versions": {
            name: getattr(versions, name) for name in dir(versions) if name.isupper() and name != "NOT_IN_JSON"
        },
        "seam": seam,
        "keys": keys,
    }
    content = _numbered(content)
    content["keys"] = dict(sorted(content["keys"].items()))
    text = pretty(content)
    found = leaks([*secrets[0], *secrets[1], HOOK_SECRET, TOKEN, SLACK_SECRET], {"recording": text})
    assert found == [], found
    for private in (str(directory), str(Path.home()), socket.gethostname()):
        assert private not in text, private
    return content


def _kill(machine: Machine) -> None:
    """End everything at once, what is stopped too."""
    pids = machine.run()["pids"]
    machine.stop(signal.SIGKILL)
    for name in ("worker", "beat"):
        try:
            os.kill(pids[name], signal.SIGKILL)
        except ProcessLookupError:
            continue


def _keys(directory: Path) -> dict[str, Any]:
    server = DataServer(directory / "redis")
    server.start()
    with Redis.from_url(server.url) as redis:
        redis.rename("aside", OUTCOMES)
        redis.xtrim(OUTCOMES, maxlen=MOST_OUTCOMES, approximate=False)
        keys = dump(redis)
    server.stop()
    return keys


def _numbered(content: dict[str, Any]) -> dict[str, Any]:
    """Return everything with ids that were made up at random numbered, those of codes in the order of their making."""
    names = {
        code["access_code_id"]: f"c0de0000-0000-4000-8000-{n:012}" for n, code in enumerate(content["seam"]["codes"], 1)
    }
    text = json.dumps(content, ensure_ascii=False)
    others = dict.fromkeys(
        found for found in _UUID.findall(text) if found not in names and not found.startswith(_GIVEN)
    )
    names |= {found: f"a0000000-0000-4000-8000-{n:012}" for n, found in enumerate(others, 1)}
    named: dict[str, Any] = renamed(content, names)
    return named


def main() -> None:
    """Record into the file that is named."""
    options = argparse.ArgumentParser(prog="python -m tests.stored.record", description="Record what is stored.")
    options.add_argument("file", type=Path, help="a new file, tests/stored/recordings/version_….json")
    path: Path = options.parse_args().file
    if path.exists():
        options.error(f"{path} exists, and a recording is never made anew")
    with tempfile.TemporaryDirectory() as directory, recording(SlackApi()) as slack:
        content = record(Path(directory) / "data", slack.url)
    path.write_text(pretty(content))
    print(f"{path}: {path.stat().st_size // 1024} KiB, {len(content['keys'])} keys")


if __name__ == "__main__":
    main()
