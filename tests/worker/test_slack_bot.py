"""Slack with a bot token: conversations, updates of their messages, and buttons."""

import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import httpx
import pytest
from redis import Redis

from shared.domain.alerting.alert import add_reminder, mark_handled
from shared.domain.alerting.message_versions import add_remark
from shared.domain.alerting.receipts import record_delivery
from shared.domain.alerting.severity import Severity
from tests.shared.stories import NOW
from tests.worker.alert_messages import CHANNEL, choosable, message, notice, one, opened, resolved
from tests.worker.channel_servers import SlackApi, slack_bot
from tests.worker.recording_server import Got, Recorder, Reply, recording
from worker.alerts.channel import NotDelivered
from worker.alerts.slack_bot import SlackBot


@contextmanager
def talking(
    redis: Redis, answers: Callable[[Got], Reply] | None = None, *, has_buttons: bool = False
) -> Iterator[tuple[SlackBot, Recorder]]:
    """Lend a channel, and its server."""
    with recording(answers or SlackApi()) as server, httpx.Client(trust_env=False) as client:
        yield slack_bot(server.url, client, redis, has_buttons=has_buttons), server


def test_slack_has_one_conversation_for_each_booking(redis_client: Redis) -> None:
    """A message, then its thread; closed when all is resolved; then a new one. Open problems aren't overwritten."""
    alert, other = opened(notice()), opened(notice(problem="late_set"))
    with talking(redis_client) as (bot, server):
        for each in (message(alert), message(other), message(resolved(alert)), message(resolved(other))):
            bot.send(each)
        bot.send(message(alert))
    calls = [(got.path, got.parsed.get("ts") or got.parsed.get("thread_ts")) for got in server.got]
    root = "1763700000.000000"
    assert calls == [
        ("/chat.postMessage", None),
        ("/chat.postMessage", root),  # of another kind: it is told without the first one, which is still open
        ("/chat.postMessage", root),
        ("/chat.update", root),
        ("/chat.postMessage", root),
        ("/chat.postMessage", None),
    ]


def test_a_conversation_goes_on_when_others_join(redis_client: Redis) -> None:
    """Started by one booking or two: later ones, and those that remain, are told in it."""
    first, second, third = (opened(notice(f"BK-{number}")) for number in (1, 2, 3))
    with talking(redis_client) as (bot, server):
        bot.send(message(first))
        told = record_delivery(first, CHANNEL, 1, thread=first.key)
        bot.send(message(record_delivery(second, CHANNEL, 1, thread=first.key), others=(told,)))
        bot.send(message(resolved(first, thread=first.key), others=(second,)))
        bot.send(message(resolved(second, thread=first.key)))
        begun = message(second, third)
        (thread,) = begun.threads
        bot.send(begun)
        bot.send(message(add_reminder(record_delivery(third, CHANNEL, 1, thread=thread), NOW)))
    posts = [got.parsed for got in server.got if got.path == "/chat.postMessage"]
    assert ["thread_ts" in post for post in posts] == [False, True, True, True, False, True]


def test_slacks_own_text_is_shown_safely(redis_client: Redis) -> None:
    """`oracode alerts test` prints it: it can't move the cursor or start a line."""
    reply = Reply(200, json.dumps({"ok": False, "error": "\u202e\x1b[31mno"}).encode())
    with talking(redis_client, lambda _: reply) as (bot, _), pytest.raises(NotDelivered) as refused:
        bot.send(one())
    assert str(refused.value) == r"Slack says: \u202e\x1b[31mno"


def test_the_first_message_shows_all_open_problems(redis_client: Redis) -> None:
    """If bookings join a page or leave it, the message still names the guest who waits."""
    page, joining = opened(notice("BK-1"), Severity.PAGE), opened(notice("BK-2"), Severity.INFO)
    told = record_delivery(page, CHANNEL, 1, thread=page.key)
    with talking(redis_client) as (bot, server):
        bot.send(message(page))
        bot.send(message(record_delivery(joining, CHANNEL, 1, thread=page.key), others=(told,)))
        bot.send(message(resolved(joining, thread=page.key), others=(told,)))
    updates = [json.dumps(got.parsed) for got in server.got if got.path == "/chat.update"]
    assert [("BK-1" in text, "BK-2" in text) for text in updates] == [(True, True), (True, False)]
    assert all(":rotating_light:" in text for text in updates)


