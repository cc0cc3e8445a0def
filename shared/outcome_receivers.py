"""OUTCOME_WEBHOOK_URLS turned into receivers: `https://whsec_…@host/path`, several; `http://` to this machine alone."""

import binascii
import hashlib
from base64 import b64decode
from collections.abc import Iterable
from dataclasses import dataclass, field
from ipaddress import ip_address
from typing import Final
from urllib.parse import SplitResult, unquote, urlsplit, urlunsplit

_RIGHT: Final = "write https://whsec_…@host/path (http:// only to 127.0.0.1, [::1] or localhost)"
_MOST: Final = 10


class InvalidOutcomeUrls(ValueError):
    """The addresses can't be used; the text names each by its place in the list, never by its address."""


@dataclass(frozen=True, slots=True)
class OutcomeReceiver:
    """Where outcomes are posted. `name` is the host, and a mark of the address without its secret.

    A receiver whose secret was changed is still the same one.
    """

    name: str
    url: str = field(repr=False)
    secret: str = field(repr=False)


def outcome_receivers(urls: Iterable[str]) -> tuple[OutcomeReceiver, ...]:
    """Return a receiver for each address, in their order. Raises InvalidOutcomeUrls with every problem."""
    receivers: dict[str, OutcomeReceiver] = {}
    problems: list[str] = []
    for number, url in enumerate(urls, start=1):
        try:
            receiver = _receiver(url)
        except ValueError as error:
            problems.append(f"address {number}: {error}")
            continue
        if receiver.name in receivers:
            problems.append(f"address {number}: is there twice")
        receivers[receiver.name] = receiver
    if len(receivers) > _MOST:
        problems.append(f"there are more than {_MOST} addresses")
    if problems:
        raise InvalidOutcomeUrls("; ".join(problems))
    return tuple(receivers.values())


def _receiver(url: str) -> OutcomeReceiver:
    try:
        parts = urlsplit(url)
        _ = parts.port
    except ValueError:
        # The library's words quote the address, and with it its secret.
        raise ValueError(_RIGHT) from None
    host = parts.hostname
    if parts.scheme not in ("http", "https") or not host or not host.isascii() or not host.isprintable():
        raise ValueError(_RIGHT)
    if parts.scheme == "http" and not _is_loopback(host):
        raise ValueError("http:// is for this machine alone: the outcomes of guests travel by https://")
    secret = _secret(parts)
    address = urlunsplit(parts._replace(netloc=parts.netloc.rpartition("@")[2], fragment=""))
    return OutcomeReceiver(f"{host}-{hashlib.sha256(address.encode()).hexdigest()[:8]}", address, secret)


def _secret(parts: SplitResult) -> str:
    secret = unquote(parts.username or "")
    try:
        key = b64decode(secret.removeprefix("whsec_"), validate=True)
    except (binascii.Error, ValueError):
        key = b""
    if not key or not secret.startswith("whsec_") or parts.password is not None:
        raise ValueError(f"its secret is missing or is no `whsec_` and base64: {_RIGHT}; in a secret write / as %2F")
    return secret


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return host == "localhost"
