"""Makes the channels and rules of alerting, once, from ALERT_URLS, ALERTS_FILE and the places in DOORS_FILE."""

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field

import httpx

from shared.current_units import CurrentUnits
from shared.domain.alerting.budget import Rate
from shared.domain.alerting.missed_heartbeats import LEVELS
from shared.domain.alerting.mute_times import MuteTime
from shared.domain.alerting.routing import Place, Route, Routing
from shared.domain.alerting.timing_policy import REMINDERS, AlertPolicy
from shared.domain.stay.stay import UnitRules
from shared.ledger.alert_channels import Conversations
from shared.redis_client import connect
from shared.settings import Settings
from worker.alerts.alerts_file import InvalidAlertsFile, load_alerts_file
from worker.alerts.alerts_file_schema import (
    AlertsFile,
    ApprisePart,
    ChannelPart,
    EmailPart,
    PagerDutyPart,
    RoutePart,
    SlackBotPart,
    SlackPart,
    TeamsPart,
    WebhookPart,
)
from worker.alerts.apprise_channel import AppriseChannel
from worker.alerts.channel import Channel
from worker.alerts.channel_urls import InvalidAlertUrls, channels_from
from worker.alerts.mail import Mail, MailServer
from worker.alerts.pagerduty import PagerDuty
from worker.alerts.signed_webhook import SignedWebhook
from worker.alerts.slack import SlackWebhook
from worker.alerts.slack_bot import SlackBot
from worker.alerts.teams import TeamsWorkflow


class InvalidAlerting(ValueError):
    """Alerting can't be set up; `problems` has all that is wrong with each setting, by its name."""

    def __init__(self, problems: Mapping[str, str]) -> None:
        super().__init__("; ".join(f"{name}: {problem}" for name, problem in problems.items()))
        self.problems = dict(problems)


@dataclass(frozen=True, slots=True)
class Alerting:
    """All channels, and the routes to them."""

    channels: tuple[Channel, ...] = ()
    policy: AlertPolicy = field(default_factory=AlertPolicy)


def load_alerting(settings: Settings, client: httpx.Client, units: Mapping[str, UnitRules]) -> Alerting:
    """Make alerting from the settings; the channels of ALERT_URLS get everything. Raises InvalidAlerting."""
    problems: dict[str, str] = {}
    simple: tuple[Channel, ...] = ()
    named: tuple[Channel, ...] = ()
    file: AlertsFile | None = None
    try:
        simple = channels_from((url.get_secret_value() for url in settings.alert_urls), client)
    except InvalidAlertUrls as invalid:
        problems["ALERT_URLS"] = str(invalid)
    try:
        file = load_alerts_file(settings.alerts_file) if settings.alerts_file else None
        named = _named_channels(file, settings, client) if file else ()
    except InvalidAlertsFile as invalid:
        problems["ALERTS_FILE"] = str(invalid)
    # Records of what a channel was told have its name: of two channels with one name, only the first would be told.
    if twice := {channel.name for channel in simple} & {channel.name for channel in named}:
        taken = ", ".join(f"channels.{name}" for name in sorted(twice))
        problems["ALERTS_FILE"] = f"{taken}: a channel of ALERT_URLS is called so"
    if problems:
        raise InvalidAlerting(problems)
    return Alerting((*simple, *named), _policy(settings, file, simple, named, CurrentPlaces(units)))


def simple_policy(settings: Settings, channels: Iterable[Channel]) -> AlertPolicy:
    """Return the rules without ALERTS_FILE: everything goes to every channel."""
    return _policy(settings, None, tuple(channels), (), {})


class CurrentPlaces(Mapping[str, Place]):
    """The place of each door by DOORS_FILE; computed again after the file was read again."""

    def __init__(self, units: Mapping[str, UnitRules]) -> None:
        self._units = units
        self._computed: tuple[Mapping[str, UnitRules], Mapping[str, Place]] | None = None

    def __getitem__(self, device_id: str) -> Place:
        """Return the place of a door. Raises KeyError if it is in no unit."""
        return self._places()[device_id]

    def __iter__(self) -> Iterator[str]:
        """Yield the doors."""
        return iter(self._places())

    def __len__(self) -> int:
        """Return how many doors there are."""
        return len(self._places())

    def _places(self) -> Mapping[str, Place]:
        units = self._units.current() if isinstance(self._units, CurrentUnits) else self._units
        if self._computed is None or self._computed[0] is not units:
            self._computed = units, places_of(units)
        return self._computed[1]


