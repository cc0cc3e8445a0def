"""Reads Seam's paged lists to the end."""

from collections.abc import Iterator, Mapping
from typing import Any, Final

from shared.seam.client import SeamClient
from shared.seam.errors import Unreadable

PAGE: Final = 500
MOST_PAGES: Final = 100
_LONGEST_CURSOR: Final = 4_096


def pages(client: SeamClient, path: str, parameters: Mapping[str, Any], name: str) -> Iterator[list[Any]]:
    """Yield each page of the list called `name`. Entries may be of any JSON type.

    Raises the errors of `SeamClient.read`, and Unreadable if the answer has no such list, or the pages never end.
    """
    asked: dict[str, Any] = {**parameters, "limit": PAGE}
    for _ in range(MOST_PAGES):
        answer = client.read(path, asked)
        listed = answer.get(name)
        if not isinstance(listed, list):
            raise Unreadable(f"{path}: the answer has no {name}")
        yield listed
        pagination = answer.get("pagination")
        cursor = pagination.get("next_page_cursor") if isinstance(pagination, Mapping) else None
        if not cursor:
            return
        if not isinstance(cursor, str) or len(cursor) > _LONGEST_CURSOR:
            raise Unreadable(f"{path}: its next page has no name that can be used")
        asked["page_cursor"] = cursor
    raise Unreadable(f"{path}: its pages never end")
