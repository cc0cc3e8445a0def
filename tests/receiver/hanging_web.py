"""A server like `web`'s, with an endpoint that blocks its event loop, and one that says hello."""

import sys
import time

import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from receiver.server import Server


async def _hang(_: Request) -> Response:
    time.sleep(60)  # noqa: ASYNC251 - that is the point
    return PlainTextResponse("too late")


async def _hello(_: Request) -> Response:
    return PlainTextResponse("hello")


def main() -> None:
    """Serve on the port that is given."""
    app = Starlette(routes=[Route("/hang", _hang), Route("/hello", _hello)])
    Server(uvicorn.Config(app, port=int(sys.argv[1]), log_config=None)).run()


if __name__ == "__main__":
    main()
