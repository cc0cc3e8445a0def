"""Seam's pagination: an opaque cursor that stands after the last item served."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from deploy.sandbox.api.parameters import Page
from deploy.sandbox.encoding import JsonObject
from deploy.sandbox.errors import invalid_input

T = TypeVar("T")


def one_page(
    items: Sequence[T], asked: Page, seq_of: Callable[[T], int], *, path: str, default_limit: int
) -> tuple[list[T], JsonObject]:
    """Return the wanted page of `items` and its pagination object; the edge makes its URL absolute.

    The items are in ascending order of `seq_of`.

    Raises:
        ApiError: 400, a cursor that can't be used.

    """
    limit = asked.limit or default_limit
    after = _after(asked.page_cursor)
    rest = [item for item in items if seq_of(item) > after] if after else list(items)
    page = rest[:limit]
    more = len(rest) > limit
    following = _cursor(seq_of(page[-1])) if more else None
    url = None
    if following is not None:
        given = {name: _text(value) for name, value in asked.model_dump(mode="json", exclude_none=True).items()}
        url = f"{path}?{urlencode({**given, 'page_cursor': following}, doseq=True)}"
    return page, {"next_page_cursor": following, "has_next_page": more, "next_page_url": url}


def _text(value: object) -> object:
    return str(value).lower() if isinstance(value, bool) else value


def _cursor(seq: int) -> str:
    return base64.urlsafe_b64encode(f"after:{seq}".encode()).decode()


def _after(cursor: str | None) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("after:"))
    except (ValueError, binascii.Error):
        raise invalid_input("page_cursor", "Invalid cursor") from None
