"""Every setting. They are read from the environment once, at start, and all checked together.

A process names the settings that it needs (`load_settings(require=…)`). It gets a frozen `Settings`, or
`InvalidSettings` with *every* problem by the setting's name. An empty value counts as absent: an empty webhook secret
is a missing secret, and never means "no verification". A secret may also be in a file: `SEAM_API_KEY_FILE`.
"""

import binascii
import os
import re
import sys
from base64 import b64decode
from collections.abc import Iterable, Iterator, Mapping
from datetime import time, timedelta
from pathlib import Path
from typing import Annotated, Any, Final, Literal, NoReturn, Self
from urllib.parse import SplitResult, urlsplit

from pydantic import BeforeValidator, Field, SecretStr, ValidationError, field_validator
from pydantic_settings import BaseSettings, NoDecode, PydanticBaseSettingsSource, SettingsConfigDict

from shared.console_tokens import parse_console_token
from shared.data_server_address import SCHEMES, SENTINEL_SCHEMES, Sentinels, parse_data_server_address
from shared.domain.matching.match import MatchPolicy, SlotPreference
from shared.domain.messages.status_words import status_key
from shared.domain.times.daily import DailyTime, parse_daily_time
from shared.domain.times.durations import parse_duration
from shared.outcome_receivers import OutcomeReceiver, outcome_receivers
from shared.secret_files import read_secret_files

# Spaces or commas separate several secrets, tokens or addresses (docs/settings.md).
_SEPARATORS: Final = re.compile(r"[\s,]+")
_SECRET_MARK: Final = "whsec_"  # noqa: S105 - how secrets begin


def _split(value: Any) -> Any:
    return tuple(filter(None, _SEPARATORS.split(value))) if isinstance(value, str) else value


def _duration(value: Any) -> Any:
    return parse_duration(value) if isinstance(value, str) else value


def _daily_time(value: Any) -> Any:
    return parse_daily_time(value) if isinstance(value, str) else value


Duration = Annotated[timedelta, BeforeValidator(_duration)]
DailyMoment = Annotated[DailyTime, BeforeValidator(_daily_time)]
Secrets = Annotated[tuple[SecretStr, ...], NoDecode, BeforeValidator(_split)]


