"""Deliveries: alerts to people, outcomes to booking systems, heartbeats to the outside monitor."""

import httpx

from shared.ledger.alert_channels import ChannelBudgets
from worker.alerts.channel import Channel
from worker.alerts.delivery import AlertDelivery
from worker.alerts.inhibition_by_doors import Inhibition
from worker.assembly.resources import Resources
from worker.liveness.heartbeat import Heartbeat
from worker.outcomes.alert import NotTakenAlert
from worker.outcomes.delivery import DeliverOutcomes, as_published
from worker.outcomes.pins import WithPins
from worker.outcomes.posting import OutcomePost


def deliver_alert(using: Resources, channels: tuple[Channel, ...]) -> AlertDelivery:
    """Assemble the delivery of alerts to their channels."""
    ports, clock = using.ports, using.clock
    return AlertDelivery(
        ledger=ports.alerts,
        silences=ports.silences,
        inhibition=Inhibition(alerts=ports.alerts, issues=ports.issues, clock=clock),
        budgets=ChannelBudgets(ports.redis, rate=ports.alerts.policy.rate),
        channels=channels,
        lease=ports.due.lease,
        clock=clock,
    )


def deliver_outcomes(using: Resources) -> DeliverOutcomes:
    """Assemble the delivery of outcomes to booking systems, with PINs if OUTCOME_PIN is set."""
    settings, ports, clock = using.settings, using.ports, using.clock
    with_pins = WithPins(ledger=ports.ledger, codes=using.codes, clock=clock)
    return DeliverOutcomes(
        queues=ports.outcome_queues,
        posts=tuple(OutcomePost(receiver, clock=clock) for receiver in settings.outcome_receivers),
        alert=NotTakenAlert(queues=ports.outcome_queues, alerts=ports.alerts, clock=clock),
        lease=ports.due.lease,
        clock=clock,
        prepare=with_pins if settings.outcome_pin else as_published,
    )


def heartbeat(using: Resources) -> Heartbeat:
    """Assemble the heartbeat: it is stored, and reported to HEARTBEAT_URL."""
    url = using.settings.heartbeat_url
    return Heartbeat(
        beats=using.ports.beats,
        url=url.get_secret_value() if url else "",
        client=httpx.Client(),
        clock=using.clock,
    )
