"""What operators ask for: from the command line, the console or a button in Slack."""

from collections.abc import Mapping

from shared.booking_stream import BookingStream
from shared.domain.booking.planning import PlanningRules
from shared.domain.stay.stay import UnitRules
from shared.ledger.door_tests import DoorTests
from shared.parked_orders import ParkedOrders
from shared.seam.doors import Doors
from worker.assembly.resources import Resources
from worker.handlers.cancel_booking import CancelBooking
from worker.handlers.change_stay import ChangeStay
from worker.handlers.choose_slot import ChooseSlot
from worker.handlers.reissue_code import ReissueCode
from worker.handlers.request_test_code import OrderTestCode
from worker.handlers.return_parked import ReturnParked
from worker.handlers.run_ops_command import RunOpsCommand


def run_ops_command(
    using: Resources, doors: Doors, rules: PlanningRules, units: Mapping[str, UnitRules]
) -> RunOpsCommand:
    """Assemble what runs the commands of operators."""
    settings, ports, clock = using.settings, using.ports, using.clock
    return RunOpsCommand(
        redis=ports.redis,
        ledger=ports.ledger,
        alerts=ports.alerts,
        choose=ChooseSlot(
            ledger=ports.ledger,
            read_door=lambda device_id: doors.read(device_id, fresh=True),
            policy=settings.match_policy,
            clock=clock,
        ),
        cancel=CancelBooking(redis=ports.redis, ledger=ports.ledger, stream=settings.booking_stream, clock=clock),
        change=ChangeStay(
            ledger=ports.ledger,
            stream=BookingStream(ports.redis, settings.booking_stream),
            units=units,
            clock=clock,
        ),
        reissue=ReissueCode(
            ledger=ports.ledger,
            codes=using.codes,
            read_door=lambda device_id: doors.read(device_id, fresh=True),
            rules=rules,
            clock=clock,
        ),
        parked=ReturnParked(
            parked=ports.parked, parking=ports.parking, replays=ports.replays, orders=ParkedOrders(ports.redis)
        ),
        test=OrderTestCode(
            ledger=ports.ledger,
            stream=BookingStream(ports.redis, settings.booking_stream),
            read_door=lambda device_id: doors.read(device_id, fresh=True),
            codes=using.codes,
            tests=DoorTests(ports.redis, keep_for=settings.retention),
            policy=settings.match_policy,
            lead_time=settings.create_lead_time,
            clock=clock,
        ),
        clock=clock,
    )
