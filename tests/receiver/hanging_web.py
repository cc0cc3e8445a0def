"""A server like `web`'s, with an endpoint that blocks its event loop, and one that says hello."""

import sys
import time

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from receiver.connection_limits import ConnectionLimits
from receiver.serving import Server, handed_sockets


async def _hang(_: Request) -> Response:
    time.sleep(60)  # noqa: ASYNC251 - that is the point
    return PlainTextResponse("too late")


async def _hello(_: Request) -> Response:
    return PlainTextResponse("hello")


def main() -> None:
    """Serve on the port that is given, or on a socket that was handed over."""
    app = Starlette(routes=[Route("/hang", _hang), Route("/hello", _hello)])
    port = int(sys.argv[1])
    limits = ConnectionLimits(request_within=10, connections=100, header_bytes=10_000)
    Server(uvicorn.Config(app, port=port, log_config=None), limits).run(handed_sockets())


if __name__ == "__main__":
    main()
