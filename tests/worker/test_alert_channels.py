"""The channels: what is sent to Slack, which URLs are accepted, and that no error quotes a secret."""

import json
from collections.abc import Iterator
from dataclasses import replace

import httpx
import pytest
from standardwebhooks import Webhook

from shared.clock import system_clock
from tests.worker.alert_messages import message, notice, one, opened
from worker.alerts.channel import NotDelivered
from worker.alerts.channel_urls import InvalidAlertUrls, channels_from
from worker.alerts.slack import escape, slack_message

SECRET = "whsec_dGVsbC1ub2JvZHk="


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("<!channel> & <@U1>", "&lt;!channel&gt; &amp; &lt;@U1&gt;"),
        ("<https://evil|ours>", "&lt;https://evil|ours&gt;"),
        ("`code`", "'code'"),
        ("two\nlines", "two lines"),
        ("&lt;", "&amp;lt;"),
        ("*Next:* pay ~us~", "\u2217Next:\u2217 pay \u223cus\u223c"),
        ("_sure_ BK_1_2", "\uff3fsure\uff3f BK_1_2"),
        ("a\r\nb\u2028c\x0bd", "a b c d"),
    ],
    ids=["mentions", "links", "code spans", "line breaks", "escaped before", "bold", "italics", "other line breaks"],
)
def test_text_from_outside_is_escaped(text: str, escaped: str) -> None:
    """It can't mention people or fake a link."""
    assert escape(text) == escaped


def test_slack_makes_no_links_of_text_from_bookings() -> None:
    """Neither a link nor a preview: Slack would open any URL in a label."""
    message = slack_message(one(happened="see http://169.254.169.254/ and #general", subject="http://inner/"))
    texts = [block["text"] for block in message["blocks"][1:-1]] + message["blocks"][-1]["elements"]
    assert all(text["verbatim"] is True for text in texts)
    assert message["blocks"][0]["text"]["type"] == "plain_text"
    assert not any(message[name] for name in ("mrkdwn", "link_names", "unfurl_links", "unfurl_media"))


@pytest.mark.parametrize("booking_id", ["Büro 7", "予約", "a b", "x" * 64])
def test_an_alert_about_any_booking_can_be_delivered(booking_id: str) -> None:
    """The id is in the message unchanged, and in the header in a form that headers allow."""
    got: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        got.append(request)
        return httpx.Response(200, text="ok")

    with httpx.Client(transport=httpx.MockTransport(handle)) as client:
        channels = channels_from([f"webhook+https://{SECRET}@host/path", "slack+https://host/path"], client)
        for channel in channels:
            key = f"booking/{booking_id}"
            channel.send(replace(one(key=key, subject=booking_id), delivery_id=f"{key}#1", at=system_clock()))
    Webhook(SECRET).verify(got[0].content, dict(got[0].headers))
    assert json.loads(got[0].content)["alerts"][0]["key"] == f"booking/{booking_id}"


@pytest.mark.parametrize(
    "url",
    ["webhook+https://whsec_tell-nobody\u2100@host/", "slack+https://[tell-nobody/x", "slack+https://h:tell-nobody/x"],
)
def test_an_invalid_url_is_not_quoted(url: str) -> None:
    """The library's errors quote it, and it is a secret."""
    with httpx.Client() as client, pytest.raises(InvalidAlertUrls) as invalid:
        channels_from([url], client)
    assert "tell" not in str(invalid.value)


def test_an_endless_answer_of_a_channel_is_not_read() -> None:
    """The status is enough, and answers to bots are a few lines."""

    def endless() -> Iterator[bytes]:
        for _ in range(70):
            yield b"x" * 1024
        raise AssertionError("read on")

    handle = httpx.MockTransport(lambda _: httpx.Response(200, content=endless()))
    with httpx.Client(transport=handle) as client:
        (channel,) = channels_from([f"webhook+https://{SECRET}@host/path"], client)
        channel.send(one())


@pytest.mark.parametrize("field", ["happened", "next_step", "look_closer"])
def test_no_field_can_mention_everybody(field: str) -> None:
    """In every part that Slack reads as markup."""
    message = slack_message(one(**{field: "<!channel>"}))
    assert "<!channel>" not in json.dumps(message)


