"""The control endpoints, for people who write tests."""

import json

from starlette.responses import HTMLResponse

from deploy.sandbox.control.observe import ENDPOINTS
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.pages.html import page, table, text


def endpoints_page() -> HTMLResponse:
    """Return the page."""
    rows = [
        [
            f"<code>{text(endpoint.method)}</code>",
            _link(endpoint.method, endpoint.path),
            text(endpoint.summary) + _examples(endpoint.examples),
        ]
        for endpoint in ENDPOINTS
    ]
    intro = (
        "<p>Programs arrange the same by these endpoints, and more. They take and answer JSON, and stay up while Seam "
        'is away. <a href="/sandbox/requests">What the API was asked</a> · <a href="/sandbox/stats">Counts</a></p>'
    )
    return page("For programs", intro + table(["Method", "Endpoint", "What it does"], rows), here="/sandbox/endpoints")


def _examples(bodies: tuple[JsonObject, ...]) -> str:
    return "".join(f"<br><code>{text(json.dumps(body))}</code>" for body in bodies)


def _link(method: str, path: str) -> str:
    shown = f"<code>{text(path)}</code>"
    return f'<a href="{text(path)}">{shown}</a>' if method == "GET" else shown
