"""ALERTS_FILE: channels by name, which problems go to which of them, and the rules of alerting.

Read as text, never as YAML's own types (to YAML `22:00` is the number 1320), and checked as a whole: every problem is
named with its path, and unknown keys are refused.
"""

import os
from collections.abc import Iterator
from datetime import datetime, time, timedelta
from itertools import count
from pathlib import Path
from typing import Annotated, Any, Final, Literal, Self
from urllib.parse import urlsplit
from zoneinfo import ZoneInfo

import yaml
from pydantic import (
    BaseModel,
    BeforeValidator,
    ConfigDict,
    Field,
    SecretStr,
    TypeAdapter,
    ValidationError,
    model_validator,
)

from shared.domain.alerting.absence import ABSENCES
from shared.domain.alerting.policy import PAGE_JOIN_WINDOW
from shared.domain.alerting.severity import Severity
from shared.domain.durations import parse_duration
from shared.domain.troubles import TROUBLES

_LARGEST: Final = 1024 * 1024
# A file for thousands of units is far below it.
_MOST_NODES: Final = 100_000
# The C loader is ten times faster, and not on every machine.
_LOADER = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
PAGERDUTY: Final = "https://events.pagerduty.com/v2/enqueue"
SLACK_API: Final = "https://slack.com/api"


class InvalidAlertsFile(ValueError):
    """The file can't be used; `problems` names every fault with its path in the file."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def _one_or_many(value: Any) -> Any:
    return [value] if isinstance(value, str) else value


def _problem(value: str) -> str:
    if value not in TROUBLES and value not in ABSENCES:
        raise ValueError(f"{value[:40]!r} is no kind of problem; deploy/RUNBOOK.md lists them")
    return value


def _absence(value: str) -> str:
    if value not in ABSENCES:
        raise ValueError(f"{value[:40]!r} is nothing that can be missed: there are {', '.join(ABSENCES)}")
    return value


def _some(value: Any) -> Any:
    if value == {}:
        raise ValueError("names no channel, so nobody would be told; without a file, ALERT_URLS gets everything")
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


def _url(value: str) -> str:
    try:
        parts = urlsplit(value)
        is_url = parts.scheme in ("http", "https") and bool(parts.hostname) and parts.port != 0
    except ValueError:
        # The library's words may quote the address, and a chat's address is its key.
        is_url = False
    if not is_url or any(c.isspace() for c in value):
        raise ValueError("is not an address like https://host/path")
    return value


def _secret_from(name: str) -> str:
    """Return what the environment holds under `name`. Raises ValueError where it holds nothing."""
    value = os.environ.get(name, "")
    if not value:
        raise ValueError(f"{name} is not set in the environment")
    return value


Duration = Annotated[timedelta, BeforeValidator(lambda value: parse_duration(value, allow_zero=True))]
Longer = Annotated[timedelta, BeforeValidator(parse_duration)]
Url = Annotated[str, BeforeValidator(_url)]
Problem = Annotated[str, BeforeValidator(_problem)]
Names = Annotated[tuple[str, ...], BeforeValidator(_one_or_many)]
Problems = Annotated[tuple[Problem, ...], BeforeValidator(_one_or_many)]
Durations = Annotated[tuple[Duration, ...], BeforeValidator(_one_or_many)]
# Addresses of chats are their keys: they are secrets like any token.
FromEnvironment = Annotated[SecretStr | None, BeforeValidator(_secret_from)]


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _HasUrl(_Part):
    url: Annotated[SecretStr | None, BeforeValidator(_url)] = None
    url_env: FromEnvironment = None

    @property
    def address(self) -> str:
        """The address, from wherever it came."""
        secret = self.url or self.url_env
        return secret.get_secret_value() if secret else ""

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("needs one of url and url_env")
        _url(self.address)
        return self


class SlackPart(_HasUrl):
    """A Slack incoming webhook."""

    type: Literal["slack"]


class TeamsPart(_HasUrl):
    """A Teams workflow."""

    type: Literal["teams"]


class WebhookPart(_HasUrl):
    """A receiver that verifies Standard Webhooks."""

    type: Literal["webhook"]
    secret_env: Annotated[SecretStr, BeforeValidator(_secret_from)]


class ApprisePart(_Part):
    """Whatever apprise reaches; the address is in its own writing."""

    type: Literal["apprise"]
    url_env: Annotated[SecretStr, BeforeValidator(_secret_from)]


class SlackBotPart(_Part):
    """A Slack channel by a bot's token."""

    type: Literal["slack_bot"]
    token_env: Annotated[SecretStr, BeforeValidator(_secret_from)]
    channel: str = Field(min_length=1)
    api: Url = SLACK_API


class PagerDutyPart(_Part):
    """A PagerDuty service by its routing key."""

    type: Literal["pagerduty"]
    key_env: Annotated[SecretStr, BeforeValidator(_secret_from)]
    url: Url = PAGERDUTY


class EmailPart(_Part):
    """Recipients by SMTP."""

    type: Literal["email"]
    host: str = Field(min_length=1)
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "ssl", "none"] = "starttls"
    username: str = ""
    password_env: FromEnvironment = None
    sender: str = Field(alias="from", pattern=r"^[^@\s]+@[^@\s]+$")
    to: Annotated[tuple[Annotated[str, Field(pattern=r"^[^@\s]+@[^@\s]+$")], ...], BeforeValidator(_one_or_many)]

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if not self.to:
            raise ValueError("to names nobody")
        if bool(self.username) != (self.password_env is not None):
            raise ValueError("username and password_env belong together")
        return self


