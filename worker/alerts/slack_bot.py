"""Slack by bot token (Slack docs, "chat.postMessage", "chat.update"): one conversation for each booking.

The first problem of a booking posts a message. What follows is posted in its thread, and the message itself is updated
to show the present state. When all of its problems are gone, the conversation is closed: a later problem starts a new
one. Problems that are told together share a conversation.
"""

import json
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any, Final

import httpx

from shared.domain.alerting.alert import News
from shared.domain.quoting import shown
from shared.ledger.alert_channels import Conversations
from worker.alerts.channel import NotDelivered
from worker.alerts.http_post import json_object, post
from worker.alerts.message import CHOOSE, AlertMessage
from worker.alerts.slack import escape, slack_message
from worker.alerts.slack_buttons import button_blocks, with_buttons

# Errors which mean that the first message was deleted, or can't be changed any more (Slack docs, "chat.update").
_GONE: Final = frozenset({"message_not_found", "thread_not_found", "cant_update_message", "edit_window_closed"})
_LONGEST_REMARK: Final = 2_500
_LOUD: Final = frozenset({News.OPENED, News.ROSE})


class SlackBot:
    """One Slack channel, written to with a bot's token (scope `chat:write`)."""

    def __init__(
        self,
        name: str,
        *,
        api: str,
        token: str,
        slack_channel: str,
        conversations: Conversations,
        client: httpx.Client,
        has_buttons: bool = False,
    ) -> None:
        self._name = name
        self._api = api.rstrip("/")
        self._token = token
        self._slack_channel = slack_channel
        self._conversations = conversations
        self._client = client
        self._has_buttons = has_buttons

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._name

    def send(self, message: AlertMessage) -> str:
        """Post into the conversation and update its first message. Raises NotDelivered."""
        content = self._content(message)
        name = self._name_of(message)
        known = self._known(name)
        changed = {item.key: item.status for item in message.items}
        still_open = {key for key in known.open if changed.get(key) != "resolved"}
        still_open |= {key for key, status in changed.items() if status == "open"}
        stamp = known.stamp
        if stamp and not self._continue_conversation(message, content, known, still_open=frozenset(still_open)):
            stamp = ""
        if not stamp:
            stamp = self._call("chat.postMessage", _with_id(content, message))["ts"]
        if still_open:
            reference = json.dumps({"ts": stamp, "open": sorted(still_open)})
            self._conversations.keep(self._name, name, reference)
        else:
            self._conversations.end(self._name, name)
        return f"ok, ts {stamp}"

    def update(self, message: AlertMessage) -> str:
        """Update the conversation's first message, and post the remarks in its thread. Raises NotDelivered.

        If the first message is gone, there is nothing to update, and the remarks are posted as a message of their own.
        """
        known = self._known(self._name_of(message))
        first = whole_of(message, known.open) if known.open else None
        stamp = known.stamp
        try:
            if stamp and first is not None:
                self._call("chat.update", {**self._content(first), "ts": stamp})
        except _Gone:
            stamp = ""
        if message.remarks:
            text = "\n".join(map(escape, message.remarks))[:_LONGEST_REMARK]
            remark = _with_id({"text": text, "mrkdwn": False, "link_names": False}, message)
            self._call("chat.postMessage", {**remark, "thread_ts": stamp} if stamp else remark)
        return f"ok, ts {stamp}"

    def _name_of(self, message: AlertMessage) -> str:
        """Return the name under which the conversation is stored; it stays while one of its problems is open."""
        (thread, *others) = message.threads
        if not others and self._conversations.get(self._name, thread):
            return thread
        return conversation_of(message)

    def _known(self, name: str) -> "_Conversation":
        text = self._conversations.get(self._name, name)
        content: dict[str, Any] = json.loads(text) if text else {"ts": "", "open": []}
        return _Conversation(content["ts"], frozenset(content["open"]))

    def _content(self, message: AlertMessage) -> dict[str, Any]:
        if not self._has_buttons or not message.is_open:
            return slack_message(message)
        content = slack_message(message, without=(CHOOSE,) if with_buttons(message) else ())
        content["blocks"] += button_blocks(message)
        return content

    def _continue_conversation(
        self, message: AlertMessage, content: dict[str, Any], known: "_Conversation", *, still_open: frozenset[str]
    ) -> bool:
        """Update the conversation's first message, then post in its thread; return False if that message is gone.

        The post comes last. If it fails, the repeat updates the first message to what it is already.
        """
        is_loud = any(item.news in _LOUD for item in message.items)
        answer = {**_with_id(content, message), "thread_ts": known.stamp, "reply_broadcast": is_loud}
        first = whole_of(message, still_open) if still_open else message
        try:
            if first is not None:
                self._call("chat.update", {**self._content(first), "ts": known.stamp})
            self._call("chat.postMessage", answer)
        except _Gone:
            return False
        return True

    def _call(self, method: str, content: dict[str, Any]) -> dict[str, Any]:
        body = json.dumps({"channel": self._slack_channel, "unfurl_links": False, **content}).encode()
        headers = {"content-type": "application/json; charset=utf-8", "authorization": f"Bearer {self._token}"}
        answer = json_object(post(self._client, f"{self._api}/{method}", body, headers))
        if answer.get("ok") is not True or not isinstance(answer.get("ts"), str):
            error = shown(str(answer.get("error", "no ts"))[:80])
            if error in _GONE:
                raise _Gone(error)
            raise NotDelivered(f"Slack says: {error}", retry_after=timedelta(minutes=1) if "rate" in error else None)
        return answer


@dataclass(frozen=True, slots=True)
class _Conversation:
    """A conversation: the timestamp of its first message, and the keys of its open problems."""

    stamp: str
    open: frozenset[str]


class _Gone(NotDelivered):
    """The first message of the conversation doesn't exist any more, or can't be changed."""


def whole_of(message: AlertMessage, still_open: frozenset[str]) -> AlertMessage | None:
    """Return the text of the conversation's first message: all of its open problems, of which `message` may tell some.

    None if `message` doesn't know all of them: the update would remove problems that somebody still has to read.
    """
    known = {item.key: item for items in message.threads.values() for item in items if item.status == "open"}
    if not known.keys() >= still_open:
        return None
    # The threads have the problems in the order of their urgency.
    items = tuple(item for key, item in known.items() if key in still_open)
    level = max((item.severity for item in items), key=lambda each: each.rank)
    return replace(message, status="open", severity=level, items=items)


def conversation_of(message: AlertMessage) -> str:
    """Return the conversation's name: that of the booking if it is about one booking, or began so."""
    (thread, *others) = message.threads
    if not others and thread.startswith("booking/"):
        # The conversation is named after its first problem, and the key of that has the booking's id.
        return thread.rsplit("/", 2)[0]
    bookings = {item.booking_id for items in message.threads.values() for item in items}
    if len(bookings) == 1 and "" not in bookings:
        return f"booking/{bookings.pop()}"
    return thread if not others else f"group/{message.group}"


def _with_id(content: dict[str, Any], message: AlertMessage) -> dict[str, Any]:
    """Return the content with the delivery's id: a program that reads the channel can recognize a repeat."""
    metadata = {"event_type": "oracode_alert", "event_payload": {"delivery_id": message.delivery_id}}
    return {**content, "metadata": metadata}
