"""The ways in which a call to Seam may fail, before and after its effect."""

import json
from collections.abc import Mapping
from typing import Any, Final

import httpx

# Every PIN starts with this, and no other value does.
PIN: Final = "739158"
# The faults of a call. Those of the second group happen after the effect.
BEFORE: Final = (
    "error_before",
    "timeout_before",
    "connect",
    "rate_limit",
    "rate_limit_30",
    "unauthorized",
    "refuse",
    "no_endpoint",
)
AFTER: Final = ("error_after", "timeout_after", "disconnect_after", "truncated", "garbage", "empty", "page_404")
LATE: Final = "late"
STALE: Final = "stale"


def failing(kind: str) -> httpx.Response:
    """Return an answer or raise an error, as if nothing had been done."""
    match kind:
        case "timeout_before":
            raise httpx.ReadTimeout(kind)
        case "connect":
            raise httpx.ConnectError(kind)
        case "error_before":
            return httpx.Response(500, text=f"oops {PIN}2")
        case "unauthorized":
            return httpx.Response(401, json={"error": {"type": kind, "message": ""}})
        case "no_endpoint":
            return httpx.Response(404, json={"error": {"type": kind, "message": f"No {PIN}4."}})
        case "refuse":
            return httpx.Response(400, json={"error": {"type": kind, "message": f"Not {PIN}3."}})
        case _:
            headers = {"retry-after": "30"} if kind == "rate_limit_30" else {}
            return httpx.Response(429, json={"error": {"type": "rate_limited", "message": ""}}, headers=headers)


def cut(kind: str, found: Mapping[str, Any]) -> httpx.Response:
    """Return what was found, or lose it on the way."""
    whole = json.dumps(found)
    match kind:
        case "error_after":
            return httpx.Response(502, text="<html>")
        case "page_404":
            return httpx.Response(404, text="<html>")
        case "timeout_after":
            raise httpx.ReadTimeout(kind)
        case "disconnect_after":
            raise httpx.RemoteProtocolError(kind)
        case "truncated":
            return httpx.Response(200, text=whole[: len(whole) // 2])
        case "garbage":
            return httpx.Response(200, text="<html>")
        case "empty":
            return httpx.Response(200, text="{}")
        case _:
            return httpx.Response(200, text=whole)