class InvalidSettings(ValueError):
    """Settings are missing or malformed. `problems` maps each setting's name to what is wrong with it."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = dict(problems)


class Settings(BaseSettings):
    """The settings. Their names in the environment are the field names in upper case."""

    model_config = SettingsConfigDict(frozen=True, env_ignore_empty=True, extra="ignore", case_sensitive=False)

    seam_api_key: SecretStr | None = Field(None, description="Key of the Seam workspace.")
    seam_endpoint: str = Field("https://connect.getseam.com", description="Where Seam's API is.")
    seam_webhook_secret: Secrets = Field((), description="Secrets that sign Seam's webhooks; any of them verifies.")
    redis_url: SecretStr | None = Field(None, description="The data server, or its Sentinels.")
    allow_unsafe_store: bool = Field(
        default=False, description="Whether to start on a data server without an append-only file, or that evicts."
    )
    sync_replicas: int = Field(
        0, ge=0, le=10, description="On how many replicas what is promised must be before it is answered."
    )
    celery_broker_url: SecretStr | None = Field(None, description="The task queue; REDIS_URL where it is not set.")
    booking_queue_url: SecretStr | None = Field(
        None, description="RabbitMQ that bookings are also taken from: amqp://."
    )
    event_stream: str = Field("seam-events", description="Stream that `web` appends Seam's events to.")
    booking_stream: str = Field("booking-created", description="Stream that booking systems append to.")
    outcome_stream: str = Field("access-code-outcomes", description="Stream that the worker publishes to.")
    outcome_webhook_urls: Secrets = Field(
        (), description="Receivers of outcomes: https://whsec_…@host/path, several; http:// to this machine alone."
    )
    outcome_pin: bool = Field(default=False, description="Whether outcomes that are posted carry the codes' PINs.")
    booking_tokens: Secrets = Field((), description="Bearer tokens for POST /bookings; off where empty.")
    reveal_tokens: Secrets = Field(
        (), description="Bearer tokens for POST /bookings/{id}/reveal, which answers PINs; off where empty."
    )
    doors_file: Path | None = Field(None, description="YAML file: which unit has which doors and defaults.")
    booking_status_words: Annotated[tuple[str, ...], NoDecode, BeforeValidator(_split)] = Field(
        (), description="Further words in `status`, `type` or `event` of messages that say that a booking stands."
    )
    double_booking_alerts: bool = Field(
        default=True, description="Whether people are told of a door that is booked twice for overlapping stays."
    )
    alert_urls: Secrets = Field((), description="Ops channels: slack+https://…, webhook+https://whsec_…@host/path, …")
    alerts_file: Path | None = Field(None, description="YAML file: channels, routes and rules of alerting.")
    alert_group_window: Duration = Field(timedelta(seconds=30), description="How long news waits for more of its kind.")
    runbook_url: str = Field("", description="Where the runbook can be read; alerts link to its sections.")
    heartbeat_url: SecretStr | None = Field(None, description="Address that is called every minute while work is done.")
    slack_signing_secret: SecretStr | None = Field(None, description="Verifies buttons in Slack; off where empty.")
    create_lead_time: Duration = Field(timedelta(days=14), description="How long before check-in a code is made.")
    slot_preference: SlotPreference = Field(SlotPreference.NEAREST, description="Which of several fitting slots.")
    allow_biweekly: bool = Field(default=False, description="Whether two-week slots may be used.")
    long_stays: Literal["refuse", "split"] = Field("refuse", description="What happens to stays of over 31 days.")
    webhook_body_limit: int = Field(256 * 1024, ge=1024, description="Largest webhook body, in bytes.")
    request_timeout: Duration = Field(timedelta(seconds=15), description="From a request's first byte to its last.")
    rejection_limit: int = Field(60, ge=1, description="Failed tries a minute that a client gets answered one by one.")
    retention: Duration = Field(timedelta(days=90), description="How long after check-out a booking is kept.")
    reclaim_after: Duration = Field(timedelta(seconds=60), description="Idle time after which work is taken over.")
    waiting_retry_every: Duration = Field(timedelta(minutes=15), description="Longest pause between tries of a wait.")
    reconcile_every: Duration = Field(timedelta(minutes=5), description="How often Seam's own list of events is read.")
    door_refresh_every: Duration = Field(timedelta(minutes=30), description="How often doors with bookings are read.")
    arrivals_check_at: DailyMoment = Field(
        DailyTime(time(7), "UTC"), description="When the coming arrivals are checked each day: `07:00 Europe/Vienna`."
    )
    late_set_after: Duration = Field(timedelta(minutes=15), description="How late a code may be set before an alert.")
    door_cache_for: Duration = Field(timedelta(seconds=30), description="How long a door's slots are remembered.")
    seam_timeout: Duration = Field(timedelta(seconds=20), description="How long one answer of Seam may take.")
    worker_concurrency: int = Field(160, ge=1, le=512, description="Tasks that one worker process runs at a time.")
    log_level: Literal["debug", "info", "warning", "error"] = Field("info", description="What is logged.")
    host: str = Field("127.0.0.1", description="Address that `web` listens on.")
    port: int = Field(8080, ge=1, le=65535, description="Port that `web` listens on.")
    console_tokens: Secrets = Field((), description="Who may use the console: `name:role:token`, separated by spaces.")
    console_host: str = Field("127.0.0.1", description="Address that `console` listens on.")
    console_port: int = Field(8081, ge=1, le=65535, description="Port that `console` listens on.")
    metrics_host: str = Field("127.0.0.1", description="Address that a process serves its metrics on.")
    metrics_port: int | None = Field(
        None, ge=1, le=65535, description="Port that a process serves its own metrics on; off where empty."
    )
    share_port: bool = Field(default=False, description="Whether several `web` may listen on one port (Linux).")

    @classmethod
    def settings_customise_sources(
        cls,
        settings_cls: type[BaseSettings],
        init_settings: PydanticBaseSettingsSource,
        env_settings: PydanticBaseSettingsSource,
        dotenv_settings: PydanticBaseSettingsSource,
        file_secret_settings: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        """Read only arguments and the environment: a .env file that lies about must have no effect."""
        del settings_cls, dotenv_settings, file_secret_settings
        return init_settings, env_settings

    @field_validator("seam_webhook_secret")
    @classmethod
    def _secrets_are_keys(cls, secrets: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        # svix silently drops characters that aren't base64, and would then reject every webhook.
        for number, secret in enumerate(secrets, start=1):
            key = secret.get_secret_value().removeprefix(_SECRET_MARK)
            try:
                is_key = len(b64decode(key, validate=True)) > 0
            except binascii.Error:
                is_key = False
            if not is_key:
                raise ValueError(f"secret {number} is not `whsec_` followed by base64; copy it from Seam's console")
        return secrets

    @field_validator("console_tokens")
    @classmethod
    def _are_console_tokens(cls, tokens: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        parsed = []
        for number, text in enumerate(tokens, start=1):
            try:
                parsed.append(parse_console_token(text.get_secret_value()))
            except ValueError as error:
                raise ValueError(f"token {number} {error}") from None
        if len({each.token for each in parsed}) < len(parsed):
            raise ValueError("holds one token twice: then nobody could say who used it")
        return tokens

    @field_validator("redis_url", "celery_broker_url")
    @classmethod
    def _is_server_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is None or isinstance(parse_data_server_address(url.get_secret_value()), Sentinels):
            return url
        parts = _parts(url.get_secret_value())
        if parts is None or parts.scheme not in (*SCHEMES, "amqp", "amqps"):
            raise ValueError("is not an address like redis://host:6379/0; in a password write / as %2F, # as %23")
        return url

    @field_validator("booking_queue_url")
    @classmethod
    def _is_amqp_url(cls, url: SecretStr | None) -> SecretStr | None:
        if url is not None and urlsplit(url.get_secret_value()).scheme not in ("amqp", "amqps"):
            raise ValueError("is not an address like amqp://user:password@host:5672/vhost")
        return url

    @field_validator("seam_endpoint")
    @classmethod
    def _is_http_url(cls, url: str) -> str:
        parts = _parts(url)
        if parts is None or parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("is not an address like https://connect.getseam.com")
        return url.rstrip("/")

    @field_validator("outcome_webhook_urls")
    @classmethod
    def _are_receivers(cls, urls: tuple[SecretStr, ...]) -> tuple[SecretStr, ...]:
        outcome_receivers(url.get_secret_value() for url in urls)
        return urls

    @field_validator("heartbeat_url")
    @classmethod
    def _is_secret_http_url(cls, url: SecretStr | None) -> SecretStr | None:
        parts = urlsplit(url.get_secret_value() if url else "https://host")
        if parts.scheme not in ("http", "https") or not parts.hostname:
            raise ValueError("is not an address like https://hc-ping.com/…")
        return url

    @field_validator("doors_file", "alerts_file")
    @classmethod
    def _is_a_file(cls, path: Path | None) -> Path | None:
        if path is not None and not path.is_file():
            raise ValueError(f"there is no file {str(path)!r}")
        return path

    @property
    def status_words(self) -> frozenset[str]:
        """`BOOKING_STATUS_WORDS` as they are compared."""
        return frozenset(map(status_key, self.booking_status_words))

    @property
    def outcome_receivers(self) -> tuple[OutcomeReceiver, ...]:
        """The receivers that outcomes are posted to."""
        return outcome_receivers(url.get_secret_value() for url in self.outcome_webhook_urls)

    @property
    def match_policy(self) -> MatchPolicy:
        """The settings that a match depends on."""
        return MatchPolicy(preference=self.slot_preference, allow_biweekly=self.allow_biweekly)

    @property
    def secrets(self) -> tuple[str, ...]:
        """Every secret in the settings, and also the passwords and keys inside addresses, for the redaction of logs."""
        return tuple(secret for value in dict(self).values() for secret in _secrets_in(value))

    @property
    def redis_address(self) -> str:
        """The data server's address. Raises ValueError if REDIS_URL isn't set: a process that reads it requires it."""
        if self.redis_url is None:
            raise ValueError("REDIS_URL is not set")
        return self.redis_url.get_secret_value()

    @classmethod
    def secret_names(cls) -> tuple[str, ...]:
        """Return the names of the settings that hold secrets. Each is also read from the file in NAME_FILE."""
        return tuple(name.upper() for name, field in cls.model_fields.items() if "SecretStr" in str(field.annotation))

    @classmethod
    def load(cls, require: Iterable[str] = ()) -> Self:
        """Read the environment. Raises InvalidSettings with every missing and every malformed setting."""
        values, unreadable = read_secret_files(cls.secret_names(), os.environ)
        unset = [name for name in require if not os.environ.get(name) and not values.get(name)]
        # If a secret's file can't be read, that is the problem to name, and not that the secret isn't set.
        problems = {name: "is not set" for name in unset if f"{name}_FILE" not in unreadable}
        problems |= unreadable
        try:
            given: dict[str, Any] = {name.lower(): value for name, value in values.items() if value}
            settings = cls(**given)
        except ValidationError as error:
            for fault in error.errors(include_input=False):
                name = str(fault["loc"][0]).upper()
                problems[name] = fault["msg"].removeprefix("Value error, ")
            raise InvalidSettings(problems) from None
        # A value that consists only of separators is set, but holds nothing.
        empty = [name for name in require if not getattr(settings, name.lower())]
        problems |= {name: "is not set" for name in empty if f"{name}_FILE" not in unreadable}
        if problems:
            raise InvalidSettings(problems)
        return settings


def _parts(url: str) -> SplitResult | None:
    """Return the parts of an address; None if it isn't one. The library's error is dropped: it quotes passwords."""
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        return None
    return parts


def _secrets_in(value: Any) -> Iterator[str]:
    for each in value if isinstance(value, tuple) else (value,):
        if isinstance(each, SecretStr):
            secret = each.get_secret_value()
            yield secret
            if secret.startswith(SENTINEL_SCHEMES):
                yield from _secrets_of_sentinels(secret)
                continue
            parts = _parts(secret) if "://" in secret else None
            if parts is None:
                yield from (secret.removeprefix(_SECRET_MARK),)
                # Of `name:role:token` only the token is secret.
                yield secret.rpartition(":")[2]
            else:
                yield from (part for part in (parts.password, parts.username) if part and part != "default")
                # The path of a chat's webhook is its key.
                if parts.scheme.startswith("slack"):
                    yield parts.path


def _secrets_of_sentinels(url: str) -> tuple[str, ...]:
    try:
        address = parse_data_server_address(url)
    except ValueError:
        return ()
    return address.secrets if isinstance(address, Sentinels) else ()


def load_settings(require: Iterable[str] = ()) -> Settings:
    """Read and check the environment. `require` names the settings (upper case) that this process needs.

    Raises InvalidSettings with every problem.
    """
    return Settings.load(require)


def load_or_exit(require: Iterable[str] = ()) -> Settings:
    """Like `load_settings`, but on invalid settings print every problem to stderr, and exit with 2."""
    try:
        return load_settings(require)
    except InvalidSettings as invalid:
        exit_with(invalid)


def exit_with(invalid: InvalidSettings) -> NoReturn:
    """Print every problem to stderr and exit with 2."""
    print("Invalid settings; nothing was started:", file=sys.stderr)  # noqa: T201
    for name, problem in sorted(invalid.problems.items()):
        print(f"  {name} {problem}", file=sys.stderr)  # noqa: T201
    raise SystemExit(2)
