"""Runs the commands that people give by a button or in the console: the same as on the command line.

An entry of the stream may be handled twice: that does no harm.
"""

from functools import partial
from typing import Any, cast

import structlog
from redis import Redis

from shared import ops_commands
from shared.clock import Clock
from shared.contracts import OPS_STREAM
from shared.domain.alerting.alert import mark_handled
from shared.domain.alerting.message_versions import add_remark
from shared.domain.booking.notices import alert_key
from shared.domain.booking.record import HistoryEntry
from shared.domain.booking.transitions import NotReissued
from shared.domain.matching.manual_options import OF_A_SLOT
from shared.ledger.alerts import AlertLedger
from shared.ledger.bookings import BookingLedger, UnknownBooking
from shared.ops_commands import COMMAND_FIELD, OpsCommand, SlotOrder, command_from
from shared.replicas import begin_step
from shared.seam.errors import Refused
from shared.streams import acknowledge
from worker.handlers.cancel_booking import CancelBooking
from worker.handlers.change_stay import ChangeStay, NotChanged
from worker.handlers.choose_slot import ChooseSlot, NotChosen
from worker.handlers.reissue_code import ReissueCode
from worker.handlers.request_test_code import OrderTestCode
from worker.handlers.retry_booking import try_again
from worker.handlers.return_parked import ReturnParked

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class RunOpsCommand:
    """The task `ops.obey` (a name that is stored)."""

    def __init__(
        self,
        *,
        redis: Redis,
        ledger: BookingLedger,
        alerts: AlertLedger,
        choose: ChooseSlot,
        cancel: CancelBooking,
        change: ChangeStay,
        reissue: ReissueCode,
        parked: ReturnParked,
        test: OrderTestCode,
        clock: Clock,
    ) -> None:
        self._redis = redis
        self._cancel = cancel
        self._change = change
        self._reissue = reissue
        self._parked = parked
        self._test = test
        self.choose_slot = choose
        self._ledger = ledger
        self._alerts = alerts
        self._clock = clock

    def __call__(self, entry_id: str) -> None:
        """Run the command of the entry, then acknowledge it. An entry that can't be read is logged and acknowledged.

        Raises SeamError where a door must be read and can't be now: the entry comes again.
        """
        step = begin_step(self._redis)
        found = cast(Any, self._redis.xrange(OPS_STREAM, min=entry_id, max=entry_id))
        if not found:
            return
        try:
            self._do(entry_id, command_from(str(found[0][1].get(COMMAND_FIELD, ""))))
        except ValueError as error:
            log.warning("command.unreadable", entry_id=entry_id, error=str(error))
        acknowledge(self._redis, OPS_STREAM, [entry_id], step=step)

    def _do(self, entry_id: str, command: OpsCommand) -> None:
        match command.action:
            case ops_commands.HANDLE:
                alert = self._alerts.update(command.target, partial(mark_handled, by=command.by, at=self._clock()))
                log.info("alert.handled", key=command.target, by=command.by, known=alert is not None)
            case ops_commands.CANCEL:
                self._cancel(entry_id, command.target, by=command.by, reason=command.reason)
            case ops_commands.CHANGE:
                self._change_stay(entry_id, command)
            case ops_commands.REISSUE:
                self._reissue_code(entry_id, command)
            case ops_commands.REPLAY:
                self._parked.replay(entry_id, command.target, by=command.by, message=command.message)
            case ops_commands.DISCARD:
                self._parked.discard(entry_id, command.target, by=command.by, reason=command.reason)
            case ops_commands.TEST if command.choice is not None:
                self._test(entry_id, command.target, command.choice, by=command.by, reason=command.reason)
            case _ if command.choice is not None:
                self._choose(entry_id, command, command.choice)
            case _:
                self._retry(command)

    def _choose(self, entry_id: str, command: OpsCommand, choice: SlotOrder) -> None:
        """Choose the slot, if it still gives what the person was shown.

        A refusal goes into the booking's story, and to where the button was pressed.
        """
        names = {"booking_id": command.target, "door": choice.door, "by": command.by}
        try:
            booking = self._ledger.get(command.target)
            (chosen,) = self.choose_slot.choose(
                booking, choice.slot, door_key=choice.door, by=command.by, agreed=choice.window
            )
        except UnknownBooking:
            log.info("booking.unknown", booking_id=command.target)
        except (NotChosen, Refused) as refusal:
            log.warning("slot.not_chosen", **names, error=str(refusal))
            text = f"{command.by} chose a slot, and it was not done: {refusal}."
            self._note_refusal(entry_id, command, ops_commands.NOT_CHOSEN, text)
            self._remark(entry_id, command.target, choice.door, text)
        else:
            log.info("slot.chosen", **names, anything=chosen.is_news)
            if command.reason and chosen.is_news:
                text = f"{command.by} chose the slot because: {command.reason}"
                self._ledger.note(command.target, HistoryEntry(at=self._clock(), what="slot.reason", text=text))

    def _change_stay(self, entry_id: str, command: OpsCommand) -> None:
        """Publish the change; a refusal goes into the booking's story."""
        try:
            self._change(
                entry_id,
                command.target,
                check_in=command.check_in,
                check_out=command.check_out,
                revision=command.revision or 0,
                knows_it_ends=command.knows_it_ends,
                by=command.by,
                reason=command.reason,
            )
        except UnknownBooking:
            log.info("booking.unknown", booking_id=command.target)
        except NotChanged as refusal:
            log.warning("booking.not_changed", booking_id=command.target, by=command.by, error=str(refusal))
            text = f"{command.by} asked to change the stay, and it was not done: {refusal}."
            self._note_refusal(entry_id, command, ops_commands.NOT_CHANGED, text)

    def _reissue_code(self, entry_id: str, command: OpsCommand) -> None:
        """Have the code replaced; a refusal goes into the booking's story."""
        names = {"booking_id": command.target, "door": command.door, "by": command.by}
        try:
            done = self._reissue(
                self._ledger.get(command.target),
                command.door,
                access_code_id=command.access_code_id,
                by=command.by,
                reason=command.reason,
            )
        except UnknownBooking:
            log.info("booking.unknown", booking_id=command.target)
        except (NotReissued, Refused) as refusal:
            log.warning("code.not_reissued", **names, error=str(refusal))
            text = f"{command.by} asked for a new code, and it was not done: {refusal}."
            self._note_refusal(entry_id, command, ops_commands.NOT_REISSUED, text)
        else:
            log.info("code.reissued", **names, anything=done.is_news)

    def _note_refusal(self, entry_id: str, command: OpsCommand, what: str, text: str) -> None:
        """Put a refusal into the booking's story, with the order that it is of."""
        facts = {ops_commands.ORDER_FACT: entry_id}
        self._ledger.note(command.target, HistoryEntry(at=self._clock(), what=what, text=text, facts=facts))

    def _remark(self, entry_id: str, booking_id: str, door_key: str, text: str) -> None:
        """Have a refusal said in the conversation of the button: that of a lack of a slot, open or just over."""
        keys = [alert_key(booking_id, problem, door_key) for problem in OF_A_SLOT]
        known = sorted(self._alerts.get_many(keys).values(), key=lambda alert: (alert.is_open, alert.news_at))
        if known:
            self._alerts.update(
                known[-1].key, partial(add_remark, remark_id=entry_id, text=f"Booking {booking_id}: {text}")
            )

    def _retry(self, command: OpsCommand) -> None:
        try:
            before = self._ledger.get(command.target)
        except UnknownBooking:
            log.info("booking.unknown", booking_id=command.target)
            return
        is_roused = try_again(self._ledger, before, now=self._clock(), by=command.by, reason=command.reason)
        log.info("booking.retried", booking_id=command.target, by=command.by, anything=is_roused)
