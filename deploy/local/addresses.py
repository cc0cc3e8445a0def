"""Where everything of one `oracode up` is reached, and with which tokens: what `run.json` holds."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from deploy.local.state import LocalState

LOOPBACK: Final = "127.0.0.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Addresses:
    """The URLs of everything, and the tokens and secrets that they take, as in `run.json`."""

    directory: Path
    web_url: str
    console_url: str
    seam_url: str
    redis_url: str = field(repr=False)
    booking_token: str = field(repr=False)
    console_token: str = field(repr=False)
    seam_api_key: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    alerts_url: str | None

    @property
    def has_sandbox(self) -> bool:
        """Whether Seam is the sandbox."""
        return self.alerts_url is not None


def run_json(addresses: Addresses, pids: Mapping[str, int], settings: Mapping[str, str]) -> dict[str, Any]:
    """Return the content of `run.json`; `settings` are those with which commands reach the same system."""
    return {
        "web_url": addresses.web_url,
        "console_url": addresses.console_url,
        "console_token": addresses.console_token,
        "booking_token": addresses.booking_token,
        "seam_url": addresses.seam_url,
        "seam_api_key": addresses.seam_api_key,
        "webhook_secret": addresses.webhook_secret,
        "redis_url": addresses.redis_url,
        "alerts_url": addresses.alerts_url,
        "pids": dict(pids),
        "settings": dict(settings),
    }


def addresses_of(directory: Path, state: LocalState, environment: Mapping[str, str]) -> Addresses:
    """Return where everything is: as the environment says, else on this machine's ports."""
    api_key = environment.get("SEAM_API_KEY")
    local_redis = f"redis://:{state.redis_password}@127.0.0.1:{state.redis_port}/0"
    local_seam = f"http://127.0.0.1:{state.seam_port}"
    return Addresses(
        directory=directory,
        web_url=f"http://{_reachable(environment.get('HOST', LOOPBACK))}:{state.web_port}",
        console_url=f"http://{_reachable(environment.get('CONSOLE_HOST', LOOPBACK))}:{state.console_port}",
        seam_url=environment.get("SEAM_ENDPOINT", "https://connect.getseam.com") if api_key else local_seam,
        redis_url=environment.get("REDIS_URL", local_redis),
        booking_token=environment.get("BOOKING_TOKENS", state.booking_token).replace(",", " ").split()[0],
        console_token=_console_token(environment.get("CONSOLE_TOKENS", "")) or state.console_token,
        seam_api_key=api_key or state.seam_api_key,
        webhook_secret=environment.get("SEAM_WEBHOOK_SECRET", state.webhook_secret).replace(",", " "),
        alerts_url=None if api_key else f"{local_seam}/alerts",
    )


def _reachable(host: str) -> str:
    """Return the host for a URL by which this machine reaches a server that listens on `host`."""
    if host in ("0.0.0.0", "::"):  # noqa: S104 - nothing is bound here
        return LOOPBACK if host != "::" else "[::1]"
    return f"[{host}]" if ":" in host else host


def _console_token(tokens: str) -> str:
    """Return the first token of CONSOLE_TOKENS; empty if there is none."""
    first = next(iter(tokens.replace(",", " ").split()), "")
    return first.rpartition(":")[2]