def test_a_subject_is_plain_text() -> None:
    """The header is plain text; the text of the notification is escaped."""
    message = slack_message(one(subject="<!channel>"))
    assert message["blocks"][0]["text"]["type"] == "plain_text"
    assert "<!channel>" not in message["text"]


def test_the_affected_bookings_are_listed_in_printable_form() -> None:
    """One line each, for any name of a door."""
    seam = opened(notice(problem="seam_unavailable", key="seam/unavailable", booking_id=""))
    listed = message(replace(seam, hit=2, subjects=("a\r\nb\x1b[31m\u202e", "d" * 9_000))).first.affects
    assert len(listed.split("\n")) == 3
    assert "\x1b" not in listed
    assert "\u202e" not in listed
    assert len(listed) < 500


def test_slacks_limits_are_kept() -> None:
    """A long text is cut, so that it isn't refused."""
    message = slack_message(one(subject="s" * 9_000, happened="h" * 9_000, next_step="&" * 9_000))
    assert len(message["blocks"][0]["text"]["text"]) <= 150
    assert all(len(block["text"]["text"]) <= 3_000 for block in message["blocks"][1:-1])


BAD_URLS = [
    "oops",
    "https://hooks.slack.com/x",
    "slack+ftp://x",
    "webhook+https://host/x",
    "webhook+https://a b@host/x",
    "pagerduty+https://events.pagerduty.com/v2/enqueue",
    "apprise+nonsense://x",
]


def test_every_bad_url_is_named_by_its_position() -> None:
    """Never by the URL: that is a secret."""
    good = f"webhook+https://{SECRET}@host/x"
    with pytest.raises(InvalidAlertUrls) as invalid:
        channels_from([good, *BAD_URLS], httpx.Client())
    assert len(invalid.value.problems) == len(BAD_URLS)
    assert invalid.value.problems[0].startswith("address 2: ")
    assert "host" not in str(invalid.value).replace("@host/path", "")
    assert SECRET not in str(invalid.value)


def test_good_urls_become_channels_in_their_order() -> None:
    """Each has a name for its records."""
    urls = ["slack+https://hooks.slack.com/x", f"webhook+http://{SECRET}@host:8080/x?y=z"]
    with httpx.Client() as client:
        assert [channel.name for channel in channels_from(urls, client)] == ["slack-1", "webhook-2"]


def test_a_signed_webhook_is_posted_without_the_secret() -> None:
    """It is neither in the URL nor sent as a password."""
    seen: list[httpx.Request] = []

    def handle(request: httpx.Request) -> httpx.Response:
        seen.append(request)
        return httpx.Response(204)

    with httpx.Client(transport=httpx.MockTransport(handle)) as client:
        (channel,) = channels_from([f"webhook+https://{SECRET}@host:8443/x?y=z"], client)
        channel.send(one())
    assert str(seen[0].url) == "https://host:8443/x?y=z"
    assert "authorization" not in seen[0].headers


@pytest.mark.parametrize("status", [301, 400, 404, 410, 429, 500], ids=str)
def test_statuses_that_are_failures(status: int) -> None:
    """Also a redirect: the message was signed for one receiver only."""
    headers = {"location": "https://elsewhere", "retry-after": "7"}
    with httpx.Client(transport=httpx.MockTransport(lambda _: httpx.Response(status, headers=headers))) as client:
        (channel,) = channels_from(["slack+https://hooks.slack.com/tell-nobody"], client)
        with pytest.raises(NotDelivered, match=f"HTTP {status}") as failed:
            channel.send(one())
    assert failed.value.retry_after is not None
    assert "tell-nobody" not in str(failed.value)


@pytest.mark.parametrize("error", [httpx.ConnectError, httpx.ReadTimeout, httpx.InvalidURL], ids=lambda it: it.__name__)
def test_no_error_quotes_the_url(error: type[Exception]) -> None:
    """The library's own text may."""

    def handle(_: httpx.Request) -> httpx.Response:
        raise error("https://hooks.slack.com/tell-nobody")

    with httpx.Client(transport=httpx.MockTransport(handle)) as client:
        (channel,) = channels_from(["slack+https://hooks.slack.com/tell-nobody"], client)
        with pytest.raises(NotDelivered, match=error.__name__) as failed:
            channel.send(one())
    assert "tell-nobody" not in str(failed.value)
