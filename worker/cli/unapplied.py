"""The line by which commands tell of a message that was parked or refused."""

from shared.refused_messages import RefusedMessages
from shared.unapplied_messages import UnappliedMessage, UnappliedMessages
from worker.cli.printable import printable
from worker.ports import Ports


def unapplied_messages(ports: Ports) -> UnappliedMessages:
    """Return the reader of both lists."""
    return UnappliedMessages(parked=ports.parked, refused=RefusedMessages(ports.redis), ledger=ports.ledger)


def message_line(message: UnappliedMessage) -> str:
    """Return a line that says what is wrong, and how to read more or what to do."""
    if message.is_refused:
        return f"{printable(message.why)} Have its sender send it as it should be."
    return f"{printable(message.why)} Look at it with `oracode parked show {message.parked_id}`."
