"""The API's edge: authentication, faults, latency, the log of calls.

Everything between two waits is synchronous: a call takes effect as a whole.
"""

import asyncio
import hmac
import logging
import time
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any
from uuid import uuid4

from starlette.types import Receive, Scope, Send

from deploy.sandbox.api.access_codes import list_codes
from deploy.sandbox.api.operations import OPERATIONS, Operation
from deploy.sandbox.api.parameters import raw_values
from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.encoding import JsonObject, read_body
from deploy.sandbox.errors import ApiError
from deploy.sandbox.faults import Fault, Kind, Target
from deploy.sandbox.request_log import LoggedRequest
from deploy.sandbox.responses import RawResponse, disconnect, error_response, faulty_response, hang_up, json_response

HEALTH_PATH = "/health"
_DEFAULT_SLOWNESS_SECONDS = 5.0
_DEFAULT_STALENESS_SECONDS = 60.0

_log = logging.getLogger(__name__)


@dataclass(slots=True)
class _Call:
    """A call while it is being answered."""

    at: datetime
    method: str
    path: str
    values: JsonObject
    target: Target
    is_query: bool = True
    base_url: str = ""
    access_code_id: str | None = None
    fault: Fault | None = None


class Api:
    """The Seam API as an ASGI app."""

    def __init__(self, sandbox: Sandbox) -> None:
        """Answer for a sandbox."""
        self._sandbox = sandbox
        self._bearer = f"Bearer {sandbox.api_key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; if the sandbox is ended meanwhile, hang up rather than answer."""
        try:
            await self._serve(scope, receive, send)
        except asyncio.CancelledError:
            await hang_up(scope, receive)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, request_id = time.perf_counter(), str(uuid4())
        path = str(scope["path"])
        call = _Call(self._sandbox.clock(), str(scope["method"]), path, {}, Target(""))
        body = await read_body(receive)
        try:
            response = await self._answer(call, scope, body)
        except ApiError as error:
            response = error_response(error)
        except Exception:  # noqa: BLE001 -- a bug is a 500, as at Seam, and logged
            _log.exception("sandbox bug at %s", path)
            response = error_response(ApiError(500, "internal_server_error", "The sandbox has a bug."))
        response.headers["seam-request-id"] = request_id
        self._keep(call, response, request_id, time.perf_counter() - started)
        await response(scope, receive, send)

    async def _answer(self, call: _Call, scope: Scope, body: bytes) -> RawResponse:
        outage = self._sandbox.outage.spec
        if outage.on:
            is_http = outage.kind == "http_503"
            return RawResponse(503, b"Service Unavailable", "text/plain") if is_http else disconnect()
        if call.path == HEALTH_PATH:
            return json_response({"ok": True, "service": "seam-connect", "sandbox": True})
        operation = self._admit(call, scope)
        call.values, call.is_query = raw_values(scope["query_string"], body)
        call.base_url = _base_url(scope)
        self._find_target(call, operation)
        call.fault = self._sandbox.faults.fire(call.target)
        with self._sandbox.requests.in_flight(operation.name, call.target.device_id):
            return await self._carry_out(call, operation)

    def _admit(self, call: _Call, scope: Scope) -> Operation[Any]:
        operation = OPERATIONS.get(call.path)
        if operation is None:
            raise ApiError(404, "not_found", f"No endpoint {call.path}")
        sent = dict(scope["headers"]).get(b"authorization", b"")
        if not hmac.compare_digest(sent, self._bearer):
            raise ApiError(401, "unauthorized", "Unauthorized")
        if call.method not in operation.methods:
            raise ApiError(405, "method_not_allowed", f"{call.method} is not allowed here")
        return operation

    def _find_target(self, call: _Call, operation: Operation[Any]) -> None:
        texts = {name: value for name, value in call.values.items() if isinstance(value, str)}
        call.access_code_id = texts.get("access_code_id")
        device_id, name = texts.get("device_id"), texts.get("name", texts.get("search"))
        code = self._sandbox.codes.find(call.access_code_id) if call.access_code_id else None
        if code is not None:
            device_id, name = code.device_id, code.name
        call.target = Target(operation.name, device_id, name)

    async def _carry_out(self, call: _Call, operation: Operation[Any]) -> RawResponse:
        fault, pause = call.fault, self._sandbox.settings.current.latency_seconds / 2
        if fault is not None and fault.spec.kind is Kind.SLOW:
            await asyncio.sleep(_DEFAULT_SLOWNESS_SECONDS if fault.spec.seconds is None else fault.spec.seconds)
        if pause:
            await asyncio.sleep(pause)
        if fault is not None and not fault.spec.kind.has_effect:
            return faulty_response(fault, None)
        response = self._perform(self._operation(call, operation), call)
        if pause:
            await asyncio.sleep(pause)
        return response if fault is None else faulty_response(fault, response)

    def _operation(self, call: _Call, operation: Operation[Any]) -> Operation[Any]:
        """Return the operation as it is to be carried out: a stale list doesn't know the newest codes."""
        fault = call.fault
        if fault is None or fault.spec.kind is not Kind.STALE_LIST or operation.handle is not list_codes:
            return operation
        seconds = _DEFAULT_STALENESS_SECONDS if fault.spec.seconds is None else fault.spec.seconds
        known_until = self._sandbox.clock() - timedelta(seconds=seconds)
        return replace(operation, handle=partial(list_codes, created_until=known_until))

    def _perform(self, operation: Operation[Any], call: _Call) -> RawResponse:
        try:
            with self._sandbox.store.batch():
                answer = operation.answer(self._sandbox, call.values, is_query=call.is_query)
        except ApiError as error:
            return error_response(error)
        code = answer.get("access_code")
        if code is not None:
            call.access_code_id = code["access_code_id"]
        pagination = answer.get("pagination")
        if pagination is not None and pagination["next_page_url"] is not None:
            pagination["next_page_url"] = call.base_url + pagination["next_page_url"]
        return json_response({**answer, "ok": True})

    def _keep(self, call: _Call, response: RawResponse, request_id: str, seconds: float) -> None:
        requests = self._sandbox.requests
        requests.add(
            LoggedRequest(
                seq=requests.next_seq(),
                at=call.at,
                method=call.method,
                path=call.path,
                operation=call.target.operation,
                params=call.values,
                device_id=call.target.device_id,
                access_code_id=call.access_code_id,
                status=response.status,
                request_id=request_id,
                fault=call.fault.spec.kind.value if call.fault else None,
                seconds=round(seconds, 4),
            )
        )


def _base_url(scope: Scope) -> str:
    """Return the address under which the caller reached the API, without a path."""
    host = dict(scope["headers"]).get(b"host", b"").decode("latin-1")
    return f"{scope['scheme']}://{host}"
