"""Seam's pagination: an opaque cursor that stands after the last item served."""

import base64
import binascii
from collections.abc import Callable, Sequence
from typing import TypeVar
from urllib.parse import urlencode

from deploy.sandbox.api.params import Params
from deploy.sandbox.wire import JsonObject

T = TypeVar("T")


def one_page(
    items: Sequence[T], params: Params, seq_of: Callable[[T], int], *, path: str, default_limit: int
) -> tuple[list[T], JsonObject]:
    """Return the wanted page of `items` and its pagination object.

    The items are in ascending order of `seq_of`.

    Raises:
        ApiError: 400, a limit or cursor that can't be used.

    """
    limit = params.count("limit") or default_limit
    cursor = params.string("page_cursor")
    after = _after(cursor, params)
    params.check()
    rest = [item for item in items if seq_of(item) > after] if after else list(items)
    page = rest[:limit]
    more = len(rest) > limit
    following = _cursor(seq_of(page[-1])) if more else None
    url = None
    if following is not None:
        asked = {name: value for name, value in params.values.items() if name != "page_cursor"}
        url = f"{path}?{urlencode({**asked, 'page_cursor': following}, doseq=True)}"
    return page, {"next_page_cursor": following, "has_next_page": more, "next_page_url": url}


def _cursor(seq: int) -> str:
    return base64.urlsafe_b64encode(f"after:{seq}".encode()).decode()


def _after(cursor: str | None, params: Params) -> int:
    if cursor is None:
        return 0
    try:
        return int(base64.urlsafe_b64decode(cursor).decode().removeprefix("after:"))
    except (ValueError, binascii.Error):
        params.complain("page_cursor", "Invalid cursor")
        return 0
