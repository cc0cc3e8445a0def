"""The messages that people see, for each situation and channel, as files for reading by eye.

`UPDATE_GOLDEN=1` writes them again; the difference is then seen in review.
"""

import json
import os
from collections.abc import Callable
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.worker.alert_messages import situations
from worker.alerts.mail import mail_of
from worker.alerts.message import AlertMessage
from worker.alerts.pagerduty import incident_event
from worker.alerts.signed_webhook import webhook_body
from worker.alerts.slack import slack_message
from worker.alerts.slack_buttons import button_blocks, with_buttons
from worker.alerts.teams import teams_message

GOLDEN = Path(__file__).parent / "golden"
SITUATIONS = situations()


def _json(content: object) -> str:
    return json.dumps(content, indent=2, ensure_ascii=False) + "\n"


def _mail(message: AlertMessage) -> str:
    mail: EmailMessage = mail_of(message, sender="locks@example.com", recipients=["ops@example.com"])
    parts = [mail.get_body((kind,)) for kind in ("plain", "html")]
    head = "".join(f"{name}: {mail[name]}\n" for name in ("Subject", "From", "To", "Message-ID", "References"))
    return head + "".join(f"\n--- {part.get_content_type()}\n{part.get_content()}" for part in parts if part)


CHANNELS: dict[str, Callable[[AlertMessage], str]] = {
    "slack.json": lambda message: _json(slack_message(message)),
    "teams.json": lambda message: _json(teams_message(message)),
    "pagerduty.json": lambda message: _json([incident_event(message, *each) for each in message.threads.items()]),
    "webhook.json": lambda message: _json(webhook_body(message)),
    "mail.txt": _mail,
}


BUTTONS = [name for name, message in SITUATIONS.items() if message.is_open and with_buttons(message)]
FILES = [(s, c) for s in SITUATIONS for c in CHANNELS] + [(s, "buttons.json") for s in BUTTONS]
CHANNELS["buttons.json"] = lambda message: _json(button_blocks(message))


@pytest.mark.parametrize(("situation", "channel"), FILES)
def test_golden_messages(situation: str, channel: str) -> None:
    """A message changes only on purpose."""
    shown = CHANNELS[channel](SITUATIONS[situation])
    path = GOLDEN / f"{situation}.{channel}"
    if os.environ.get("UPDATE_GOLDEN"):
        path.parent.mkdir(exist_ok=True)
        path.write_text(shown)
    assert shown == path.read_text()


def test_no_golden_message_is_superfluous() -> None:
    """Each file belongs to a situation and a channel."""
    assert {path.name for path in GOLDEN.iterdir()} == {f"{s}.{c}" for s, c in FILES}
