"""ALERTS_FILE as a schema: channels of each kind, routes, and the rules of alerting. Unknown keys are refused."""

from datetime import timedelta
from typing import Annotated, Any, Final, Literal, Self

from pydantic import BaseModel, BeforeValidator, ConfigDict, Field, model_validator

from shared.domain.alerting.severity import Severity
from shared.domain.alerting.timing_policy import PAGE_JOIN_WINDOW
from worker.alerts.alerts_file_values import (
    ChannelName,
    DeviceIds,
    Duration,
    Durations,
    FromEnvironment,
    MailAddress,
    MailAddresses,
    MissedHeartbeatName,
    Names,
    PositiveDuration,
    Problem,
    Problems,
    SecretUrl,
    TimeOfDay,
    Url,
    ZoneName,
    check_url,
)

PAGERDUTY: Final = "https://events.pagerduty.com/v2/enqueue"
SLACK_API: Final = "https://slack.com/api"


class _Part(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True, hide_input_in_errors=True)


class _HasUrl(_Part):
    url: SecretUrl | None = None
    url_env: FromEnvironment | None = None

    @property
    def address(self) -> str:
        """The URL, given in the file or by the environment."""
        secret = self.url or self.url_env
        return secret.get_secret_value() if secret else ""

    @model_validator(mode="after")
    def _has_one(self) -> Self:
        if (self.url is None) == (self.url_env is None):
            raise ValueError("needs one of url and url_env")
        check_url(self.address)
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
    secret_env: FromEnvironment


class ApprisePart(_Part):
    """A service that apprise reaches; the URL is in apprise's format."""

    type: Literal["apprise"]
    url_env: FromEnvironment


class SlackBotPart(_Part):
    """A Slack channel by a bot's token."""

    type: Literal["slack_bot"]
    token_env: FromEnvironment
    channel: str = Field(min_length=1)
    api: Url = SLACK_API


class PagerDutyPart(_Part):
    """A PagerDuty service by its routing key."""

    type: Literal["pagerduty"]
    key_env: FromEnvironment
    url: Url = PAGERDUTY


class EmailPart(_Part):
    """Recipients by SMTP."""

    type: Literal["email"]
    host: str = Field(min_length=1)
    port: int = Field(587, ge=1, le=65535)
    security: Literal["starttls", "ssl", "none"] = "starttls"
    username: str = ""
    password_env: FromEnvironment | None = None
    sender: MailAddress = Field(alias="from")
    to: MailAddresses

    @model_validator(mode="after")
    def _is_whole(self) -> Self:
        if bool(self.username) != (self.password_env is not None):
            raise ValueError("username and password_env belong together")
        return self


ChannelPart = Annotated[
    SlackPart | TeamsPart | WebhookPart | ApprisePart | SlackBotPart | PagerDutyPart | EmailPart,
    Field(discriminator="type"),
]


class RoutePart(_Part):
    """Which problems go to which channels."""

    channels: Names
    severity: Severity = Severity.INFO
    problems: Problems = ()
    devices: DeviceIds = ()
    units: Names = ()
    tags: Names = ()
    buildings: Names = ()


class SeverityPart(_Part):
    """How long before check-in a problem warns and pages, and the severity of problems without a check-in."""

    page_before: Duration = timedelta(hours=2)
    warn_before: Duration = timedelta(hours=24)
    problems: dict[Problem, Severity] = {}

    @model_validator(mode="after")
    def _is_in_order(self) -> Self:
        if self.page_before > self.warn_before:
            raise ValueError("page_before is longer than warn_before")
        return self


class MuteTimePart(_Part):
    """The mute time: when alerts of the level `info` wait."""

    starts: TimeOfDay = Field(alias="from")
    ends: TimeOfDay = Field(alias="to")
    time_zone: ZoneName


class RatePart(_Part):
    """How many messages a channel gets."""

    burst: int = Field(20, ge=1, le=1_000)
    every: PositiveDuration = timedelta(seconds=15)


def _has_channels(value: Any) -> Any:
    if value == {}:
        raise ValueError("names no channel, so nobody would be told; without a file, ALERT_URLS gets everything")
    return value


class AlertsFile(_Part):
    """The whole file."""

    channels: Annotated[dict[ChannelName, ChannelPart], BeforeValidator(_has_channels)]
    routes: tuple[RoutePart, ...] = ()
    fallback: str = ""
    severity: SeverityPart = SeverityPart()
    reminders: dict[Severity, Durations] = {}
    group_window: Duration | None = None
    page_join_window: Duration = PAGE_JOIN_WINDOW
    quiet_hours: MuteTimePart | None = None
    rate: RatePart = RatePart()
    absence: dict[MissedHeartbeatName, PositiveDuration] = {}
