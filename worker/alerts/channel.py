"""The interface of channels: a channel takes a message for people, or says why not."""

from datetime import timedelta
from typing import Protocol, runtime_checkable

from worker.alerts.message import AlertMessage


class NotDelivered(Exception):
    """The channel didn't take the message. Its text holds no address and no token."""

    def __init__(self, text: str, *, retry_after: timedelta | None = None) -> None:
        super().__init__(text)
        self.retry_after = retry_after


class Channel(Protocol):
    """A way to reach people."""

    @property
    def name(self) -> str:
        """The channel's name; it is also the key in the records of what the channel was told."""

    def send(self, message: AlertMessage) -> str:
        """Deliver once; return the service's answer, for people. Raises NotDelivered."""


@runtime_checkable
class Updating(Channel, Protocol):
    """A channel that can change what it has shown."""

    def update(self, message: AlertMessage) -> str:
        """Show the present state of one conversation, and post its remarks there. Raises NotDelivered.

        People are notified of remarks only.
        """
