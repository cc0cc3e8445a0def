"""Brings each channel up to date with one alert: at least once, each channel with its own retries."""

import random

import structlog

from shared.clock import Clock
from shared.domain.alerts import Alert, delivered, is_worth_telling, undelivered
from shared.ledger.alerts import AlertLedger
from worker.alerts.channel import Channel, NotDelivered, message_of

log: structlog.stdlib.BoundLogger = structlog.get_logger()


class AlertDelivery:
    """The task behind `alerts.deliver`. A channel that fails holds up no other."""

    def __init__(self, *, ledger: AlertLedger, channels: tuple[Channel, ...], clock: Clock) -> None:
        self._ledger = ledger
        self._channels = channels
        self._clock = clock

    def __call__(self, key: str) -> None:
        """Send what each channel hasn't heard yet, as the alert stands now."""
        for channel in self._channels:
            alert = self._ledger.get(key)
            if alert is None or not self._is_behind(alert, channel):
                continue
            if is_worth_telling(alert, channel.name):
                self._send(alert, channel)
            else:
                self._note(alert, channel)
        # Also when nothing was sent: this is what takes the alert out of the due-set, or puts it at its next time.
        self._ledger.update(key, lambda alert: alert)

    def _is_behind(self, alert: Alert, channel: Channel) -> bool:
        told = alert.told_to(channel.name)
        return told.sequence < alert.sequence and (told.next_at is None or told.next_at <= self._clock())

    def _send(self, alert: Alert, channel: Channel) -> None:
        now = self._clock()
        message = message_of(alert, now)
        try:
            channel.send(message)
        except NotDelivered as reason:
            log.warning("alert.undelivered", key=message.key, channel=channel.name, error=str(reason))
            error, wait, jitter = str(reason), reason.retry_after, random.random()  # noqa: S311 - spreads retries
            self._ledger.update(
                message.key,
                lambda alert: undelivered(alert, channel.name, error=error, now=now, jitter=jitter, retry_after=wait),
            )
        else:
            log.info("alert.delivered", key=message.key, channel=channel.name, status=message.status)
            self._note(alert, channel)

    def _note(self, alert: Alert, channel: Channel) -> None:
        self._ledger.update(alert.notice.key, lambda it: delivered(it, channel.name, alert.sequence))
