"""What the console reads and writes: the ledger's parts, made once."""

from collections.abc import Callable, Collection, Mapping
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from redis import Redis

from receiver.console.places import Places
from shared.clock import Clock
from shared.domain.booking.planning import PlanningRules
from shared.domain.matching.rules import MatchPolicy
from shared.ledger.alerts import AlertLedger
from shared.ledger.booking_search import BookingSearch
from shared.ledger.bookings import BookingLedger
from shared.ledger.door_history import DoorHistory
from shared.ledger.door_issues import DoorIssues
from shared.ledger.door_tests import DoorTests
from shared.ledger.due_set import DueSet
from shared.ledger.heartbeats import Heartbeats
from shared.ledger.last_read_doors import LastReadDoors
from shared.ledger.reconciliation import ReconciliationLedger
from shared.ledger.silences import Silences
from shared.parked import ParkedList
from shared.parked_of_bookings import ParkedOfBookings
from shared.parked_orders import ParkedOrders
from shared.planning_rules import planning_rules
from shared.redis_client import connect
from shared.refused_messages import RefusedMessages
from shared.replay_results import ReplayResults
from shared.seam.access_codes import AccessCodes
from shared.seam.client import SeamClient
from shared.seam_calls import observe_seam_call
from shared.settings import Settings
from shared.unapplied_messages import UnappliedMessages

# How many records stay parsed: those of the board of a large house, and those of some pages of a list. Some 5 KB each.
_OF_BOARDS: Final = 1_500
_OF_LISTS: Final = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Ports:
    """The parts. `codes` is None without SEAM_API_KEY: then no PIN can be revealed. `close` ends their connections."""

    redis: Redis
    ledger: BookingLedger
    search: BookingSearch
    alerts: AlertLedger
    issues: DoorIssues
    parked: ParkedList
    parked_of: ParkedOfBookings
    replays: ReplayResults
    parked_orders: ParkedOrders
    refused: RefusedMessages
    unapplied: UnappliedMessages
    silences: Silences
    beats: Heartbeats
    reconciliation: ReconciliationLedger
    last_read: LastReadDoors
    door_history: DoorHistory
    door_tests: DoorTests
    places: Places
    policy: MatchPolicy
    rules: PlanningRules
    tells_double_bookings: bool
    streams: Mapping[str, str]
    status_words: Collection[str]
    reclaim_after: timedelta
    clock: Clock
    codes: AccessCodes | None
    close: Callable[[], None]


def open_ports(settings: Settings, clock: Clock) -> Ports:
    """Make the parts; nothing is connected before its first use."""
    redis = connect(settings.redis_address, sync_replicas=settings.sync_replicas)
    due = DueSet(redis, lease=settings.reclaim_after)
    alerts = AlertLedger(redis, due=due, clock=clock, retention=settings.retention, remembered=_OF_LISTS)
    seam = _seam(settings)

    def close() -> None:
        redis.close()
        if seam is not None:
            seam.close()

    # Without an outbox: the worker alone publishes, because it alone knows all who are to be told.
    ledger = BookingLedger(redis, due=due, clock=clock, retention=settings.retention, remembered=_OF_BOARDS)
    parked, refused = ParkedList(redis), RefusedMessages(redis)
    return Ports(
        redis=redis,
        ledger=ledger,
        search=BookingSearch(redis, remembered=_OF_LISTS),
        alerts=alerts,
        issues=DoorIssues(redis, clock=clock, retention=settings.retention),
        parked=parked,
        parked_of=ParkedOfBookings(parked),
        replays=ReplayResults(redis),
        parked_orders=ParkedOrders(redis),
        refused=refused,
        unapplied=UnappliedMessages(parked=parked, refused=refused, ledger=ledger),
        silences=Silences(redis, clock=clock),
        beats=Heartbeats(redis),
        reconciliation=ReconciliationLedger(redis),
        last_read=LastReadDoors(redis),
        door_history=DoorHistory(redis),
        door_tests=DoorTests(redis, keep_for=settings.retention),
        places=Places(settings.doors_file),
        policy=settings.match_policy,
        rules=planning_rules(settings),
        tells_double_bookings=settings.double_booking_alerts,
        streams={
            "events": settings.event_stream,
            "bookings": settings.booking_stream,
            "outcomes": settings.outcome_stream,
        },
        status_words=settings.status_words,
        reclaim_after=settings.reclaim_after,
        clock=clock,
        codes=AccessCodes(seam) if seam is not None else None,
        close=close,
    )


def _seam(settings: Settings) -> SeamClient | None:
    if settings.seam_api_key is None:
        return None
    return SeamClient(
        endpoint=settings.seam_endpoint,
        api_key=settings.seam_api_key.get_secret_value(),
        answer_within=settings.seam_timeout,
        observe=observe_seam_call,
    )
