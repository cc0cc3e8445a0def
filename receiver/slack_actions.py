"""`POST /slack/actions`: a button was pressed. Verify, append the order durably, answer; the worker obeys.

Without SLACK_SIGNING_SECRET it isn't there (404). slack_sdk decides whether a request is Slack's: an HMAC over the
timestamp and the very bytes of the body, at most five minutes old, compared in constant time (Slack docs, "Verifying
requests from Slack").
"""

import hashlib
import json
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from slack_sdk.signature import Clock as SlackClock
from slack_sdk.signature import SignatureVerifier
from starlette.types import Receive, Scope, Send

from receiver.http import BodyReader, BodyTooLarge, ClientGone, Headers, NoRoom, answer, headers_of
from receiver.inbox import Inbox, Unavailable
from receiver.rejections import Rejections
from receiver.webhook import RETRY_AFTER
from shared.clock import Clock
from shared.ops_commands import OpsCommand, ordered_by

_MOST_ACTIONS: Final = 10

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class _Time(SlackClock):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock().timestamp()


class SlackActions:
    """The endpoint. Each press is appended once, however often it is sent."""

    def __init__(
        self, *, signing_secret: str | None, inbox: Inbox, clock: Clock, bodies: BodyReader, rejections: Rejections
    ) -> None:
        self._verifier = SignatureVerifier(signing_secret, _Time(clock)) if signing_secret else None
        self._inbox = inbox
        self._bodies = bodies
        self._rejections = rejections

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Serve one request."""
        if self._verifier is None:
            await answer(send, 404, {"error": "not_found"})
        elif scope["method"] != "POST":
            await answer(send, 405, {"error": "method_not_allowed"}, {"allow": "POST"})
        else:
            await self._take(self._verifier, scope, receive, send)

    async def _take(self, verifier: SignatureVerifier, scope: Scope, receive: Receive, send: Send) -> None:
        headers = headers_of(scope)
        try:
            body = await self._bodies.read(receive, headers)
            if not is_from_slack(verifier, body, headers):
                await self._rejections.answer(scope, send, "invalid_signature")
                return
            for command_id, command in commands_in(body):
                await self._inbox.append(command_id, command.encoded())
                log.info("action.accepted", action=command.action, by=command.by)
        except ClientGone:
            return
        except BodyTooLarge:
            await answer(send, 413, {"error": "body_too_large", "limit_bytes": self._bodies.limit})
        except ValueError:
            await answer(send, 400, {"error": "unreadable"})
        except (Unavailable, NoRoom):
            await answer(send, 503, {"error": "unavailable"}, RETRY_AFTER)
        else:
            await answer(send, 200, {})


def is_from_slack(verifier: SignatureVerifier, body: bytes, headers: Headers) -> bool:
    """Say whether Slack signed `body`, whatever the headers hold."""
    timestamp = headers.get(b"x-slack-request-timestamp", b"").decode("latin-1")
    signature = headers.get(b"x-slack-signature", b"").decode("latin-1")
    # Slack's timestamps are whole seconds; anything else isn't Slack's, and not for the library to stumble on.
    is_time = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= len("1763700000")
    if not is_time or not signature.isascii():
        return False
    try:
        return bool(verifier.is_valid(body, timestamp, signature))
    except ValueError:
        return False


def commands_in(body: bytes) -> list[tuple[str, OpsCommand]]:
    """Return the orders in Slack's form, each with an id that a repeat shares. Raises ValueError for any other body.

    Actions that aren't ours order nothing: a link button under a message reports its presses too.
    """
    form = parse_qs(body.decode(), max_num_fields=20)
    try:
        payload: Any = json.loads(form["payload"][0])
        actions = payload["actions"][:_MOST_ACTIONS]
        user = str(payload["user"].get("username") or payload["user"]["id"])[:80]
        found = [(str(each["action_id"]), str(each.get("value", "")), str(each["action_ts"])) for each in actions]
    except (KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise ValueError("is no form of Slack's") from error
    return [
        (_id_of(command.action, value, stamp), command)
        for action_id, value, stamp in found
        if (command := ordered_by(action_id, value, f"{user} in Slack")) is not None
    ]


def _id_of(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "backslashreplace")).hexdigest()
