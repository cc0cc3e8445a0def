"""The little HTML that the pages are made of."""

from html import escape
from typing import Final

from starlette.responses import HTMLResponse

from deploy.sandbox.pages import script, style

HEADERS: Final = {
    "content-security-policy": "default-src 'none'; style-src 'self'; script-src 'self'; connect-src 'self'; "
    "form-action 'self'; frame-ancestors 'none'; base-uri 'none'",
    "cache-control": "no-store",
    "x-content-type-options": "nosniff",
    "referrer-policy": "same-origin",
}
_PAGES: Final = (("Doors and codes", "/"), ("Alerts", "/alerts"), ("For programs", "/sandbox/endpoints"))


def text(value: object) -> str:
    """Return any value as text that is safe in HTML."""
    return escape(str(value))


def page(title: str, body: str, *, here: str, status: int = 200) -> HTMLResponse:
    """Return a whole page; `body` is HTML already, `here` the address of its place in the navigation."""
    links = "".join(
        f'<a href="{path}"{" aria-current=page" if path == here else ""}>{text(name)}</a>' for name, path in _PAGES
    )
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f'<title>{text(title)} · Seam sandbox</title><link rel="stylesheet" href="{style.PATH}">'
        f'<script src="{script.PATH}" defer></script></head>'
        f'<body><header><strong>Seam sandbox</strong><nav aria-label="Pages">{links}</nav></header>'
        f"<main><h1>{text(title)}</h1>{body}</main></body></html>",
        status,
        headers=HEADERS,
    )


def table(headings: list[str], rows: list[list[str]]) -> str:
    """Return a table; the cells are HTML already."""
    head = "".join(f'<th scope="col">{text(heading)}</th>' for heading in headings)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    inner = f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody>"
    return f'<div class="scroll" tabindex="0" role="region" aria-label="Table"><table>{inner}</table></div>'


def options(choices: dict[str, str]) -> str:
    """Return the options of a select: what is sent, and what people read."""
    return "".join(f'<option value="{text(value)}">{text(name)}</option>' for value, name in choices.items())
