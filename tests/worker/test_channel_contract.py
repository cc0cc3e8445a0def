"""Every channel keeps one contract, against a server that answers as the real one does.

It delivers; whatever goes wrong is `NotDelivered` and nothing else, without an address or a token in its text; a repeat
can be told from news; and nothing that the server says makes it go elsewhere.
"""

import json
from collections.abc import Callable, Iterator
from contextlib import ExitStack
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import httpx
import pytest
from redis import Redis
from standardwebhooks import Webhook

from shared.domain.alerting.alert import delivered, handled, remarked, reminded
from shared.domain.alerting.severity import Severity
from shared.ledger.alert_channels import Conversations
from tests.shared.stories import NOW
from tests.worker.alert_messages import CHANNEL, choosable, message, notice, one, opened, resolved
from tests.worker.mail_server import MailRecorder, mail_server
from tests.worker.recording_server import Got, Recorder, Reply, recording
from worker.alerts import http_post
from worker.alerts.apprise_channel import AppriseChannel
from worker.alerts.channel import Channel, NotDelivered
from worker.alerts.mail import Mail, MailServer
from worker.alerts.pagerduty import PagerDuty
from worker.alerts.signed_webhook import SignedWebhook
from worker.alerts.slack import SlackWebhook
from worker.alerts.slack_bot import SlackBot
from worker.alerts.teams import TeamsWorkflow

TOKEN = "xoxb-tell-nobody"
SECRET = "whsec_dGhlIHNlY3JldCBvZiB0aGUgYWxlcnRz"
KEY = "R0UT1NGKEY"


def slack_answers(got: Got) -> Reply:
    """Answer as Slack's incoming webhooks do."""
    is_readable = isinstance(got.parsed.get("text"), str)
    return Reply(200, b"ok") if is_readable else Reply(400, b"no_text")


class SlackApi:
    """Answers as Slack's Web API does: always 200, and `ok` says how it went."""

    def __init__(self) -> None:
        self.posted: list[str] = []

    def __call__(self, got: Got) -> Reply:
        """Answer one call."""
        if got.headers.get("authorization") != f"Bearer {TOKEN}":
            return self._say(ok=False, error="invalid_auth")
        content = got.parsed
        if got.path == "/chat.update" and content.get("ts") not in self.posted:
            return self._say(ok=False, error="message_not_found")
        if got.path == "/chat.postMessage":
            self.posted.append(f"1763700000.{len(self.posted):06}")
            return self._say(ok=True, ts=self.posted[-1], channel=content["channel"])
        return self._say(ok=True, ts=content["ts"], channel=content["channel"])

    def _say(self, **content: Any) -> Reply:
        return Reply(200, json.dumps(content).encode(), {"content-type": "application/json"})


def teams_answers(got: Got) -> Reply:
    """Answer as a Teams workflow does."""
    (attachment,) = got.parsed["attachments"]
    is_card = attachment["contentType"] == "application/vnd.microsoft.card.adaptive"
    return Reply(202) if is_card and len(got.body) < 28_000 else Reply(400, b"bad card")


def pagerduty_answers(got: Got) -> Reply:
    """Answer as PagerDuty's Events API v2 does."""
    event = got.parsed
    is_good = event["routing_key"] == KEY and event["event_action"] in ("trigger", "resolve")
    if event["event_action"] == "trigger":
        payload = event["payload"]
        is_good = is_good and payload["severity"] in ("critical", "error", "warning", "info") and payload["source"]
        is_good = is_good and len(payload["summary"]) <= 1024
    if not is_good or len(event["dedup_key"]) > 255:
        return Reply(400, b'{"status":"invalid event"}')
    return Reply(202, b'{"status":"success","message":"Event processed"}')


@dataclass
class Stage:
    """One channel with the server behind it."""

    channel: Channel
    server: Recorder


