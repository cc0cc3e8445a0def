"""What all endpoints have in common: read the headers, handle the request, answer a refusal (`receiver.refusals`)."""

from collections.abc import Awaitable, Callable
from functools import partial

from starlette.responses import Response
from starlette.types import Receive, Scope, Send

from receiver.auth_failures import AuthFailureLimiter
from receiver.bodies import Headers
from receiver.refusals import REFUSALS, ClientGone, InvalidSignature, InvalidToken, response_to
from shared import metrics
from shared.domain.messages.booking_id import booking_id_of

Handle = Callable[[Headers, Receive], Awaitable[Response]]
"""Handles one request, given its headers and `receive` for its body. Raises any of REFUSALS, and ClientGone."""


class PostEndpoint:
    """An ASGI endpoint for one kind of POST.

    It is a plain ASGI class, which Starlette accepts as a route's endpoint: making request objects would cost more
    than checking the signature.
    """

    def __init__(self, handle: Handle, auth_failures: AuthFailureLimiter) -> None:
        self._handle = handle
        self._auth_failures = auth_failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        try:
            response = await self._handle(dict(scope["headers"]), receive)
        except ClientGone:
            return
        except (InvalidSignature, InvalidToken) as failure:
            response = response_to(await self._auth_failures.count(scope, failure))
        except REFUSALS as refusal:
            metrics.REFUSED.add(metrics.snake_case(type(refusal)))
            response = response_to(refusal)
        await response(scope, receive, send)


HandleOne = Callable[[str, Headers, Receive], Awaitable[Response]]
"""Handles one request about one booking, given the booking's id, the headers and `receive` for the body."""


class BookingEndpoint:
    """An ASGI endpoint for a path with a booking's id, as `{booking_id:path}`: an id may hold a slash."""

    def __init__(self, handle: HandleOne, auth_failures: AuthFailureLimiter) -> None:
        self._handle = handle
        self._auth_failures = auth_failures

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        handle = partial(self._handle, booking_id_of(scope["path_params"]["booking_id"]))
        await PostEndpoint(handle, self._auth_failures)(scope, receive, send)
