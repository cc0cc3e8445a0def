"""Pages: the operations as HTML, readable and usable without JavaScript."""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import replace
from datetime import datetime
from functools import partial
from http import HTTPStatus
from string import Formatter
from typing import Any, Final
from urllib.parse import parse_qsl, quote

from jinja2 import Environment
from redis.exceptions import RedisError
from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, RedirectResponse, Response, StreamingResponse
from starlette.routing import Route

from receiver.auth_failures import AuthFailureLimiter
from receiver.bodies import BodyReader
from receiver.console.addresses import ids_of, part_of
from receiver.console.authentication import Tokens, check_role, check_same_origin
from receiver.console.changes import Changes
from receiver.console.exports import Export, as_csv
from receiver.console.operations import Call, Operation, Unusable, read_as
from receiver.console.ports import Ports
from receiver.console.refused import REFUSALS, Refused, refused
from receiver.console.sessions import COOKIE, Sessions
from receiver.console.view_cache import ViewCache
from receiver.refusals import ClientGone, InvalidToken, Unavailable
from shared.console_tokens import ConsoleToken, Role

LARGEST_BODY: Final = 128 * 1024
_SEE_OTHER: Final = HTTPStatus.SEE_OTHER
_MOST_FIELDS: Final = 100

Endpoint = Callable[[Request], Awaitable[Response]]