Build = Callable[[str, httpx.Client, Redis], Channel]
KINDS: dict[str, tuple[Callable[[], Callable[[Got], Reply]], Build]] = {
    "slack": (lambda: slack_answers, lambda url, client, _: SlackWebhook("slack", f"{url}/{TOKEN}", client)),
    "slack_bot": (
        SlackApi,
        lambda url, client, redis: SlackBot(
            "bot",
            api=url,
            token=TOKEN,
            slack_channel="C1",
            conversations=Conversations(redis, keep_for=timedelta(days=1)),
            client=client,
        ),
    ),
    "teams": (lambda: teams_answers, lambda url, client, _: TeamsWorkflow("teams", f"{url}/?sig={TOKEN}", client)),
    "pagerduty": (
        lambda: pagerduty_answers,
        lambda url, client, _: PagerDuty("duty", url=f"{url}/v2/enqueue", routing_key=KEY, client=client),
    ),
    "webhook": (
        lambda: lambda _: Reply(204),
        lambda url, client, _: SignedWebhook("hook", f"{url}/hook?key={TOKEN}", SECRET, client),
    ),
    "apprise": (
        lambda: lambda _: Reply(200),
        lambda url, _client, _: AppriseChannel("other", f"{url.replace('http', 'json')}/{TOKEN}"),
    ),
}


@pytest.fixture(params=list(KINDS))
def stage(request: pytest.FixtureRequest, redis_client: Redis) -> Iterator[Stage]:
    """Return each kind of channel in turn."""
    honest, build = KINDS[request.param]
    with ExitStack() as stack:
        server = stack.enter_context(recording(honest()))
        client = stack.enter_context(httpx.Client(trust_env=False))
        yield Stage(build(server.url, client, redis_client), server)


def test_it_delivers_and_says_what_was_answered(stage: Stage) -> None:
    """One problem, several at once, and their end."""
    alert = opened(notice())
    others = [opened(notice(f"BK-{number}")) for number in range(30)]
    assert stage.channel.send(message(alert))
    assert stage.channel.send(message(*others))
    assert stage.channel.send(message(resolved(alert)))
    assert stage.channel.send(message(*(resolved(each, thread="t") for each in others)))


FAULTS = {
    "400": Reply(400, b'{"status":"invalid"}'),
    "401": Reply(401),
    "404": Reply(404, b"no_service"),
    "410": Reply(410),
    "429": Reply(429, b'{"ok":false,"error":"ratelimited"}', {"retry-after": "7"}),
    "500": Reply(500, b"<html>oops</html>"),
    "503": Reply(503),
    "cut": Reply(cut=True),
    "redirect": Reply(302, headers={"location": "http://127.0.0.1:9/elsewhere"}),
    "redirect to itself": Reply(307, headers={"location": "/again"}),
}


@pytest.mark.parametrize("fault", FAULTS)
def test_whatever_goes_wrong_is_not_delivered(stage: Stage, fault: str) -> None:
    """And its text gives nothing away; the next try succeeds."""
    sent = message(opened(notice()))
    stage.server.faults = [FAULTS[fault]] * 3
    with pytest.raises(NotDelivered) as failed:
        stage.channel.send(sent)
    for secret in (TOKEN, SECRET, KEY, stage.server.url):
        assert secret not in str(failed.value)
    assert len(stage.server.got) == 1
    stage.server.faults = []
    assert stage.channel.send(sent)


def test_a_named_pause_is_honoured(stage: Stage) -> None:
    """429 with Retry-After."""
    if isinstance(stage.channel, AppriseChannel):
        pytest.skip("apprise doesn't say why something wasn't taken")
    stage.server.faults = [FAULTS["429"]]
    with pytest.raises(NotDelivered) as failed:
        stage.channel.send(one())
    assert failed.value.retry_after == timedelta(seconds=7)


def test_nobody_who_is_slow_holds_up_the_others(stage: Stage, monkeypatch: pytest.MonkeyPatch) -> None:
    """An answer that doesn't come is no answer."""
    if isinstance(stage.channel, AppriseChannel):
        pytest.skip("apprise has time-outs of its own, of 4 seconds")
    monkeypatch.setattr(http_post, "_TIMEOUT", httpx.Timeout(0.2))
    stage.server.faults = [Reply(200, b"ok", after=0.6)]
    with pytest.raises(NotDelivered, match="ReadTimeout"):
        stage.channel.send(one())


MALFORMED = [
    b"",
    b"<html>login</html>",
    b"[]",
    b"[" * 50_000,
    b'{"ok":true}',
    b'{"ok":"yes","ts":"1"}',
    b"\xff" * 200_000,
]


