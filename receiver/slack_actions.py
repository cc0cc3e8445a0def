"""`POST /slack/actions`: somebody pressed a button in Slack. Verify it, append the command durably, answer.

The worker runs the command. slack_sdk decides whether a request is from Slack: an HMAC over the timestamp and the bytes
of the body, at most five minutes old, compared in constant time (Slack docs, "Verifying requests from Slack").
"""

import hashlib
import json
from typing import Any, Final
from urllib.parse import parse_qs

import structlog
from slack_sdk.signature import Clock as SlackClock
from slack_sdk.signature import SignatureVerifier
from starlette.responses import Response
from starlette.types import Receive

from receiver.bodies import BodyReader, Headers
from receiver.inbox import Inbox
from receiver.refusals import InvalidSignature, UnreadableForm, json_response
from shared.clock import Clock
from shared.ops_commands import OpsCommand, ordered_by

_MOST_ACTIONS: Final = 10
_MOST_FIELDS: Final = 20

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class _Time(SlackClock):
    def __init__(self, clock: Clock) -> None:
        self._clock = clock

    def now(self) -> float:
        return self._clock().timestamp()


class SlackActions:
    """Handles presses of buttons. Each press is appended once, even if Slack sends it several times."""

    def __init__(self, *, signing_secret: str, inbox: Inbox, clock: Clock, bodies: BodyReader) -> None:
        self._verifier = SignatureVerifier(signing_secret, _Time(clock))
        self._inbox = inbox
        self._bodies = bodies

    async def handle(self, headers: Headers, receive: Receive) -> Response:
        """Answer 200 once all commands are stored durably.

        Raises InvalidSignature, UnreadableForm, the refusals of `BodyReader`, and Unavailable.
        """
        body = await self._bodies.read(receive, headers)
        if not is_from_slack(self._verifier, body, headers):
            raise InvalidSignature("slack")
        for command_id, command in commands_in(body):
            await self._inbox.append(command_id, command.encoded())
            log.info("action.accepted", action=command.action, by=command.by)
        return json_response(200, {})


def is_from_slack(verifier: SignatureVerifier, body: bytes, headers: Headers) -> bool:
    """Say whether Slack signed `body`. Never raises."""
    timestamp = headers.get(b"x-slack-request-timestamp", b"").decode("latin-1")
    signature = headers.get(b"x-slack-signature", b"").decode("latin-1")
    # Slack's timestamps are whole seconds. slack_sdk raises many kinds of errors for other texts.
    is_time = timestamp.isascii() and timestamp.isdigit() and len(timestamp) <= len("1763700000")
    if not is_time or not signature.isascii():
        return False
    try:
        return bool(verifier.is_valid(body, timestamp, signature))
    except ValueError:
        return False


def commands_in(body: bytes) -> list[tuple[str, OpsCommand]]:
    """Return the commands in Slack's form, each with an id that is the same in a repeat. Raises UnreadableForm.

    Actions that aren't ours are left out: Slack also sends presses of link buttons.
    """
    try:
        form = parse_qs(body.decode(), max_num_fields=_MOST_FIELDS)
        payload: Any = json.loads(form["payload"][0])
        actions = payload["actions"][:_MOST_ACTIONS]
        user = str(payload["user"].get("username") or payload["user"]["id"])[:80]
        found = [(str(each["action_id"]), str(each.get("value", "")), str(each["action_ts"])) for each in actions]
    except (ValueError, KeyError, TypeError, IndexError, AttributeError, RecursionError) as error:
        raise UnreadableForm from error
    return [
        (_id_of(command.action, value, stamp), command)
        for action_id, value, stamp in found
        if (command := ordered_by(action_id, value, f"{user} in Slack")) is not None
    ]


def _id_of(*parts: str) -> str:
    return hashlib.sha256("\x1f".join(parts).encode("utf-8", "backslashreplace")).hexdigest()