class Pages:
    """Serves pages to those who have logged in."""

    def __init__(
        self,
        *,
        ports: Ports,
        tokens: Tokens,
        sessions: Sessions,
        auth_failures: AuthFailureLimiter,
        templates: Environment,
        changes: Changes,
    ) -> None:
        self._changes = changes
        self._ports = ports
        self._tokens = tokens
        self._sessions = sessions
        self._auth_failures = auth_failures
        self._templates = templates
        self._bodies = BodyReader(LARGEST_BODY)
        self._views = ViewCache(ports)

    def routes(self, operations: tuple[Operation, ...]) -> list[Route]:
        """Return the routes of the pages of `operations`, of log-in and log-out."""
        routes = [
            Route("/", self._guarded(_home)),
            Route("/login", self._guarded(self._login_form)),
            Route("/login", self._guarded(self._login), methods=["POST"]),
            Route("/login/{code}", self._guarded(self._login_once)),
            Route("/events", self._guarded(self.events)),
            Route("/logout", self._guarded(self._logout), methods=["POST"]),
        ]
        for operation in operations:
            if operation.page:
                show = self._show if operation.method == "GET" else self._act
                method = "GET" if operation.method == "GET" else "POST"
                endpoint = self._guarded(partial(show, operation))
                routes.append(Route(operation.page, endpoint, methods=[method]))
        return routes

    def export_routes(self, exports: tuple[Export, ...]) -> list[Route]:
        """Return the routes of the lists as CSV."""
        return [Route(f"{each.path}.csv", self._guarded(partial(self._export, each))) for each in exports]

    def _guarded(self, endpoint: Endpoint) -> Endpoint:
        """Return an endpoint that answers refusals with a page; a browser without a session is sent to the log-in."""

        async def serve(request: Request) -> Response:
            try:
                return await endpoint(request)
            except InvalidToken:
                target = _target(request) if request.method == "GET" else "/"
                return RedirectResponse(f"/login?next={quote(target, safe='')}", _SEE_OTHER)
            except ClientGone:
                # Nobody reads it.
                return Response(status_code=HTTPStatus.BAD_REQUEST)
            except REFUSALS as refusal:
                return await self.refusal_page(refused(refusal), request)
            except (RedisError, OSError):
                return await self.refusal_page(refused(Unavailable()), request)

        return serve

    async def _show(self, operation: Operation, request: Request) -> Response:
        def show() -> Response:
            token, note = self._sessions.visit(_session_id(request))
            if token is None:
                raise InvalidToken
            check_role(token, operation.role)
            query = read_as(operation.query, request.query_params)
            call = replace(self._call(token, request, query=query), for_page=True)

            def make() -> str:
                view, path = operation.handle(call), request.url.path
                return self._html(operation.template, token, at=call.now, view=view, query=query, note=note, path=path)

            # A note is for the person who caused it, so that page isn't shared.
            return HTMLResponse(make() if note else self._views.read(operation, call, make))

        # A large page takes tens of milliseconds to make: in a thread, or event streams would wait for it.
        return await run_in_threadpool(show)

    async def _act(self, operation: Operation, request: Request) -> Response:
        """Do what a form orders; leave what became of it for the page that follows, or show it at once.

        A page that is shown at once (with a PIN) isn't stored.
        """
        check_same_origin(request)
        token = await self._permitted(operation, request)
        body = read_as(operation.body, await self._form(request)) if operation.body else None
        call = self._call(token, request, body=body)
        answer = await run_in_threadpool(operation.handle, call)
        self._views.forget()
        if operation.template:
            return self._page(operation.template, token, view=answer, query=None, note="", path=request.url.path)
        if note := operation.note(answer):
            await run_in_threadpool(self._sessions.leave_note, _session_id(request), note)
        return RedirectResponse(_address_after(operation, call, answer), _SEE_OTHER)

    async def _export(self, export: Export, request: Request) -> Response:
        token = await run_in_threadpool(self._holder, request)
        call = self._call(token, request, query=read_as(export.query, request.query_params))
        text = await run_in_threadpool(lambda: as_csv(export.columns, export.rows(call)))
        headers = {"content-disposition": f'attachment; filename="{export.path.strip("/")}.csv"'}
        return Response(text, headers=headers, media_type="text/csv")

    async def events(self, request: Request) -> Response:
        """Serve the event stream of one open page."""
        session_id = _session_id(request)
        if await run_in_threadpool(self._sessions.holder, session_id) is None:
            return Response(status_code=HTTPStatus.UNAUTHORIZED)
        if self._changes.is_full:
            return Response(status_code=HTTPStatus.SERVICE_UNAVAILABLE)
        stream = self._changes.stream(lambda: self._sessions.holder(session_id) is not None)
        return StreamingResponse(stream, media_type="text/event-stream")

    async def _permitted(self, operation: Operation, request: Request) -> ConsoleToken:
        """Return the session's holder. Raises InvalidToken, NotAllowed; before anything else of the request is read."""
        token = await run_in_threadpool(self._holder, request)
        check_role(token, operation.role)
        return token

    def _call(self, token: ConsoleToken, request: Request, *, query: Any = None, body: Any = None) -> Call:
        ids = ids_of(request.path_params)
        return Call(ports=self._ports, token=token, now=self._ports.clock(), path=ids, query=query, body=body)

    def _holder(self, request: Request) -> ConsoleToken:
        token = self._sessions.holder(_session_id(request))
        if token is None:
            raise InvalidToken
        return token

    async def _form(self, request: Request) -> Mapping[str, str]:
        body = await self._bodies.read(request.receive, dict(request.scope["headers"]))
        try:
            fields = parse_qsl(body.decode("utf-8", "replace"), keep_blank_values=True, max_num_fields=_MOST_FIELDS)
        except ValueError:
            raise Unusable({"body": f"has more than {_MOST_FIELDS} fields"}) from None
        return {name: value.replace("\r\n", "\n") for name, value in fields}

    async def _login_form(self, request: Request) -> Response:
        return self._page(
            "login.html", None, view=None, query=None, note="", path=request.query_params.get("next", "/")
        )

    async def _login(self, request: Request) -> Response:
        check_same_origin(request)
        form = await self._form(request)
        try:
            token = self._tokens.find(form.get("token", "").strip())
        except InvalidToken as failure:
            why = refused(await self._auth_failures.count(request.scope, failure))
            return self._login_refused(why, form.get("next", "/"))
        return await self._logged_in(request, token, form.get("next", "/"))

    async def _login_once(self, request: Request) -> Response:
        token = await run_in_threadpool(self._sessions.token_of_link, request.path_params["code"])
        if token is None:
            why = refused(await self._auth_failures.count(request.scope, InvalidToken()))
            if why.status == HTTPStatus.UNAUTHORIZED:
                why = replace(why, text="This link is used up, or too old.")
            return self._login_refused(why, "/")
        return await self._logged_in(request, token, "/")

    def _login_refused(self, why: Refused, target: str) -> Response:
        """Return the form again, with what was wrong. Without `www-authenticate`: browsers would open a window."""
        response = self._page("login.html", None, view=why, query=None, note="", path=target, status=why.status)
        if "retry-after" in why.headers:
            response.headers["retry-after"] = why.headers["retry-after"]
        return response

    async def _logged_in(self, request: Request, token: ConsoleToken, target: str) -> Response:
        """Begin a session under a new id. An earlier session of this browser, also of another person, ends."""
        session_id = await run_in_threadpool(self._sessions.begin, token, instead_of=_session_id(request))
        response = RedirectResponse(_own_page(target), _SEE_OTHER)
        response.set_cookie(COOKIE, session_id, path="/", secure=True, httponly=True, samesite="strict")
        return response

    async def _logout(self, request: Request) -> Response:
        check_same_origin(request)
        await run_in_threadpool(self._sessions.end, _session_id(request))
        response = RedirectResponse("/login", _SEE_OTHER)
        response.delete_cookie(COOKIE, path="/", secure=True, httponly=True, samesite="strict")
        return response

    def _page(self, template: str, token: ConsoleToken | None, *, status: int = 200, **context: Any) -> Response:
        return HTMLResponse(self._html(template, token, at=self._ports.clock(), **context), status)

    def _html(self, template: str, token: ConsoleToken | None, *, at: datetime, **context: Any) -> str:
        allowed = [str(role) for role in Role if token is not None and token.role.allows(role)]
        return self._templates.get_template(template).render(token=token, may=allowed, as_of=at, **context)

    async def refusal_page(self, why: Refused, request: Request) -> Response:
        """Return the page of a refused request, with the links to all pages if a person is logged in.

        It leads back to where a refused form stood.
        """
        try:
            token = await run_in_threadpool(self._sessions.holder, _session_id(request))
        except (RedisError, OSError):
            token = None
        back = _page_of_form(request) if token is not None else ""
        response = self._page("refused.html", token, status=why.status, view=why, query=None, note="", path=back)
        response.headers.update(why.headers)
        return response


