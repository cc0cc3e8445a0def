"""Makes channels from ALERT_URLS: the simple way, in which every channel gets everything.

`slack+https://hooks.slack.com/…`, `teams+https://…`, `webhook+https://whsec_…@host/path`,
`pagerduty+https://ROUTING_KEY@events.pagerduty.com/v2/enqueue`, `apprise+…` for all that apprise knows.
"""

import binascii
from base64 import b64decode
from collections.abc import Iterable
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

import httpx

from worker.alerts.apprise_channel import AppriseChannel
from worker.alerts.channel import Channel
from worker.alerts.pagerduty import PagerDuty
from worker.alerts.signed_webhook import SignedWebhook
from worker.alerts.slack import SlackWebhook
from worker.alerts.teams import TeamsWorkflow

_RIGHT = "write slack+https://…, teams+https://…, webhook+https://whsec_…@host/path, pagerduty+https://KEY@…, apprise+…"


class InvalidAlertUrls(ValueError):
    """ALERT_URLS can't be used; `problems` names each URL by its position in the list, because URLs are secrets."""

    def __init__(self, problems: list[str]) -> None:
        super().__init__("; ".join(problems))
        self.problems = problems


def channels_from(urls: Iterable[str], client: httpx.Client) -> tuple[Channel, ...]:
    """Return a channel for each URL, in their order. Raises InvalidAlertUrls with every problem."""
    channels: list[Channel] = []
    problems: list[str] = []
    for number, url in enumerate(urls, start=1):
        try:
            channels.append(_channel(number, url, client))
        except ValueError as error:
            problems.append(f"address {number}: {error}")
    if problems:
        raise InvalidAlertUrls(problems)
    return tuple(channels)


def _channel(number: int, url: str, client: httpx.Client) -> Channel:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # The library's text quotes the URL, which is a secret.
        raise ValueError(_RIGHT) from None
    kind, _, scheme = parts.scheme.partition("+")
    if kind == "apprise" and scheme:
        return AppriseChannel(f"apprise-{number}", url.partition("+")[2])
    if scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(_RIGHT)
    match kind:
        case "slack":
            return SlackWebhook(f"slack-{number}", urlunsplit(parts._replace(scheme=scheme)), client)
        case "webhook":
            return SignedWebhook(f"webhook-{number}", _without_user(parts, scheme), _secret(parts), client)
        case "teams":
            return TeamsWorkflow(f"teams-{number}", urlunsplit(parts._replace(scheme=scheme)), client)
        case "pagerduty" if parts.username:
            key = unquote(parts.username)
            return PagerDuty(f"pagerduty-{number}", url=_without_user(parts, scheme), routing_key=key, client=client)
        case _:
            raise ValueError(_RIGHT)


def _secret(parts: SplitResult) -> str:
    secret = unquote(parts.username or "")
    try:
        b64decode(secret.removeprefix("whsec_"), validate=True)
    except binascii.Error:
        secret = ""
    if not secret.removeprefix("whsec_"):
        raise ValueError("a signed webhook needs its secret: webhook+https://whsec_…@host/path")
    return secret


def _without_user(parts: SplitResult, scheme: str) -> str:
    return urlunsplit(parts._replace(scheme=scheme, netloc=parts.netloc.rpartition("@")[2]))
