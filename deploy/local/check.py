"""Checks all settings before any process is started: an invalid one would end a process."""

import os
from typing import Final

import httpx
from pydantic import SecretStr

from shared.doors_file import InvalidDoorsFile
from shared.secret_files import SUFFIX, read_secret_files
from shared.settings import InvalidSettings, Settings
from worker.alerts.setup import InvalidAlerting, load_alerting
from worker.ports import units_of

# This command sets them itself, even if the environment has other values.
_OURS: Final = frozenset({"HOST", "PORT", "CONSOLE_HOST", "CONSOLE_PORT"})


def take_secret_files() -> None:
    """Put the content of each NAME_FILE into NAME, so that later code reads NAME only. Unreadable files are skipped."""
    values, _ = read_secret_files(Settings.secret_names(), os.environ)
    for name, value in values.items():
        os.environ[name] = value
        del os.environ[f"{name}{SUFFIX}"]


def unusable_settings() -> list[str]:
    """Return every problem of the environment's settings and of the files that they name."""
    settings, problems = _loaded()
    if settings.redis_url is None:
        # Our own data server isn't running yet, so it isn't checked.
        settings = settings.model_copy(update={"redis_url": SecretStr("redis://127.0.0.1")})
    units = {}
    try:
        units = dict(units_of(settings))
    except InvalidDoorsFile as invalid:
        problems["DOORS_FILE"] = str(invalid)
    try:
        with httpx.Client() as client:
            load_alerting(settings, client, units)
    except InvalidAlerting as invalid:
        problems |= invalid.problems
    return [f"{name} {problem}" for name, problem in sorted(problems.items()) if name not in _OURS]


def _loaded() -> tuple[Settings, dict[str, str]]:
    """Return the settings without those that can't be used, and the problems of these by name."""
    try:
        return Settings.load(), {}
    except InvalidSettings as invalid:
        problems = invalid.problems
    given = dict(os.environ)
    for name in given:
        if name.upper() in problems:
            del os.environ[name]
    try:
        return Settings.load(), problems
    finally:
        os.environ.update(given)