async def _home(_: Request) -> Response:
    return RedirectResponse("/arrivals", _SEE_OTHER)


def _address_after(operation: Operation, call: Call, answer: Any) -> str:
    """Return the address that a form leads to."""
    given = operation.leads_to
    leads_to = given if isinstance(given, str) else given(answer)
    names = [name for _, name, _, _ in Formatter().parse(leads_to) if name]
    ids = {name: call.path[name] if name in call.path else str(getattr(answer, name)) for name in names}
    return leads_to.format(**{name: part_of(text) for name, text in ids.items()})


def _session_id(request: Request) -> str:
    return request.cookies.get(COOKIE, "")


def _target(request: Request) -> str:
    """Return the address that was asked for, as it came: an id in it may hold `/` or `?`, encoded."""
    path = request.scope.get("raw_path", b"").partition(b"?")[0].decode("ascii", "replace") or request.url.path
    return f"{path}?{request.url.query}" if request.url.query else path


def _page_of_form(request: Request) -> str:
    """Return the address of the page that a form stands on; empty where the request is no form, or of no such page."""
    path = _target(request).partition("?")[0]
    if request.method != "POST":
        return ""
    if path.startswith(("/bookings/", "/parked/")):
        return _own_page(path.rpartition("/")[0])
    return "/alerts" if path.startswith(("/alerts/", "/silences")) else ""


def _own_page(target: str) -> str:
    """Return the address of one of our own pages: an address that could lead elsewhere is replaced by the first."""
    is_ours = (
        target.startswith("/") and not target.startswith(("//", "/\\", "/login", "/logout")) and target.isprintable()
    )
    return quote(target, safe="/:@?=&%+,;~") if is_ours else "/"
