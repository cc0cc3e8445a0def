"""What stays the same between runs in one data directory: the ports, and the secrets made in the first run."""

import fcntl
import json
import os
import secrets
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import IO, Any

from deploy.local.ports import free_port, is_free


class AlreadyRunning(RuntimeError):
    """Another `oracode up` runs in the same data directory."""


class PortTaken(RuntimeError):
    """A port that was asked for is in use."""


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalState:
    """Ports and secrets of one data directory."""

    web_port: int
    seam_port: int
    console_port: int
    redis_port: int
    redis_password: str = field(repr=False)
    seam_api_key: str = field(repr=False)
    booking_token: str = field(repr=False)
    console_token: str = field(repr=False)
    webhook_secret: str = field(repr=False)
    alert_secret: str = field(repr=False)


def lock(directory: Path) -> IO[str]:
    """Lock the directory for as long as the returned file is open. Raises AlreadyRunning."""
    directory.mkdir(parents=True, exist_ok=True, mode=0o700)
    file = (directory / "lock").open("w", encoding="utf-8")
    try:
        fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        file.close()
        raise AlreadyRunning(f"another `oracode up` runs in {directory}") from None
    return file


def load(
    directory: Path, *, web_port: int | None, seam_port: int | None, console_port: int | None = None
) -> LocalState:
    """Return the directory's stored state, or make it. Ports in the arguments replace stored ones.

    A stored port that is in use now is replaced by a free one. Raises PortTaken if a port of the arguments is in use.
    """
    path = directory / "state.json"
    kept: dict[str, Any] = json.loads(path.read_text(encoding="utf-8")) if path.exists() else {}
    state = LocalState(
        web_port=_port(web_port, kept.get("web_port")),
        seam_port=_port(seam_port, kept.get("seam_port")),
        console_port=_port(console_port, kept.get("console_port")),
        redis_port=_port(None, kept.get("redis_port")),
        redis_password=kept.get("redis_password") or secrets.token_urlsafe(24),
        seam_api_key=kept.get("seam_api_key") or f"seam_{secrets.token_urlsafe(24)}",
        booking_token=kept.get("booking_token") or secrets.token_urlsafe(24),
        console_token=kept.get("console_token") or secrets.token_urlsafe(24),
        webhook_secret=kept.get("webhook_secret") or signing_secret(),
        alert_secret=kept.get("alert_secret") or signing_secret(),
    )
    write_private(path, asdict(state))
    return state


def write_private(path: Path, content: Mapping[str, Any]) -> None:
    """Write JSON that only its owner may read, atomically: a reader sees the old file or the new one.

    Raises OSError if it can't be written (a full disk); the old file is unchanged then.
    """
    draft = path.with_suffix(f".{os.getpid()}.tmp")
    descriptor = os.open(draft, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            json.dump(content, file, indent=2)
        draft.replace(path)
    except OSError:
        draft.unlink(missing_ok=True)
        raise


def signing_secret() -> str:
    """Return a new secret as Seam makes them for webhooks."""
    return "whsec_" + b64encode(secrets.token_bytes(24)).decode()


def _port(asked: int | None, kept: int | None) -> int:
    if asked is not None:
        if not is_free(asked):
            raise PortTaken(f"port {asked} is in use")
        return asked
    return kept if kept is not None and is_free(kept) else free_port()
