"""Pages that are made from the code each time the site is built, and so can't fall behind it."""

from collections.abc import Callable, Iterator, Mapping
from typing import Final

from deploy.website.reference.commands import commands_page
from deploy.website.reference.errors import errors_page
from deploy.website.reference.events import events_page
from deploy.website.reference.http_api import http_api_page
from deploy.website.reference.log_events import log_events_page
from deploy.website.reference.problems import problems_page

FOLDER: Final = "docs/reference"
_MADE: Final[Mapping[str, Callable[[], str]]] = {
    "commands": commands_page,
    "errors": errors_page,
    "events": events_page,
    "http-api": http_api_page,
    "log-events": log_events_page,
    "problems": problems_page,
}


def made_pages() -> Iterator[tuple[str, str]]:
    """Yield each page: the path that it would have in the project, and its text."""
    for name, make in _MADE.items():
        yield f"{FOLDER}/{name}.md", make()
