"""The API's edge: authentication, faults, latency, the log of calls.

Everything between two waits is synchronous: a call takes effect in one piece.
"""

import asyncio
import hmac
import logging
import time
from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial
from uuid import uuid4

from starlette.types import Receive, Scope, Send

from deploy.sandbox.api.access_codes import list_codes
from deploy.sandbox.api.operations import OPERATIONS, Handler, Operation
from deploy.sandbox.api.params import Params, read_values
from deploy.sandbox.errors import ApiError
from deploy.sandbox.faults import Fault, Kind, Target
from deploy.sandbox.replies import Reply, disconnect, error_reply, faulty_reply, hang_up, json_reply
from deploy.sandbox.requests_log import Asked
from deploy.sandbox.wire import JsonObject, read_body
from deploy.sandbox.world import World

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
    access_code_id: str | None = None
    fault: Fault | None = None


class Api:
    """The Seam API as an ASGI app."""

    def __init__(self, world: World) -> None:
        """Answer for a world."""
        self._world = world
        self._bearer = f"Bearer {world.api_key}".encode()

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one call; if the sandbox is ended meanwhile, hang up rather than answer."""
        try:
            await self._serve(scope, receive, send)
        except asyncio.CancelledError:
            await hang_up(scope, receive)

    async def _serve(self, scope: Scope, receive: Receive, send: Send) -> None:
        started, request_id = time.perf_counter(), str(uuid4())
        path = str(scope["path"])
        call = _Call(self._world.clock(), str(scope["method"]), path, {}, Target(""))
        body = await read_body(receive)
        try:
            reply = await self._answer(call, scope, body)
        except ApiError as error:
            reply = error_reply(error)
        except Exception:  # noqa: BLE001 -- a bug is a 500, as at Seam, and logged
            _log.exception("sandbox bug at %s", path)
            reply = error_reply(ApiError(500, "internal_server_error", "The sandbox has a bug."))
        reply.headers["seam-request-id"] = request_id
        self._keep(call, reply, request_id, time.perf_counter() - started)
        await reply(scope, receive, send)

    async def _answer(self, call: _Call, scope: Scope, body: bytes) -> Reply:
        outage = self._world.outage.spec
        if outage.on:
            is_http = outage.kind == "http_503"
            return Reply(503, b"Service Unavailable", "text/plain") if is_http else disconnect()
        if call.path == HEALTH_PATH:
            return json_reply({"ok": True, "service": "seam-connect", "sandbox": True})
        operation = self._admit(call, scope)
        call.values = read_values(scope["query_string"], body)
        self._find_target(call, operation)
        call.fault = self._world.faults.fire(call.target)
        with self._world.requests.in_flight(operation.name, call.target.device_id):
            return await self._carry_out(call, operation)

    def _admit(self, call: _Call, scope: Scope) -> Operation:
        operation = OPERATIONS.get(call.path)
        if operation is None:
            raise ApiError(404, "not_found", f"No endpoint {call.path}")
        sent = dict(scope["headers"]).get(b"authorization", b"")
        if not hmac.compare_digest(sent, self._bearer):
            raise ApiError(401, "unauthorized", "Unauthorized")
        if call.method not in operation.methods:
            raise ApiError(405, "method_not_allowed", f"{call.method} is not allowed here")
        return operation

    def _find_target(self, call: _Call, operation: Operation) -> None:
        texts = {name: value for name, value in call.values.items() if isinstance(value, str)}
        call.access_code_id = texts.get("access_code_id")
        device_id, name = texts.get("device_id"), texts.get("name", texts.get("search"))
        code = self._world.codes.find(call.access_code_id) if call.access_code_id else None
        if code is not None:
            device_id, name = code.device_id, code.name
        call.target = Target(operation.name, device_id, name)

    async def _carry_out(self, call: _Call, operation: Operation) -> Reply:
        fault, pause = call.fault, self._world.dials.current.latency_seconds / 2
        if fault is not None and fault.spec.kind is Kind.SLOW:
            await asyncio.sleep(_DEFAULT_SLOWNESS_SECONDS if fault.spec.seconds is None else fault.spec.seconds)
        if pause:
            await asyncio.sleep(pause)
        if fault is not None and not fault.spec.kind.has_effect:
            return faulty_reply(fault, None)
        reply = self._perform(self._handler(call, operation), call)
        if pause:
            await asyncio.sleep(pause)
        return reply if fault is None else faulty_reply(fault, reply)

    def _handler(self, call: _Call, operation: Operation) -> Handler:
        fault = call.fault
        if fault is None or fault.spec.kind is not Kind.STALE_LIST or operation.handle is not list_codes:
            return operation.handle
        seconds = _DEFAULT_STALENESS_SECONDS if fault.spec.seconds is None else fault.spec.seconds
        return partial(list_codes, created_until=self._world.clock() - timedelta(seconds=seconds))

    def _perform(self, handle: Handler, call: _Call) -> Reply:
        try:
            with self._world.store.batch():
                answer = handle(self._world, Params(call.values))
        except ApiError as error:
            return error_reply(error)
        code = answer.get("access_code")
        if code is not None:
            call.access_code_id = code["access_code_id"]
        return json_reply({**answer, "ok": True})

    def _keep(self, call: _Call, reply: Reply, request_id: str, seconds: float) -> None:
        requests = self._world.requests
        requests.add(
            Asked(
                seq=requests.next_seq(),
                at=call.at,
                method=call.method,
                path=call.path,
                operation=call.target.operation,
                params=call.values,
                device_id=call.target.device_id,
                access_code_id=call.access_code_id,
                status=reply.status,
                request_id=request_id,
                fault=call.fault.spec.kind.value if call.fault else None,
                seconds=round(seconds, 4),
            )
        )
