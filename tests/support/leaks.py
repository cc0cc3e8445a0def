"""Looks for secrets in everything that a running system writes: keys, logs, alerts, answers, and commands' output."""

import base64
import binascii
import json
import re
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import httpx
from redis import Redis

from tests.support.machine import Machine

# In the broker a task is JSON in base64 in JSON.
_PACKED = re.compile(r"[A-Za-z0-9+/]{16,}={0,2}")
# Digits that aren't part of an id, a time or a fraction.
_ALONE = re.compile(r"(?<![0-9A-Za-z\-.:])[0-9]+(?![0-9A-Za-z\-])")
# How many arguments a command has, and how many bytes the next of them.
_PROTOCOL = re.compile(rb"(?:\r\n|^)(?:\*[0-9]+\r\n)?\$[0-9]+\r\n")
_KEEPERS = ("state.json", "run.json", "server.", "sandbox.sqlite", "rabbitmq.conf")
_COMMANDS = (
    ("doctor",),
    ("doctor", "--json"),
    ("bookings", "list"),
    ("bookings", "list", "--json"),
    ("parked", "list"),
    ("parked", "list", "--json"),
    ("coverage", "--json"),
)


def everything_in(redis: Redis) -> str:
    """Return every value of every key. Encoded values are there decoded, too."""
    kept: list[Any] = []
    for key in map(str, redis.scan_iter("*")):
        kept.append(key)
        match str(redis.type(key)):
            case "string":
                kept.append(redis.get(key))
            case "hash":
                kept.append(redis.hgetall(key))
            case "list":
                kept.append(redis.lrange(key, 0, -1))
            case "set":
                kept.append(list(redis.smembers(key)))
            case "stream":
                kept.append(redis.xrange(key))
            case "zset":
                kept.append(redis.zrange(key, 0, -1))
            case "none":
                pass  # It was there a moment ago: the system works while it is searched.
            case other:
                raise AssertionError(f"{key}: a {other} isn't searched")
    text = json.dumps(kept)
    return "\n".join([text, *_unpacked(text)])


def _unpacked(text: str) -> Iterator[str]:
    for packed in _PACKED.findall(text):
        try:
            yield base64.b64decode(packed, validate=True).decode()
        except (binascii.Error, UnicodeDecodeError):
            continue


def everything_said(machine: Machine, booking_ids: Iterable[str]) -> dict[str, str]:
    """Return, by place, all that a person or a program can read from the machine without access to Seam."""
    run = machine.run()
    with machine.redis() as redis:
        places = {"redis": everything_in(redis), "broker's clients": json.dumps(redis.client_list())}
    places["logs"] = machine.logs()
    places["output"] = machine.output()
    places["alerts"] = httpx.get(f"{run['seam_url']}/alerts.json").text
    asked = (("GET", "/healthz"), ("GET", "/readyz"), ("GET", "/"), ("POST", "/webhooks/seam"), ("POST", "/bookings"))
    for method, path in asked:
        answer = httpx.request(method, f"{run['web_url']}{path}", content=b"{}")
        places[f"{method} {path}"] = f"{answer.headers} {answer.text}"
    for command in (*_COMMANDS, *(("bookings", "show", each) for each in booking_ids)):
        ran = machine.oracode(*command)
        assert "Traceback" not in ran.stderr, ran.stderr
        places[" ".join(command)] = ran.stdout + ran.stderr
    return places


def everything_on(directory: Path) -> Iterator[tuple[str, str]]:
    """Yield each file below a directory with its text, one at a time: they may be large.

    Left out are files that must hold secrets: those made up at the first run, which only their owner can read, and the
    sandbox, which is Seam. An append-only file is yielded without the protocol's numbers, and with its encoded values
    decoded. A snapshot's longer values are compressed: only `everything_in` finds secrets in those.
    """
    for path in sorted(directory.rglob("*")):
        if not path.is_file() or path.name.startswith(_KEEPERS):
            continue
        content = path.read_bytes()
        if path.suffix == ".aof":
            content = _PROTOCOL.sub(b"\n", content)
        text = content.decode("latin-1")
        yield str(path.relative_to(directory)), "\n".join([text, *sorted(set(_unpacked(text)))])


def secrets_of(machine: Machine) -> tuple[list[str], list[str]]:
    """Return the PINs that the sandbox made, and every key, token and password of the machine."""
    handed_out = machine.seam("GET", "/sandbox/secrets")
    state = json.loads((machine.directory / "state.json").read_text())
    own = [value for name, value in state.items() if isinstance(value, str)]
    keys = {*handed_out["api_keys"], *handed_out["webhook_secrets"], *own}
    return handed_out["pins"], sorted(keys | {key.removeprefix("whsec_") for key in keys})


def leaks(secrets: Iterable[str], places: dict[str, str]) -> list[str]:
    """Return which secret was found where. Short PINs occur by chance in ids and times: they count only alone."""
    secrets = list(secrets)
    found = []
    for place, text in places.items():
        alone = set(_ALONE.findall(text))
        found += [
            f"{secret[:4]}… in {place}"
            for secret in secrets
            if (secret in alone if secret.isdigit() else secret in text)
        ]
    return found
