"""One POST to a channel's address, with every way to fail mapped onto `NotDelivered`."""

from collections.abc import Mapping
from typing import Final

import httpx

from worker.alerts.channel import NotDelivered
from worker.seam.client import retry_after

_TIMEOUT: Final = httpx.Timeout(connect=5, read=10, write=5, pool=5)


def post(client: httpx.Client, url: str, body: bytes, headers: Mapping[str, str]) -> None:
    """Send `body` once; a 2xx is success, a redirect is not. Raises NotDelivered."""
    try:
        # The status says it all: what else is answered is never read, however long it is.
        with client.stream(
            "POST", url, content=body, headers=dict(headers), timeout=_TIMEOUT, follow_redirects=False
        ) as response:
            if response.is_success:
                return
            refused = NotDelivered(f"HTTP {response.status_code}", retry_after=retry_after(response.headers))
    except (httpx.HTTPError, httpx.InvalidURL) as error:
        # The error's text may hold the address, and a chat's address is its key.
        raise NotDelivered(type(error).__name__) from None
    raise refused
