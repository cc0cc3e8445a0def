"""After a fault run: searches for PINs and secrets where none may be, and checks that the search would find one."""

from collections.abc import Iterable
from pathlib import Path

import httpx

from tests.faults.table import Row
from tests.support.leaks import everything_in, everything_on, everything_said, leaks, secrets_of
from tests.support.machine import Machine

# The command line shows all bookings in the same way, so a few are enough.
_SHOWN_BOOKINGS = 5


def search_secrets(machine: Machine, *, said: Iterable[str], bookings: Iterable[str], more: Iterable[Path] = ()) -> Row:
    """Search all keys, logs, alerts, answers, output and files, also in the directories `more`; then plant a PIN."""
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
    """Write a PIN where none may be; the search must find it in each place."""
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