def places_of(units: Mapping[str, UnitRules]) -> dict[str, Place]:
    """Return the place of each door by DOORS_FILE; a door of several units has all of them."""
    places: dict[str, Place] = {}
    for name, rules in units.items():
        for device_id in rules.device_ids:
            known = places.get(device_id, Place())
            places[device_id] = Place(
                units=known.units | {name},
                tags=known.tags | frozenset(rules.tags),
                building=known.building or rules.building,
            )
    return places


def _policy(
    settings: Settings,
    file: AlertsFile | None,
    simple: tuple[Channel, ...],
    named: tuple[Channel, ...],
    places: Mapping[str, Place],
) -> AlertPolicy:
    simple_names = tuple(channel.name for channel in simple)
    routing = Routing(channels=(*simple_names, *(channel.name for channel in named)), places=places)
    if file is None:
        return AlertPolicy(routing=routing, group_window=settings.alert_group_window, runbook_url=settings.runbook_url)
    routes = tuple(_route(part) for part in file.routes)
    if routes and simple_names:
        routes = (*routes, Route(channels=simple_names))
    mute_time = file.quiet_hours
    return AlertPolicy(
        routing=Routing(channels=routing.channels, routes=routes, fallback=file.fallback, places=places),
        page_before=file.severity.page_before,
        warn_before=file.severity.warn_before,
        levels={**LEVELS, **file.severity.problems},
        reminders={**REMINDERS, **file.reminders},
        group_window=settings.alert_group_window if file.group_window is None else file.group_window,
        page_join_window=file.page_join_window,
        mute_time=MuteTime(mute_time.starts, mute_time.ends, mute_time.time_zone) if mute_time else None,
        silent_for=file.absence,
        rate=Rate(file.rate.burst, file.rate.every),
        runbook_url=settings.runbook_url,
    )


def _route(part: RoutePart) -> Route:
    return Route(
        channels=part.channels,
        severity=part.severity,
        problems=frozenset(part.problems),
        devices=frozenset(part.devices),
        units=frozenset(part.units),
        tags=frozenset(part.tags),
        buildings=frozenset(part.buildings),
    )


def _named_channels(file: AlertsFile, settings: Settings, client: httpx.Client) -> tuple[Channel, ...]:
    channels: list[Channel] = []
    problems: list[str] = []
    for name, part in file.channels.items():
        try:
            channels.append(_channel(name, part, settings, client))
        except ValueError as error:
            problems.append(f"channels.{name}: {error}")
    if problems:
        raise InvalidAlertsFile(problems)
    return tuple(channels)


def _channel(name: str, part: ChannelPart, settings: Settings, client: httpx.Client) -> Channel:  # noqa: PLR0911 - one for each kind
    match part:
        case SlackPart():
            return SlackWebhook(name, part.address, client)
        case TeamsPart():
            return TeamsWorkflow(name, part.address, client)
        case WebhookPart():
            return SignedWebhook(name, part.address, part.secret_env.get_secret_value(), client)
        case ApprisePart():
            return AppriseChannel(name, part.url_env.get_secret_value())
        case PagerDutyPart():
            return PagerDuty(name, url=part.url, routing_key=part.key_env.get_secret_value(), client=client)
        case EmailPart():
            return _mail(name, part)
        case SlackBotPart():
            conversations = Conversations(connect(settings.redis_address), keep_for=settings.retention)
            return SlackBot(
                name,
                api=part.api,
                token=part.token_env.get_secret_value(),
                slack_channel=part.channel,
                conversations=conversations,
                client=client,
                has_buttons=settings.slack_signing_secret is not None,
            )


def _mail(name: str, part: EmailPart) -> Mail:
    server = MailServer(
        host=part.host,
        port=part.port,
        security=part.security,
        username=part.username,
        password=part.password_env.get_secret_value() if part.password_env else "",
    )
    return Mail(name, server=server, sender=part.sender, recipients=part.to)