ChannelPart = Annotated[
    SlackPart | TeamsPart | WebhookPart | ApprisePart | SlackBotPart | PagerDutyPart | EmailPart,
    Field(discriminator="type"),
]


class RoutePart(_Part):
    """What goes where."""

    channels: Names
    severity: Severity = Severity.INFO
    problems: Problems = ()
    devices: Names = ()
    units: Names = ()
    tags: Names = ()
    buildings: Names = ()


class SeverityPart(_Part):
    """How long before check-in a problem hurries how much, and the level of those without a check-in."""

    page_before: Duration = timedelta(hours=2)
    warn_before: Duration = timedelta(hours=24)
    problems: dict[Problem, Severity] = {}

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.page_before > self.warn_before:
            raise ValueError("page_before is longer than warn_before")
        return self


class QuietPart(_Part):
    """When information waits."""

    starts: Annotated[time, BeforeValidator(_clock)] = Field(alias="from")
    ends: Annotated[time, BeforeValidator(_clock)] = Field(alias="to")
    time_zone: Annotated[str, BeforeValidator(_zone)]


class RatePart(_Part):
    """How many messages a channel gets."""

    burst: int = Field(20, ge=1, le=1_000)
    every: Longer = timedelta(seconds=15)


class AlertsFile(_Part):
    """The whole file."""

    channels: Annotated[
        dict[Annotated[str, Field(pattern=r"^[A-Za-z0-9_-]{1,40}$")], ChannelPart], BeforeValidator(_some)
    ]
    routes: tuple[RoutePart, ...] = ()
    fallback: str = ""
    severity: SeverityPart = SeverityPart()
    reminders: dict[Severity, Durations] = {}
    group_window: Duration | None = None
    page_join_window: Duration = PAGE_JOIN_WINDOW
    quiet_hours: QuietPart | None = None
    rate: RatePart = RatePart()
    absence: dict[Annotated[str, BeforeValidator(_absence)], Longer] = {}


def load_alerts_file(path: Path) -> AlertsFile:
    """Return what the file says. Raises InvalidAlertsFile with every problem."""
    try:
        with path.open("rb") as file:
            root = yaml.compose(file.read(_LARGEST).decode("utf-8-sig"), Loader=_LOADER)
        problems: list[str] = []
        content = _plain(root, "", problems, count(1))
    except OSError as error:
        raise InvalidAlertsFile([error.strerror or "can't be read"]) from None
    except InvalidAlertsFile:
        raise
    except RecursionError:
        raise InvalidAlertsFile(["is nested too deeply, or holds an alias of itself"]) from None
    except ValueError:
        raise InvalidAlertsFile(["is not readable text"]) from None
    except yaml.YAMLError as error:
        line = error.problem_mark.line + 1 if isinstance(error, yaml.MarkedYAMLError) and error.problem_mark else 0
        raise InvalidAlertsFile([f"line {line}: is not YAML"]) from None
    try:
        found = TypeAdapter(AlertsFile).validate_python(content)
    except ValidationError as invalid:
        problems += [_text_of(dict(fault)) for fault in invalid.errors(include_url=False, include_input=False)]
        raise InvalidAlertsFile(problems) from None
    problems += _unknown_channels(found)
    if problems:
        raise InvalidAlertsFile(problems)
    return found


def _plain(node: yaml.Node | None, path: str, problems: list[str], counted: Iterator[int]) -> Any:
    """Return the node as texts, lists and mappings; a key that stands twice is a problem.

    Raises InvalidAlertsFile where aliases of aliases stand for more than any such file says: a few lines can stand for
    more than memory holds.
    """
    if next(counted) > _MOST_NODES:
        raise InvalidAlertsFile([f"says more than {_MOST_NODES} things: aliases stand for too much"])
    match node:
        case yaml.MappingNode():
            content: dict[str, Any] = {}
            for key, value in node.value:
                name = str(key.value) if isinstance(key, yaml.ScalarNode) else ""
                where = f"{path}.{name}" if path else name
                if name in content:
                    problems.append(f"{where}: stands a second time on line {key.start_mark.line + 1}")
                content[name] = _plain(value, where, problems, counted)
            return content
        case yaml.SequenceNode():
            return [_plain(value, f"{path}.{number}", problems, counted) for number, value in enumerate(node.value)]
        case yaml.ScalarNode():
            return str(node.value)
        case _:
            return {}


def _text_of(fault: dict[str, Any]) -> str:
    where = ".".join(str(step) for step in fault["loc"]) or "file"
    return f"{where}: {str(fault['msg']).removeprefix('Value error, ')}"


def _unknown_channels(found: AlertsFile) -> list[str]:
    named = [(f"routes.{n}.channels", name) for n, route in enumerate(found.routes) for name in route.channels]
    named += [("fallback", found.fallback)] if found.fallback else []
    return [f"{where}: there is no channel {name[:40]!r}" for where, name in named if name not in found.channels]