def test_a_deleted_slack_message_is_posted_again(redis_client: Redis) -> None:
    """The conversation goes on in a new message; no news is lost."""
    api = SlackApi()
    with talking(redis_client, api) as (bot, server):
        bot.send(message(opened(notice())))
        api.posted.clear()
        bot.send(message(add_reminder(record_delivery(opened(notice()), CHANNEL, 1), NOW)))
    assert [got.path for got in server.got] == ["/chat.postMessage", "/chat.update", "/chat.postMessage"]
    assert "thread_ts" not in server.got[-1].parsed


def test_slack_shows_who_handles_it_and_says_a_refusal_in_the_thread(redis_client: Redis) -> None:
    """The first message is updated without its button, and the thread gets the reply."""
    with talking(redis_client, has_buttons=True) as (bot, server):
        first = record_delivery(opened(notice()), "bot", 1)
        bot.send(message(opened(notice())))
        bot.update(message(mark_handled(first, "ann in Slack", NOW), status="look"))
        bot.update(message(add_remark(first, "1-0", "<@U1> chose a slot, and it was not done."), status="look"))
        posted, changed, again, said = server.got
    assert [got.path for got in server.got] == [
        "/chat.postMessage",
        "/chat.update",
        "/chat.update",
        "/chat.postMessage",
    ]
    assert changed.parsed["ts"] == again.parsed["ts"] == said.parsed["thread_ts"]
    assert "by ann in Slack, Fri 2036-11-21 13:00 Europe/Berlin" in str(changed.parsed)
    assert ["handle_alert" in str(got.parsed) for got in (posted, changed, again)] == [True, False, True]
    assert "not done" not in str(again.parsed)
    assert said.parsed["text"] == "&lt;@U1&gt; chose a slot, and it was not done."
    assert not said.parsed.get("reply_broadcast")


def test_a_reply_is_posted_alone_if_the_message_is_gone(redis_client: Redis) -> None:
    """It was deleted, or the conversation is closed: nothing is updated, but the reply is posted."""
    api = SlackApi()
    with talking(redis_client, api) as (bot, server):
        bot.send(message(opened(notice())))
        api.posted.clear()
        told = add_remark(record_delivery(opened(notice()), CHANNEL, 1), "1-0", "It was not done.")
        bot.update(message(told, status="look"))
    assert [got.path for got in server.got] == ["/chat.postMessage", "/chat.update", "/chat.postMessage"]
    assert "thread_ts" not in server.got[-1].parsed


def test_slacks_buttons_have_their_problem(redis_client: Redis) -> None:
    """Under each of a few problems: both buttons, and its slots; under resolved ones, or too many: none."""
    with talking(redis_client, has_buttons=True) as (bot, server):
        alert = opened(notice())
        few = [opened(notice(f"BK-{number}", "too_long")) for number in range(2)]
        many = [opened(notice(f"BK-{number}", "late_set")) for number in range(6)]
        with_choices = [choosable(number) for number in range(1, 7)]
        some = [*many, *with_choices[:1]]
        for each in (alert, resolved(alert)):
            bot.send(message(each))
        for each_many in (few, many, some, with_choices):
            bot.send(message(*each_many))
    shown = [
        [(button["action_id"], button["value"]) for block in got.parsed["blocks"] for button in _buttons_of(block)]
        for got in server.got
    ]
    assert shown[0] == [("retry_booking", "BK-1"), ("handle_alert", "booking/BK-1/no_slot/d-1")]
    # The resolved message, and its reply in the thread.
    assert shown[1:3] == [[], []]
    assert shown[3] == [
        (name, value)
        for number in range(2)
        for name, value in (
            ("retry_booking", f"BK-{number}"),
            ("handle_alert", f"booking/BK-{number}/too_long/d-1"),
        )
    ]
    assert shown[4] == []
    assert [name for name, _ in shown[5]] == ["retry_booking", "handle_alert", "choose_slot:1", "choose_slot:2"]
    assert shown[6] == []
    assert [("bookings choose" in str(got.parsed)) for got in server.got[3:]] == [False, False, False, True]
    for got in server.got:
        ids = [block["block_id"] for block in got.parsed["blocks"] if "block_id" in block]
        assert len(ids) == len(set(ids))
        assert len(got.parsed["blocks"]) <= 50


def _buttons_of(block: dict[str, Any]) -> list[dict[str, Any]]:
    return list(block["elements"]) if block["type"] == "actions" else []
