"""Seam's own list of events. It also has the events that no webhook brought.

The list has no cursor and no documented order (Seam API reference, "List events"). So if the answer for a span of time
is full, the span is halved until each half fits. So no event is cut off.
"""

from collections.abc import Iterator, Mapping
from datetime import datetime, timedelta
from typing import Any, Final

from shared.domain.code.event_types import is_ours
from shared.seam.client import SeamClient
from shared.seam.errors import Unreadable

_PAGE: Final = 500
# Seam excludes both ends of the span.
_EDGE: Final = timedelta(milliseconds=1)
# Shorter spans aren't halved: this API can't list more events than a page in such a moment.
_SHORTEST: Final = timedelta(milliseconds=10)


class Events:
    """The call to `/events/list`; raises what `shared.seam.errors` lists."""

    def __init__(self, client: SeamClient) -> None:
        self._client = client

    def ours(self, since: datetime, until: datetime) -> Iterator[dict[str, Any]]:
        """Yield our events (`shared.domain.code.event_types`) that were created in this time, the earliest spans first.

        No filter by type is sent: Seam refuses types that it doesn't know yet, and types that we don't know yet would
        be missed.
        """
        spans = [(since, until)]
        while spans:
            start, end = spans.pop()
            events = self._list(start, end)
            if len(events) >= _PAGE and end - start > _SHORTEST:
                middle = start + (end - start) / 2
                spans += [(middle, end), (start, middle)]
                continue
            for event in events:
                if isinstance(event, Mapping) and is_ours(str(event.get("event_type"))):
                    yield dict(event)

    def _list(self, start: datetime, end: datetime) -> list[Any]:
        between = [(start - _EDGE).isoformat(), (end + _EDGE).isoformat()]
        events = self._client.read("/events/list", {"between": between, "limit": _PAGE}).get("events")
        if not isinstance(events, list):
            raise Unreadable("/events/list: the answer has no events")
        return events
