"""The upper limit: a Starlette endpoint that reads the request and answers 204. It verifies and stores nothing."""

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route


async def take(_: Request) -> Response:
    """Answer."""
    return Response(status_code=204)


app = Starlette(routes=[Route("/webhooks/seam", take, methods=["POST"])])
