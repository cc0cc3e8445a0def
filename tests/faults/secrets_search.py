"""After a fault run: is a PIN, key or secret anywhere that it may not be, and would it be found if it were."""

from collections.abc import Iterable
from pathlib import Path

import httpx

from tests.faults.table import Row
from tests.support.leaks import everything_in, everything_on, everything_said, leaks, secrets_of
from tests.support.machine import Machine

# The command line shows bookings alike: a few of them are as good as all.
_SHOWN_BOOKINGS = 5


def search_secrets(machine: Machine, *, said: Iterable[str], bookings: Iterable[str], more: Iterable[Path] = ()) -> Row:
    """Search all keys, logs, alerts, answers, commands' output and files, of `more` directories too; then plant one."""
    pins, keys = secrets_of(machine)
    secrets = [*pins, *keys]
    row = Row("searched for secrets", times=1, within=None)
    places = everything_said(machine, list(bookings)[:_SHOWN_BOOKINGS])
    places["answers to the load"] = "\n".join(said)
    row.secrets = leaks(secrets, places)
    size, count = sum(map(len, places.values())), len(places)
    for directory in (machine.directory, *more):
        for place, text in everything_on(directory):
            row.secrets += leaks(secrets, {place: text})
            size, count = size + len(text), count + 1
    row.notes.append(
        f"secrets found: {len(row.secrets)}, of {len(pins)} PINs and {len(keys)} keys and secrets,"
        f" in {count} places of {size / 1e6:,.0f} MB"
    )
    if not pins or not keys:
        row.broken.append("none was handed out: it was no search")
    _plant_and_find(machine, pins[-1], row)
    return row


def _plant_and_find(machine: Machine, pin: str, row: Row) -> None:
    """Write a PIN where none may be; whatever of it isn't found shows that the search is blind there."""
    run = machine.run()
    with machine.redis() as redis:
        redis.set("planted", f"the PIN is {pin}")
        kept = everything_in(redis)
        files = {name: text for name, text in everything_on(machine.directory) if name.endswith(".incr.aof")}
        redis.delete("planted")
    httpx.post(f"{run['seam_url']}/alerts/slack", json={"text": f"the PIN is {pin}"})
    with (machine.directory / "logs" / "web.log").open("a") as log:
        log.write(f'{{"event": "planted", "code": "{pin}"}}\n')
    planted = {
        "keys": kept,
        "append-only file": "\n".join(files.values()),
        "alerts": httpx.get(f"{run['seam_url']}/alerts.json").text,
        "logs": machine.logs(),
    }
    blind = [place for place, text in planted.items() if not leaks([pin], {place: text})]
    row.notes.append(f"planted on purpose in {len(planted)} places: found in {len(planted) - len(blind)}")
    row.broken += [f"the search is blind: {place}" for place in blind]
