"""The streams' entries, and the checks of bookings that exist."""

from collections.abc import Callable, Mapping

from shared.domain.stay.stay import UnitRules
from shared.ledger.door_conflicts import DoorConflicts
from worker.assembly.doors import DoorReading
from worker.assembly.resources import Resources
from worker.handlers.apply_message import ApplyMessage
from worker.handlers.check_conflicts import CheckConflicts
from worker.handlers.check_removals import CheckRemovals
from worker.handlers.put_back_for_newer_version import PutBackForNewerVersion
from worker.handlers.quarantine_door import Quarantine
from worker.handlers.record_events import RecordEvents
from worker.handlers.record_last_webhook import RecordLastWebhook
from worker.handlers.revoke_code import RevokeCode


def apply_booking(using: Resources, units: Mapping[str, UnitRules]) -> ApplyMessage:
    """Assemble what applies the messages of booking systems."""
    return ApplyMessage(
        redis=using.ports.redis,
        stream=using.settings.booking_stream,
        ledger=using.ports.ledger,
        parking=using.ports.parking,
        replays=using.ports.replays,
        units=units,
        status_words=using.settings.status_words,
        clock=using.clock,
    )


def record_events(
    using: Resources, reading: DoorReading, version_skew: PutBackForNewerVersion, look: Callable[[str, str], None]
) -> RecordEvents:
    """Assemble what records Seam's events. `look` starts a look at one door of a booking, elsewhere and soon."""
    return RecordEvents(
        redis=using.ports.redis,
        stream=using.settings.event_stream,
        ledger=using.ports.ledger,
        due=using.ports.due,
        parking=using.ports.parking,
        replays=using.ports.replays,
        look=look,
        prompt=reading.prompt.of_events,
        record_last_webhook=RecordLastWebhook(using.ports.beats),
        version_skew=version_skew,
        clock=using.clock,
    )


def put_back_for_newer_version(using: Resources) -> PutBackForNewerVersion:
    """Assemble what puts work back for a process of a newer version."""
    ports = using.ports
    return PutBackForNewerVersion(
        redis=ports.redis, due=ports.due, work=ports.work_for_newer_version, clock=using.clock
    )


def check_conflicts(using: Resources) -> CheckConflicts:
    """Assemble what compares the bookings of one door."""
    return CheckConflicts(
        ledger=using.ports.ledger,
        alerts=using.ports.alerts,
        conflicts=DoorConflicts(using.ports.redis, retention=using.settings.retention),
        due=using.ports.due,
        with_double_bookings=using.settings.double_booking_alerts,
        clock=using.clock,
    )


def check_removals(using: Resources) -> CheckRemovals:
    """Assemble what looks whether Seam has deleted a code."""
    return CheckRemovals(
        ledger=using.ports.ledger,
        codes=using.codes,
        revoke=RevokeCode(codes=using.codes, clock=using.clock),
        due=using.ports.due,
        clock=using.clock,
    )


def quarantine(using: Resources) -> Quarantine:
    """Assemble the quarantine of work that ends its worker again and again."""
    return Quarantine(ledger=using.ports.ledger, clock=using.clock)
