"""The app of process `console`, spoken to over ASGI: as a program with a token, or as a browser with a session."""

import json
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

import anyio
import httpx
from anyio.from_thread import BlockingPortal, start_blocking_portal
from pydantic import SecretStr
from starlette.applications import Starlette

from receiver.console.app import create_app
from receiver.console.ports import Ports
from shared.clock import Clock, system_clock
from shared.settings import Settings

TOKENS = {
    "viewer": "vera-0123456789-0123456789",
    "operator": "olaf-0123456789-0123456789",
    "revealer": "rita-0123456789-0123456789",
}
NAMES = {"viewer": "vera", "operator": "olaf", "revealer": "rita"}
HOST = "https://console.example"
# An app that doesn't answer at all must fail its test, not hold it up.
_ANSWER_WITHIN = 20


def settings_for(redis_url: str, **fields: Any) -> Settings:
    """Return settings of `console`, whatever the environment of the tests holds."""
    tokens = tuple(SecretStr(f"{NAMES[role]}:{role}:{token}") for role, token in TOKENS.items())
    known: dict[str, Any] = {"redis_url": SecretStr(redis_url), "console_tokens": tokens, "seam_api_key": None}
    return Settings(**(known | fields))


@dataclass(slots=True)
class Browser:
    """What a browser does: keeps cookies, sends forms from our own pages, follows no redirect by itself."""

    console: "Console"
    cookies: dict[str, str] = field(default_factory=dict)

    def get(self, path: str) -> httpx.Response:
        """Open a page."""
        return self._took(self.console.send("GET", path, headers=self._headers()))

    def post(self, path: str, *, site: str | None = "same-origin", **fields: str) -> httpx.Response:
        """Send a form; `site` is what the browser says of where it came from."""
        headers = {**self._headers(), "content-type": "application/x-www-form-urlencoded"}
        if site is not None:
            headers["sec-fetch-site"] = site
        return self._took(self.console.send("POST", path, headers=headers, body=urlencode(fields).encode()))

    def follow(self, answer: httpx.Response) -> httpx.Response:
        """Open the page that an answer leads to."""
        assert answer.status_code == 303, answer.text
        return self.get(answer.headers["location"])

    def _headers(self) -> dict[str, str]:
        cookies = "; ".join(f"{name}={value}" for name, value in self.cookies.items())
        return {"cookie": cookies} if cookies else {}

    def _took(self, answer: httpx.Response) -> httpx.Response:
        for name, value in answer.cookies.items():
            self.cookies[name] = value
        return answer


@dataclass(frozen=True, slots=True)
class Console:
    """A running `console`."""

    portal: BlockingPortal
    client: httpx.AsyncClient
    app: Starlette

    def send(
        self, method: str, path: str, *, headers: Mapping[str, str] | None = None, body: bytes = b""
    ) -> httpx.Response:
        """Send one request."""
        return self.portal.call(self._send, method, path, dict(headers or {}), body)

    async def _send(self, method: str, path: str, headers: dict[str, str], body: bytes) -> httpx.Response:
        with anyio.fail_after(_ANSWER_WITHIN):
            self.client.cookies.clear()
            return await self.client.request(method, path, headers=headers, content=body)

    def api(self, method: str, path: str, *, role: str | None = "viewer", body: object = None) -> httpx.Response:
        """Ask the API as somebody of this role; None shows no token."""
        headers = {} if role is None else {"authorization": f"Bearer {TOKENS[role]}"}
        content = b"" if body is None else json.dumps(body).encode()
        return self.send(method, f"/api{path}", headers=headers, body=content)

    def browser(self, role: str) -> Browser:
        """Return a browser in which somebody of this role has logged in."""
        browser = Browser(self)
        answer = browser.post("/login", token=TOKENS[role])
        assert answer.status_code == 303, answer.text
        return browser


@contextmanager
def running(settings: Settings, *, clock: Clock = system_clock, ports: Ports | None = None) -> Iterator[Console]:
    """Run the app with these settings, its lifespan included."""
    app = create_app(settings, clock, ports=ports)
    with (
        start_blocking_portal() as portal,
        portal.wrap_async_context_manager(app.router.lifespan_context(app)),
        portal.wrap_async_context_manager(
            httpx.AsyncClient(transport=httpx.ASGITransport(app=app), base_url=HOST)
        ) as client,
    ):
        yield Console(portal, client, app)
