"""Checks the single values of ALERTS_FILE. No error text quotes a secret."""

import os
import re
from datetime import datetime, time, timedelta
from typing import Annotated, Any
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

from pydantic import BeforeValidator, SecretStr

from shared.domain.alerting.missed_heartbeats import MISSED_HEARTBEATS
from shared.domain.booking.problem_catalogue import PROBLEMS
from shared.domain.door.device_id import RIGHT_DEVICE_ID, NotADeviceId, device_id_of
from shared.domain.times.durations import parse_duration
from shared.secret_files import read_secret_files


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _problem(value: str) -> str:
    if value not in PROBLEMS:
        raise ValueError(f"{value[:40]!r} is no kind of problem; deploy/RUNBOOK.md lists them")
    return value


def _missed_heartbeat(value: str) -> str:
    if value not in MISSED_HEARTBEATS:
        raise ValueError(f"{value[:40]!r} is nothing that can be missed: there are {', '.join(MISSED_HEARTBEATS)}")
    return value


def _zone(value: str) -> str:
    try:
        ZoneInfo(value)
    except (KeyError, TypeError, ValueError, OSError):
        raise ValueError(f"{str(value)[:40]!r} is no IANA time zone such as Europe/Berlin") from None
    return value


def _clock(value: str) -> time:
    try:
        return datetime.strptime(value, "%H:%M").time()  # noqa: DTZ007 - a time of day has no zone of its own
    except (TypeError, ValueError):
        raise ValueError(f"{str(value)[:40]!r} is not a time of day such as 22:00") from None


def check_url(value: str) -> str:
    """Return the URL unchanged. Raises ValueError if it isn't one; the error quotes no part of it."""
    try:
        parts = urlsplit(value)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        # The library's text may quote the URL, and the URL of a chat is a secret.
        is_url = False
    if not is_url or any(c.isspace() for c in value):
        raise ValueError("is not an address like https://host/path")
    return value


def _device_id(value: Any) -> str:
    try:
        return device_id_of(str(value))
    except NotADeviceId as error:
        raise ValueError(f"{error}: {RIGHT_DEVICE_ID}") from None


def _channel_name(value: str) -> str:
    if not re.fullmatch(r"[A-Za-z0-9_-]{1,40}", value):
        raise ValueError(f"{value[:40]!r} is no name for a channel: give 1 to 40 letters, digits, _ and -")
    return value


def _mail_address(value: Any) -> Any:
    if not isinstance(value, str) or not re.fullmatch(r"[^@\s]+@[^@\s]+", value):
        raise ValueError("is not a mail address like ops@example.com")
    return value


def _has_recipients(value: Any) -> Any:
    if value in ([], ()):
        raise ValueError("names nobody")
    return value


def _secret_from(name: str) -> str:
    """Return the environment's value of `name`, or the content of the file in NAME_FILE. Raises ValueError."""
    values, problems = read_secret_files([name], os.environ)
    for setting, problem in problems.items():
        raise ValueError(f"{setting} {problem}")
    value = values.get(name) or os.environ.get(name, "")
    if not value:
        raise ValueError(f"{name} is not set in the environment")
    return value


Duration = Annotated[timedelta, BeforeValidator(lambda value: parse_duration(value, allow_zero=True))]
PositiveDuration = Annotated[timedelta, BeforeValidator(parse_duration)]
Durations = Annotated[tuple[Duration, ...], BeforeValidator(_one_or_many)]
TimeOfDay = Annotated[time, BeforeValidator(_clock)]
ZoneName = Annotated[str, BeforeValidator(_zone)]
Problem = Annotated[str, BeforeValidator(_problem)]
Problems = Annotated[tuple[Problem, ...], BeforeValidator(_one_or_many)]
MissedHeartbeatName = Annotated[str, BeforeValidator(_missed_heartbeat)]
Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]
DeviceId = Annotated[str, BeforeValidator(_device_id)]
DeviceIds = Annotated[tuple[DeviceId, ...], BeforeValidator(_one_or_many)]
ChannelName = Annotated[str, BeforeValidator(_channel_name)]
MailAddress = Annotated[str, BeforeValidator(_mail_address)]
MailAddresses = Annotated[tuple[MailAddress, ...], BeforeValidator(_has_recipients), BeforeValidator(_one_or_many)]
Url = Annotated[str, BeforeValidator(check_url)]
# The URL of a chat is a secret, like any token.
SecretUrl = Annotated[SecretStr, BeforeValidator(check_url)]
FromEnvironment = Annotated[SecretStr, BeforeValidator(_secret_from)]
