"""E-mail by SMTP, as plain text and simple HTML; mail programs show the messages of a conversation together."""

import smtplib
import ssl
from collections.abc import Sequence
from dataclasses import dataclass, field
from email.headerregistry import Address
from email.message import EmailMessage
from email.utils import format_datetime
from hashlib import sha256
from html import escape
from typing import Final, Literal

import structlog

from worker.alerts.channel import NotDelivered
from worker.alerts.message import AlertMessage, one_line

_TIMEOUT: Final = 10.0
_LONGEST_SUBJECT: Final = 180
_AUTHORITY: Final = "alerts.oracode.invalid"

log: structlog.stdlib.BoundLogger = structlog.get_logger()


@dataclass(frozen=True, slots=True, kw_only=True)
class MailServer:
    """The SMTP server and the login. Without `starttls` or `ssl`, neither mail nor password is encrypted."""

    host: str
    port: int
    security: Literal["starttls", "ssl", "none"] = "starttls"
    username: str = ""
    password: str = field(default="", repr=False)


class Mail:
    """One list of recipients."""

    def __init__(
        self,
        name: str,
        *,
        server: MailServer,
        sender: str,
        recipients: Sequence[str],
    ) -> None:
        self._name = name
        self._server = server
        self._sender = sender
        self._recipients = tuple(recipients)
        self._tls = ssl.create_default_context()

    @property
    def name(self) -> str:
        """The channel's name."""
        return self._name

    def send(self, message: AlertMessage) -> str:
        """Send the mail. Raises NotDelivered if all recipients are refused; if only some are, they are logged."""
        mail = mail_of(message, sender=self._sender, recipients=self._recipients)
        try:
            with self._connect() as smtp:
                if self._server.security == "starttls":
                    smtp.starttls(context=self._tls)
                if self._server.username:
                    smtp.login(self._server.username, self._server.password)
                refused = smtp.send_message(mail, self._sender, list(self._recipients))
        except (smtplib.SMTPException, OSError, UnicodeError) as error:
            # The server's text may repeat addresses.
            code = getattr(error, "smtp_code", "")
            raise NotDelivered(f"{type(error).__name__} {code}".strip()) from None
        if refused:
            log.warning("mail.refused", channel=self._name, recipients=len(refused))
        return f"taken for {len(self._recipients) - len(refused)} of {len(self._recipients)}"

    def _connect(self) -> smtplib.SMTP:
        server = self._server
        if server.security == "ssl":
            return smtplib.SMTP_SSL(server.host, server.port, timeout=_TIMEOUT, context=self._tls)
        return smtplib.SMTP(server.host, server.port, timeout=_TIMEOUT)


def mail_of(message: AlertMessage, *, sender: str, recipients: Sequence[str]) -> EmailMessage:
    """Return the mail. Its Message-ID is made from the delivery's id, so that a repeat is recognized."""
    mail = EmailMessage()
    level = "OK" if message.is_gone else message.severity.upper()
    mail["Subject"] = one_line(f"[{level}] {message.title}", _LONGEST_SUBJECT)
    mail["From"] = Address(addr_spec=sender)
    mail["To"] = tuple(Address(addr_spec=recipient) for recipient in recipients)
    mail["Date"] = format_datetime(message.at)
    mail["Message-ID"] = _id(message.delivery_id)
    mail["References"] = _id(next(iter(message.threads), message.delivery_id))
    mail["Auto-Submitted"] = "auto-generated"
    mail["X-Oracode-Delivery"] = sha256(message.delivery_id.encode()).hexdigest()
    mail.set_content(_plain(message))
    mail.add_alternative(_html(message), subtype="html")
    return mail


def _id(name: str) -> str:
    return f"<{sha256(name.encode()).hexdigest()[:32]}@{_AUTHORITY}>"


def _plain(message: AlertMessage) -> str:
    parts = [message.title, ""]
    for name, text in message.facts:
        parts.append(f"{name}:\n  " + text.replace("\n", "\n  ") if "\n" in text else f"{name}: {text}")
    return "\n".join([*parts, "", f"{message.first.problem}, {message.severity}", ""])


def _html(message: AlertMessage) -> str:
    rows = "".join(
        f"<tr><th align='left' valign='top'>{escape(name)}</th><td>{escape(text).replace(chr(10), '<br>')}</td></tr>"
        for name, text in message.facts
    )
    small = f"{message.first.problem}, {message.severity}"
    return (
        f"<html><body><h2>{escape(message.title)}</h2><table cellpadding='4'>{rows}</table>"
        f"<p><small>{escape(small)}</small></p></body></html>"
    )