@pytest.mark.parametrize("body", MALFORMED, ids=["empty", "html", "list", "deep", "no ts", "no boolean", "bytes"])
@pytest.mark.parametrize("kind", ["slack", "slack_bot", "pagerduty"])
def test_a_success_that_is_none(redis_client: Redis, kind: str, body: bytes) -> None:
    """A proxy's page with a 200 is not Slack; PagerDuty takes with 202 alone."""
    honest, build = KINDS[kind]
    with recording(honest()) as server, httpx.Client(trust_env=False) as client:
        server.faults = [Reply(200, body)]
        with pytest.raises(NotDelivered):
            build(server.url, client, redis_client).send(one())


def test_the_same_delivery_can_be_told_from_another(redis_client: Redis) -> None:
    """By the id that each service has for it."""
    found: dict[str, list[str]] = {}
    for kind, (honest, build) in KINDS.items():
        with recording(honest()) as server, httpx.Client(trust_env=False) as client:
            channel = build(server.url, client, redis_client)
            sent = message(opened(notice()))
            for each in (sent, sent):
                channel.send(each)
            found[kind] = [_id_of(got) for got in server.got if got.path != "/chat.update"]
    del found["slack"], found["teams"]  # these have no place for one
    assert all(ids == [ids[0]] * 2 and ids[0] for ids in found.values()), found


def _id_of(got: Got) -> str:
    content = got.parsed
    return str(
        got.headers.get("webhook-id")
        or content.get("dedup_key")
        or content.get("metadata", {}).get("event_payload", {}).get("delivery_id")
        or "booking/BK-1/no_slot/d-1#1" * ("#1)" in got.body.decode())
    )


def test_the_webhook_verifies(redis_client: Redis) -> None:
    """With any library of Standard Webhooks; every problem of the message stands in it."""
    honest, build = KINDS["webhook"]
    with recording(honest()) as server, httpx.Client(trust_env=False) as client:
        sent = message(*(opened(notice(f"BK-{n}")) for n in range(12)))
        build(server.url, client, redis_client).send(sent)
        # The tests' moments lie far ahead; the library looks at the clock.
        verified = json.loads(server.got[0].body)
        signature = Webhook(SECRET).sign(sent.delivery_id, sent.at, server.got[0].body.decode())
    assert server.got[0].headers["webhook-signature"] == signature
    assert len(verified["alerts"]) == 12


def test_pagerduty_has_one_incident_for_what_was_told_together(redis_client: Redis) -> None:
    """It ends with the last of its problems, and not before."""
    honest, build = KINDS["pagerduty"]
    first, second = opened(notice("BK-1")), opened(notice("BK-2"))
    together = message(first, second)
    thread = next(iter(together.threads))
    with recording(honest()) as server, httpx.Client(trust_env=False) as client:
        duty = build(server.url, client, redis_client)
        duty.send(together)
        still_open = delivered(second, CHANNEL, 1, thread=thread)
        duty.send(message(resolved(first, thread=thread), others=(still_open,)))
        duty.send(message(resolved(second, thread=thread)))
    events = [(got.parsed["event_action"], got.parsed["dedup_key"]) for got in server.got]
    assert events == [("trigger", thread), ("resolve", thread)]


def test_slack_keeps_one_conversation_a_booking(redis_client: Redis) -> None:
    """First a message; then its thread; closed on recovery; then a new one. What still stands is not written over."""
    honest, build = KINDS["slack_bot"]
    alert, other = opened(notice()), opened(notice(problem="late_set"))
    with recording(honest()) as server, httpx.Client(trust_env=False) as client:
        bot = build(server.url, client, redis_client)
        for each in (message(alert), message(other), message(resolved(alert)), message(resolved(other))):
            bot.send(each)
        bot.send(message(alert))
    calls = [(got.path, got.parsed.get("ts") or got.parsed.get("thread_ts")) for got in server.got]
    root = "1763700000.000000"
    assert calls == [
        ("/chat.postMessage", None),
        ("/chat.postMessage", root),  # of another kind, and so told without the first, which still stands
        ("/chat.postMessage", root),
        ("/chat.update", root),
        ("/chat.postMessage", root),
        ("/chat.postMessage", None),
    ]


