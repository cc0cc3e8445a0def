"""Seam over HTTP: four explicit time-outs, no hidden repeats, every failure mapped into `shared.seam.errors`.

Each thread has an httpx client of its own, because a pool that many threads share gets slow under load (measured). All
clients share one TLS context, because each context costs megabytes. Nothing below this module sends a call twice. An
answer is limited in size and in total time. Characters that can't be stored are replaced.
"""

import json
import ssl
import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Final

import httpx

from shared.domain.quoting import shown
from shared.seam.errors import OutcomeUnknown, SeamError, Unreachable, Unreadable
from shared.seam.refusals import Reply, refusal_of
from shared.seam_event_redaction import mask_digits

_CONNECT_WITHIN: Final = 5.0
_LONGEST_RETRY_AFTER: Final = timedelta(hours=1)
_LONGEST_REASON: Final = 300
_LARGEST_ANSWER: Final = 16 * 1024 * 1024
_KEPT_HEADERS: Final = ("retry-after", "seam-request-id")

# Failures before anything was sent. After any other error of httpx, the call may have had its effect.
NEVER_SENT: Final = (
    httpx.ConnectError,
    httpx.ConnectTimeout,
    httpx.PoolTimeout,
    httpx.UnsupportedProtocol,
    httpx.LocalProtocolError,
    httpx.ProxyError,
)


@dataclass(frozen=True, slots=True, kw_only=True)
class SeamCall:
    """One call that is over: `failure` is None if Seam answered. `request_id` is from Seam's answer, if it had one."""

    path: str
    seconds: float
    failure: SeamError | None
    request_id: str | None


Observe = Callable[[SeamCall], None]


def unobserved(_: SeamCall) -> None:
    """Note nothing."""


class Answer(dict[str, Any]):
    """The JSON object that Seam answered; by `request_id` Seam's support finds the call."""

    request_id: str | None = None


class SeamClient:
    """Calls to Seam's API. Thread-safe: each thread gets a client of its own."""

    def __init__(
        self,
        *,
        endpoint: str,
        api_key: str,
        answer_within: timedelta,
        transport: httpx.BaseTransport | None = None,
        observe: Observe = unobserved,
    ) -> None:
        self._observe = observe
        self._endpoint = endpoint
        self._headers = {"authorization": f"Bearer {api_key}", "user-agent": "oracode-codes"}
        seconds = answer_within.total_seconds()
        self._timeout = httpx.Timeout(
            connect=_CONNECT_WITHIN, read=seconds, write=_CONNECT_WITHIN, pool=_CONNECT_WITHIN
        )
        # Made once: each client would make its own, which costs milliseconds and megabytes a thread.
        self._tls = ssl.create_default_context()
        self._transport = transport
        # httpx's time-out of a read begins again with each byte; this one is for the whole answer.
        self._whole_within = _CONNECT_WITHIN * 2 + seconds
        self._of_thread = threading.local()
        self._clients: list[httpx.Client] = []

    def close(self) -> None:
        """Close the connections of all threads; no call may be under way. A later call opens new ones."""
        clients, self._clients, self._of_thread = self._clients, [], threading.local()
        for client in clients:
            client.close()

    def read(self, path: str, parameters: Mapping[str, Any]) -> Answer:
        """Call a reading endpoint. Raises TryAgainLater, Refused or Unreadable.

        It is sent as POST with a JSON body, which Seam accepts for every read. So the parameters aren't in the URL, and
        not in the logs of proxies.
        """
        return self._observed(path, lambda: self._read(path, parameters))

    def _read(self, path: str, parameters: Mapping[str, Any]) -> Answer:
        try:
            response = self._post(path, parameters)
        except httpx.HTTPError as error:
            raise Unreachable(f"{path}: {_name(error)}") from error
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR:
            raise Unreachable(f"{path}: HTTP {response.status_code}", request_id=_request_id(response))
        if response.is_redirect:
            raise Unreadable(f"{path}: HTTP {response.status_code}", request_id=_request_id(response))
        if not response.is_success:
            raise _refusal(path, response, is_read=True)
        return _object(path, response, Unreadable)

    def change(self, path: str, parameters: Mapping[str, Any]) -> Answer:
        """Call an endpoint that changes something, once.

        Raises Unreachable if it was never sent, RateLimited, Unauthorized or Refused if Seam said so, and
        OutcomeUnknown in every other case: a time-out, a cut connection, HTTP 5xx, an answer that can't be read. A 404
        is judged by `shared.seam.refusals`.
        """
        return self._observed(path, lambda: self._change(path, parameters))

    def _observed(self, path: str, call: Callable[[], Answer]) -> Answer:
        started = time.monotonic()

        def over(failure: SeamError | None, request_id: str | None) -> None:
            seconds = time.monotonic() - started
            self._observe(SeamCall(path=path, seconds=seconds, failure=failure, request_id=request_id))

        try:
            answer = call()
        except SeamError as error:
            over(error, error.request_id)
            raise
        over(None, answer.request_id)
        return answer

    def _change(self, path: str, parameters: Mapping[str, Any]) -> Answer:
        try:
            response = self._post(path, parameters)
        except NEVER_SENT as error:
            raise Unreachable(f"{path}: {_name(error)}") from error
        except httpx.HTTPError as error:
            raise OutcomeUnknown(f"{path}: {_name(error)}") from error
        if response.status_code >= httpx.codes.INTERNAL_SERVER_ERROR or response.is_redirect:
            raise OutcomeUnknown(f"{path}: HTTP {response.status_code}", request_id=_request_id(response))
        if not response.is_success:
            raise _refusal(path, response, is_read=False)
        return _object(path, response, OutcomeUnknown)

    def _post(self, path: str, parameters: Mapping[str, Any]) -> httpx.Response:
        client: httpx.Client | None = getattr(self._of_thread, "client", None)
        if client is None:
            client = httpx.Client(
                base_url=self._endpoint,
                headers=self._headers,
                timeout=self._timeout,
                verify=self._tls,
                transport=self._transport,
                follow_redirects=False,
            )
            self._of_thread.client = client
            self._clients.append(client)
        until = time.monotonic() + self._whole_within
        try:
            with client.stream("POST", path, json=dict(parameters)) as response:
                return _bounded(response, until)
        except httpx.HTTPError:
            raise
        except httpx.InvalidURL as error:
            raise httpx.LocalProtocolError(type(error).__name__) from error
        except httpx.StreamError as error:
            # This was raised while the answer was read: the call may have had its effect.
            raise httpx.ReadError(type(error).__name__) from error


