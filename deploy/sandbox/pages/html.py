"""The little HTML that the pages are made of."""

from html import escape

from starlette.responses import HTMLResponse

_CSS = """
:root { color-scheme: light dark; --line: #8884; --soft: #8882; }
body { font: 16px/1.5 system-ui, sans-serif; max-width: 64rem; margin: 2rem auto; }
body { padding: 0 1rem; }
table { border-collapse: collapse; width: 100%; margin: .5rem 0 2rem; }
th, td { text-align: left; padding: .35rem .6rem; vertical-align: top; }
th, td { border-bottom: 1px solid var(--line); }
th { font-weight: 600; }
code, pre { font: .9em ui-monospace, monospace; }
pre { white-space: pre-wrap; overflow-wrap: anywhere; background: var(--soft); }
pre { padding: .75rem; border-radius: .4rem; }
article { border: 1px solid var(--line); border-radius: .5rem; padding: .5rem 1rem; }
article { margin: 1rem 0; }
article h2 { font-size: 1rem; margin: .25rem 0; }
small { opacity: .7; }
details { margin: .5rem 0; }
.scroll { overflow-x: auto; }
"""


def text(value: object) -> str:
    """Return any value as text that is safe in HTML."""
    return escape(str(value))


def page(title: str, body: str, *, refresh_seconds: int | None = None) -> HTMLResponse:
    """Return a whole page; `body` is HTML already."""
    refresh = ""
    if refresh_seconds is not None:
        refresh = f'<meta http-equiv="refresh" content="{refresh_seconds}">'
    return HTMLResponse(
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"{refresh}<title>{text(title)}</title><style>{_CSS}</style></head>"
        f"<body><h1>{text(title)}</h1>{body}</body></html>"
    )


def table(headings: list[str], rows: list[list[str]]) -> str:
    """Return a table; the cells are HTML already."""
    head = "".join(f"<th>{text(heading)}</th>" for heading in headings)
    lines = "".join("<tr>" + "".join(f"<td>{cell}</td>" for cell in row) + "</tr>" for row in rows)
    inner = f"<thead><tr>{head}</tr></thead><tbody>{lines}</tbody>"
    return f'<div class="scroll"><table>{inner}</table></div>'