def test_slack_continues_the_conversation_that_others_joined(redis_client: Redis) -> None:
    """Begun by one booking or by two: whoever joins, and whoever is left of them, is in its thread."""
    _, build = KINDS["slack_bot"]
    first, second, third = (opened(notice(f"BK-{number}")) for number in (1, 2, 3))
    with recording(SlackApi()) as server, httpx.Client(trust_env=False) as client:
        bot = build(server.url, client, redis_client)
        bot.send(message(first))
        told = delivered(first, CHANNEL, 1, thread=first.key)
        bot.send(message(delivered(second, CHANNEL, 1, thread=first.key), others=(told,)))
        bot.send(message(resolved(first, thread=first.key), others=(second,)))
        bot.send(message(resolved(second, thread=first.key)))
        begun = message(second, third)
        (thread,) = begun.threads
        bot.send(begun)
        bot.send(message(reminded(delivered(third, CHANNEL, 1, thread=thread), NOW)))
    posts = [got.parsed for got in server.got if got.path == "/chat.postMessage"]
    assert ["thread_ts" in post for post in posts] == [False, True, True, True, False, True]


def test_slacks_own_words_are_shown_as_text(redis_client: Redis) -> None:
    """`oracode alerts test` prints them: nothing in them moves the cursor or turns the line."""
    _, build = KINDS["slack_bot"]
    reply = Reply(200, json.dumps({"ok": False, "error": "\u202e\x1b[31mno"}).encode())
    with recording(lambda _: reply) as server, httpx.Client(trust_env=False) as client:
        bot = build(server.url, client, redis_client)
        with pytest.raises(NotDelivered) as refused:
            bot.send(one())
    assert str(refused.value) == r"Slack says: \u202e\x1b[31mno"


def test_slacks_first_message_shows_all_that_is_open(redis_client: Redis) -> None:
    """Whoever joins a page, or leaves it, doesn't write over the guest who still waits."""
    _, build = KINDS["slack_bot"]
    page, joining = opened(notice("BK-1"), Severity.PAGE), opened(notice("BK-2"), Severity.INFO)
    told = delivered(page, CHANNEL, 1, thread=page.key)
    with recording(SlackApi()) as server, httpx.Client(trust_env=False) as client:
        bot = build(server.url, client, redis_client)
        bot.send(message(page))
        bot.send(message(delivered(joining, CHANNEL, 1, thread=page.key), others=(told,)))
        bot.send(message(resolved(joining, thread=page.key), others=(told,)))
    updates = [json.dumps(got.parsed) for got in server.got if got.path == "/chat.update"]
    assert [("BK-1" in text, "BK-2" in text) for text in updates] == [(True, True), (True, False)]
    assert all(":rotating_light:" in text for text in updates)


def test_a_slack_message_that_somebody_deleted_is_posted_anew(redis_client: Redis) -> None:
    """The conversation goes on elsewhere; nobody is left without the news."""
    _, build = KINDS["slack_bot"]
    api = SlackApi()
    with recording(api) as server, httpx.Client(trust_env=False) as client:
        bot = build(server.url, client, redis_client)
        bot.send(message(opened(notice())))
        api.posted.clear()
        bot.send(message(reminded(delivered(opened(notice()), CHANNEL, 1), NOW)))
    assert [got.path for got in server.got] == ["/chat.postMessage", "/chat.update", "/chat.postMessage"]
    assert "thread_ts" not in server.got[-1].parsed


def test_slack_shows_who_handles_it_and_says_a_refusal_in_the_thread(redis_client: Redis) -> None:
    """The first message is changed, its button is gone, and the thread gets the one remark."""
    with recording(SlackApi()) as server, httpx.Client(trust_env=False) as client:
        bot = SlackBot(
            "bot",
            api=server.url,
            token=TOKEN,
            slack_channel="C1",
            conversations=Conversations(redis_client, keep_for=timedelta(days=1)),
            client=client,
            has_buttons=True,
        )
        first = delivered(opened(notice()), "bot", 1)
        bot.send(message(opened(notice())))
        bot.update(message(handled(first, "ann in Slack", NOW), status="look"))
        bot.update(message(remarked(first, "1-0", "<@U1> chose a slot, and it was not done."), status="look"))
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


