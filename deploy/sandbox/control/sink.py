"""``POST /alerts/<channel>``: takes an alert as its channel would, if no fault says otherwise."""

import asyncio
from http import HTTPStatus

from starlette.types import Receive, Scope, Send

from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.encoding import read_body
from deploy.sandbox.faults import ALERTS_PREFIX, Fault, Kind, Target
from deploy.sandbox.responses import RawResponse, faulty_response

PREFIX = "/alerts/"
_SLACK_PREFIX = "slack"


class Sink:
    """The alert channels as an ASGI app."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Keep alerts in a sandbox."""
        self._sandbox = sandbox

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Take one alert."""
        channel = str(scope["path"]).removeprefix(PREFIX)
        body = await read_body(receive)
        if scope["method"] != "POST":
            response = RawResponse(HTTPStatus.METHOD_NOT_ALLOWED, b"POST an alert here", "text/plain")
        else:
            fault = self._sandbox.faults.fire(Target(f"{ALERTS_PREFIX}{channel}"))
            response = await self._take(channel, scope, body, fault)
        await response(scope, receive, send)

    async def _take(self, channel: str, scope: Scope, body: bytes, fault: Fault | None) -> RawResponse:
        honest = RawResponse(HTTPStatus.OK, b'{"ok":true}')
        if channel.startswith(_SLACK_PREFIX):
            honest = RawResponse(HTTPStatus.OK, b"ok", "text/html")
        if fault is not None and fault.spec.kind is Kind.SLOW and fault.spec.seconds:
            await asyncio.sleep(fault.spec.seconds)
        if fault is None or fault.spec.kind.has_effect:
            headers = {name.decode("latin-1"): text.decode("latin-1") for name, text in scope["headers"]}
            self._sandbox.alerts.add(channel, headers, body)
        return honest if fault is None else faulty_response(fault, honest)
