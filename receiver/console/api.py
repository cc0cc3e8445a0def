"""The API: the operations as JSON under `/api`, for bearer tokens."""

import json
from functools import partial
from http import HTTPStatus
from typing import Any, Final

from pydantic import TypeAdapter
from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from receiver.auth_failures import AuthFailureLimiter
from receiver.bodies import BodyReader
from receiver.console.addresses import ids_of
from receiver.console.authentication import Tokens, check_role
from receiver.console.metrics import CONTENT_TYPE, metrics_text
from receiver.console.operations import Call, Operation, Unusable, read_as, read_json_as
from receiver.console.pages import LARGEST_BODY
from receiver.console.ports import Ports
from receiver.console.refused import REFUSALS, Refused, refused
from receiver.refusals import ClientGone, InvalidToken, Unavailable, json_response

PREFIX: Final = "/api"


class Api:
    """Serves the operations to programs."""

    def __init__(self, *, ports: Ports, tokens: Tokens, auth_failures: AuthFailureLimiter) -> None:
        self._ports = ports
        self._tokens = tokens
        self._auth_failures = auth_failures
        self._bodies = BodyReader(LARGEST_BODY)

    def routes(self, operations: tuple[Operation, ...]) -> list[Route]:
        """Return a route for each operation."""
        return [
            Route(f"{PREFIX}{each.path}", partial(self._serve, each, TypeAdapter(each.answer)), methods=[each.method])
            for each in operations
        ]

    async def metrics(self, request: Request) -> Response:
        """Serve `GET /metrics` to a client with a valid token."""
        try:
            token = self._tokens.of_bearer(request)
            text = await run_in_threadpool(metrics_text, self._ports, token)
        except InvalidToken as failure:
            return refusal_json(refused(await self._auth_failures.count(request.scope, failure)))
        except (RedisError, OSError):
            return refusal_json(refused(Unavailable()))
        return Response(text, media_type=CONTENT_TYPE)

    async def _serve(self, operation: Operation, adapter: TypeAdapter[Any], request: Request) -> Response:
        try:
            answer = await self._answer(operation, request)
        except InvalidToken as failure:
            return refusal_json(refused(await self._auth_failures.count(request.scope, failure)))
        except ClientGone:
            # Nobody reads it.
            return Response(status_code=HTTPStatus.BAD_REQUEST)
        except REFUSALS as refusal:
            return refusal_json(refused(refusal))
        except (RedisError, OSError):
            return refusal_json(refused(Unavailable()))
        return Response(adapter.dump_json(answer), media_type="application/json")

    async def _answer(self, operation: Operation, request: Request) -> Any:
        token = self._tokens.of_bearer(request)
        check_role(token, operation.role)
        query = read_as(operation.query, request.query_params)
        body = read_json_as(operation.body, await self._json(request)) if operation.body else None
        path = ids_of(request.path_params)
        call = Call(ports=self._ports, token=token, now=self._ports.clock(), path=path, query=query, body=body)
        return await run_in_threadpool(operation.handle, call)

    async def _json(self, request: Request) -> dict[str, Any]:
        text = await self._bodies.read(request.receive, dict(request.scope["headers"]))
        try:
            content = json.loads(text or b"{}")
        except (ValueError, RecursionError):
            raise Unusable({"body": "is not JSON"}) from None
        if not isinstance(content, dict):
            raise Unusable({"body": "is no JSON object"})
        return content


def refusal_json(why: Refused) -> Response:
    """Return a refusal as programs read it."""
    content: dict[str, Any] = {"error": why.error, "text": why.text, **why.more}
    if why.links:
        content["links"] = {said: f"{PREFIX}{path}" for said, path in why.links.items()}
    return json_response(why.status, content, why.headers)