def test_a_remark_stands_by_itself_where_the_message_is_gone(redis_client: Redis) -> None:
    """Deleted, or closed: nothing is changed, and the remark is said all the same."""
    _, build = KINDS["slack_bot"]
    api = SlackApi()
    with recording(api) as server, httpx.Client(trust_env=False) as client:
        bot = build(server.url, client, redis_client)
        assert isinstance(bot, SlackBot)
        bot.send(message(opened(notice())))
        api.posted.clear()
        told = remarked(delivered(opened(notice()), CHANNEL, 1), "1-0", "It was not done.")
        bot.update(message(told, status="look"))
    assert [got.path for got in server.got] == ["/chat.postMessage", "/chat.update", "/chat.postMessage"]
    assert "thread_ts" not in server.got[-1].parsed


def test_slacks_buttons_say_what_they_are_about(redis_client: Redis) -> None:
    """Under each of a few problems: both, and its slots; under what is over, or too many: none."""
    with recording(SlackApi()) as server, httpx.Client(trust_env=False) as client:
        bot = SlackBot(
            "bot",
            api=server.url,
            token=TOKEN,
            slack_channel="C1",
            conversations=Conversations(redis_client, keep_for=timedelta(days=1)),
            client=client,
            has_buttons=True,
        )
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
    # The resolved message, and its answer in the thread.
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


@pytest.fixture
def mails() -> Iterator[MailRecorder]:
    """Run a mail server."""
    with mail_server() as recorder:
        yield recorder


def mail_channel(mails: MailRecorder, *recipients: str) -> Mail:
    """Return a channel to that server."""
    server = MailServer(host="127.0.0.1", port=mails.port, security="none")
    return Mail("mail", server=server, sender="locks@example.com", recipients=recipients or ("ops@example.com",))


def test_a_mail_arrives_as_text_and_html(mails: MailRecorder) -> None:
    """With an id that a repeat shares, and a conversation that its end belongs to."""
    alert = opened(notice())
    channel = mail_channel(mails)
    for each in (message(alert), message(alert), message(resolved(alert))):
        channel.send(each)
    first, repeat, end = mails.mails
    assert first["Subject"] == "[WARNING] Booking BK-1 on Room 101"
    assert end["Subject"] == "[OK] Resolved: Booking BK-1 on Room 101"
    assert first["Message-ID"] == repeat["Message-ID"] != end["Message-ID"]
    assert first["References"] == end["References"]
    assert [part.get_content_type() for part in first.iter_parts()] == ["text/plain", "text/html"]


def test_no_booking_writes_a_mails_head(mails: MailRecorder) -> None:
    """A line break in a subject ends up as a space, markup as text."""
    hostile = one(subject="Booking\r\nBcc: all@example.com <b>x</b>", happened="<script>alert(1)</script>")
    mail_channel(mails).send(hostile)
    (mail,) = mails.mails
    assert mail["Bcc"] is None
    assert mails.recipients == ["ops@example.com"]
    html = mail.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()


@pytest.mark.parametrize("answer", ["451 later", "554 no", "999 what", ""], ids=["later", "never", "odd", "hung up"])
def test_a_mail_that_is_not_taken(mails: MailRecorder, answer: str) -> None:
    """Whatever the server says, or doesn't."""
    mails.faults = [answer]
    with pytest.raises(NotDelivered) as failed:
        mail_channel(mails).send(one())
    assert "example.com" not in str(failed.value)


def test_one_bad_recipient_keeps_nobody_else_from_reading(mails: MailRecorder) -> None:
    """All refused is a failure, one refused isn't."""
    mails.refuses = {"gone@example.com"}
    assert mail_channel(mails, "gone@example.com", "ops@example.com").send(one()) == "taken for 1 of 2"
    with pytest.raises(NotDelivered):
        mail_channel(mails, "gone@example.com").send(one())


def test_a_mail_server_that_is_away_or_knows_no_starttls(mails: MailRecorder) -> None:
    """No password and no mail goes over an open wire that should be closed."""
    with pytest.raises(NotDelivered):
        Mail(
            "mail",
            server=MailServer(host="127.0.0.1", port=mails.port, username="u", password="p"),
            sender="a@example.com",
            recipients=("b@example.com",),
        ).send(one())
    assert mails.mails == []
    with pytest.raises(NotDelivered):
        Mail(
            "mail",
            server=MailServer(host="127.0.0.1", port=1, security="none"),
            sender="a@example.com",
            recipients=("b@example.com",),
        ).send(one())
