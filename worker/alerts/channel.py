"""What a channel is: something that takes a message for people, or says why not."""

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
        """The channel's name; what it was told is kept under it."""

    def send(self, message: AlertMessage) -> str:
        """Deliver once; return what the other side answered, for people. Raises NotDelivered."""


@runtime_checkable
class Updating(Channel, Protocol):
    """A channel that can change what it has shown."""

    def update(self, message: AlertMessage) -> str:
        """Show one conversation as it is now, and say its remarks there; notify nobody else. Raises NotDelivered."""
