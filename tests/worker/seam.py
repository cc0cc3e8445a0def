"""Clients of Seam with answers that a test chooses."""

from collections.abc import Mapping
from datetime import timedelta

import httpx

from shared.seam.client import SeamClient


def client_on(transport: httpx.BaseTransport) -> SeamClient:
    """Return a client whose calls end in `transport`."""
    within = timedelta(seconds=1)
    return SeamClient(endpoint="https://seam.test", api_key="seam_key", answer_within=within, transport=transport)


def answering(status: int, body: str, headers: Mapping[str, str] | None = None) -> SeamClient:
    """Return a client that gets the same answer to every call."""
    return client_on(
        httpx.MockTransport(lambda _: httpx.Response(status, content=body.encode(), headers=dict(headers or {})))
    )
