"""Mail as a channel, with a server that accepts, refuses, and closes the connection."""

from collections.abc import Iterator

import pytest

from tests.worker.alert_messages import message, notice, one, opened, resolved
from tests.worker.mail_server import MailRecorder, mail_server
from worker.alerts.channel import NotDelivered
from worker.alerts.mail import Mail, MailServer


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
    """With an id that a repeat shares; its end belongs to the same conversation."""
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


def test_text_from_bookings_adds_no_mail_headers(mails: MailRecorder) -> None:
    """A line break in a subject becomes a space, markup becomes text."""
    hostile = one(subject="Booking\r\nBcc: all@example.com <b>x</b>", happened="<script>alert(1)</script>")
    mail_channel(mails).send(hostile)
    (mail,) = mails.mails
    assert mail["Bcc"] is None
    assert mails.recipients == ["ops@example.com"]
    html = mail.get_body(("html",))
    assert html is not None
    assert "<script>" not in html.get_content()


@pytest.mark.parametrize("answer", ["451 later", "554 no", "999 what", ""], ids=["later", "never", "odd", "hung up"])
def test_a_mail_that_is_refused(mails: MailRecorder, answer: str) -> None:
    """For any answer of the server, or none."""
    mails.faults = [answer]
    with pytest.raises(NotDelivered) as failed:
        mail_channel(mails).send(one())
    assert "example.com" not in str(failed.value)


def test_one_refused_recipient_is_no_failure(mails: MailRecorder) -> None:
    """Only if all are refused."""
    mails.refuses = {"gone@example.com"}
    assert mail_channel(mails, "gone@example.com", "ops@example.com").send(one()) == "taken for 1 of 2"
    with pytest.raises(NotDelivered):
        mail_channel(mails, "gone@example.com").send(one())


def test_a_mail_server_that_is_away_or_has_no_starttls(mails: MailRecorder) -> None:
    """Neither password nor mail is sent unencrypted if STARTTLS is asked for."""
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
