"""What a control endpoint is, and how its calls are read and answered.

Every body is checked by a strict model: an unknown field or an impossible value is answered with 400 and all that is
wrong with it, because a test that set a fault by a mistyped name would pass for the wrong reason.
"""

from collections.abc import Callable
from dataclasses import dataclass
from http import HTTPStatus
from typing import Any, TypeAlias

from pydantic import ValidationError
from pydantic_core import from_json
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from deploy.sandbox.assembly import Sandbox
from deploy.sandbox.encoding import JsonObject, to_json_bytes
from deploy.sandbox.errors import ControlError


@dataclass(frozen=True, slots=True)
class ControlRequest:
    """A call to a control endpoint."""

    sandbox: Sandbox
    path: dict[str, str]
    query: dict[str, str]
    body: JsonObject


Handler: TypeAlias = Callable[[ControlRequest], Any]


@dataclass(frozen=True, slots=True)
class ControlEndpoint:
    """One endpoint: `summary` is its line in the index, `examples` are bodies that it takes."""

    method: str
    path: str
    summary: str
    handle: Handler
    examples: tuple[JsonObject, ...] = ()

    def route(self, sandbox: Sandbox) -> Route:
        """Return the endpoint bound to a sandbox."""

        async def endpoint(request: Request) -> Response:
            try:
                body = _read(await request.body())
                path = {name: str(value) for name, value in request.path_params.items()}
                with sandbox.store.batch():
                    answer = self.handle(ControlRequest(sandbox, path, dict(request.query_params), body))
            except ValidationError as problem:
                return _refuse(HTTPStatus.BAD_REQUEST, *_complaints(problem))
            except ControlError as problem:
                return _refuse(problem.status, problem.message)
            return _json(answer)

        return Route(self.path, endpoint, methods=[self.method])


def number(request: ControlRequest, name: str, default: int) -> int:
    """Return a query parameter that is a whole number, 0 or more.

    Raises:
        ControlError: it is something else.

    """
    text = request.query.get(name)
    if text is None:
        return default
    if not text.isdecimal():
        raise ControlError(f"{name}: a whole number is needed, not {text!r}")
    return int(text)


def _read(body: bytes) -> JsonObject:
    if not body.strip():
        return {}
    try:
        sent = from_json(body)
    except ValueError as problem:
        raise ControlError(f"the body is not valid JSON: {problem}") from problem
    if not isinstance(sent, dict):
        raise ControlError("the body is not a JSON object")
    return sent


def _complaints(problem: ValidationError) -> list[str]:
    return [
        f"{'.'.join(str(part) for part in error['loc']) or 'body'}: {error['msg']}"
        for error in problem.errors(include_url=False, include_context=False)
    ]


def _refuse(status: int, *problems: str) -> Response:
    return _json({"error": "; ".join(problems), "problems": list(problems)}, status)


def _json(value: object, status: int = HTTPStatus.OK) -> Response:
    return Response(to_json_bytes(value), status, media_type="application/json")
