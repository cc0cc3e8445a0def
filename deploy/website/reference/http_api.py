"""The page of the HTTP APIs: of `web`, for booking systems, and of the console, for programs of people."""

from collections.abc import Iterator, Mapping
from typing import Any

from deploy.website.reference.markdown import code, page, table
from receiver.console import openapi as console_openapi
from receiver.console.table import OPERATIONS
from receiver.openapi import web_document


def _operations(document: Mapping[str, Any]) -> Iterator[tuple[str, ...]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            if method == "parameters":
                continue
            statuses = ", ".join(operation["responses"])
            yield code(f"{method.upper()} {path}"), operation["summary"], operation.get("description", ""), statuses


def http_api_page() -> str:
    """Return the page."""
    headings = ("request", "", "", "answers")
    return page(
        "HTTP API",
        "Both are described for machines by OpenAPI 3.1: [`web`](../openapi.json), [the"
        " console](../console-openapi.json).",
        "## `web`",
        "For Seam, booking systems and Slack. What the bodies mean: [booking messages](../booking-messages.md),"
        " [outcomes, state and PIN](../outcomes.md).",
        table(headings, _operations(web_document())),
        "## The console",
        "For programs that act for people, with a token of `CONSOLE_TOKENS`: [the console](../console.md).",
        table(headings, _operations(console_openapi.document(OPERATIONS))),
    )