def _bounded(response: httpx.Response, until: float) -> httpx.Response:
    """Return the whole answer, with the headers that are used.

    Raises ReadTimeout if it takes too long, and ReadError if it is too large.
    """
    content = bytearray()
    for piece in response.iter_bytes():
        content += piece
        if len(content) > _LARGEST_ANSWER:
            raise httpx.ReadError(f"an answer of over {_LARGEST_ANSWER} bytes")
        if time.monotonic() > until:
            raise httpx.ReadTimeout("an answer without end")
    headers = {name: response.headers[name] for name in _KEPT_HEADERS if name in response.headers}
    return httpx.Response(response.status_code, headers=headers, content=bytes(content))


def _refusal(path: str, response: httpx.Response, *, is_read: bool) -> SeamError:
    error_type, message = _error_of(response)
    reply = Reply(
        path=path,
        status=response.status_code,
        error_type=error_type,
        message=message,
        retry_after=retry_after(response.headers),
        request_id=_request_id(response),
    )
    return refusal_of(reply, is_read=is_read)


def retry_after(headers: Mapping[str, str]) -> timedelta | None:
    """Return the pause that `Retry-After` asks for in seconds, at most an hour; None if it is missing or unreadable."""
    seconds = headers.get("retry-after", "").strip()
    if not seconds.isascii() or not seconds.isdigit() or len(seconds) > 9:  # noqa: PLR2004 - beyond any sense
        return None
    return min(timedelta(seconds=int(seconds)), _LONGEST_RETRY_AFTER)


def _error_of(response: httpx.Response) -> tuple[str | None, str]:
    """Return type and message of Seam's error; the type is None if the body isn't an error of Seam."""
    try:
        error = response.json()["error"]
        error_type, message = str(error["type"]), str(error.get("message", ""))
    except (ValueError, KeyError, TypeError, AttributeError, RecursionError):
        return None, "an answer that isn't Seam's"
    return mask_digits(shown(error_type[:80])), mask_digits(shown(message[:_LONGEST_REASON]))


def _object(path: str, response: httpx.Response, error_class: type[SeamError]) -> Answer:
    request_id = _request_id(response)
    try:
        body = json.loads(response.content)
        if b"\\ud" in response.content or b"\\uD" in response.content:
            body = _storable(body)
    except (ValueError, RecursionError) as error:
        raise error_class(f"{path}: the answer is not JSON", request_id=request_id) from error
    if not isinstance(body, dict):
        raise error_class(f"{path}: the answer is not a JSON object", request_id=request_id)
    answer = Answer(body)
    answer.request_id = request_id
    return answer


def _storable(value: Any) -> Any:
    """Return a JSON value without lone surrogates: JSON can hold them, the data server can't."""
    match value:
        case str():
            return value.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
        case list():
            return [_storable(each) for each in value]
        case dict():
            return {_storable(name): _storable(each) for name, each in value.items()}
        case _:
            return value


def _request_id(response: httpx.Response) -> str | None:
    request_id = response.headers.get("seam-request-id")
    return request_id[:80] if request_id else None


def _name(error: Exception) -> str:
    return type(error).__name__
