"""Alerts reach people: each channel at least once, with its own retries, and again when the problem is over."""

import json
from dataclasses import replace
from datetime import timedelta
from typing import Any

import httpx
import pytest
from redis import Redis
from standardwebhooks import Webhook

from shared.domain.booking.record import AlertNotice
from tests.sandbox.harness import Sandbox
from tests.shared.stories import NOW
from tests.support.server import DataServer
from tests.worker.machine import Machine, kept
from worker.alerts.channel_urls import channels_from

SECRET = "whsec_dGhlIHNlY3JldCBvZiB0aGUgYWxlcnRz"
NOTICE = AlertNotice(
    at=NOW,
    raised=True,
    key="booking/BK-1/no_slot/d-1",
    problem="no_slot",
    subject="Booking BK-1 on Room 101",
    happened="Nothing fits.",
    next_step="Ask the installer.",
    actor="installer",
    look_closer="oracode bookings show BK-1",
)


@pytest.fixture
def told(redis_client: Redis, data_server: DataServer, sandbox: Sandbox) -> Machine:
    """Return a worker with a Slack channel and a signed webhook, both at the sandbox's sink."""
    sandbox.arrange("DELETE", "/alerts")
    signed = sandbox.url.replace("http://", f"webhook+http://{SECRET}@")
    urls = [f"slack+{sandbox.url}/alerts/slack-ops", f"{signed}/alerts/webhook"]
    channels = channels_from(urls, kept(httpx.Client(trust_env=False)))
    return Machine(redis_client, data_server.url, sandbox, channels=channels)


def received(sandbox: Sandbox, channel: str) -> list[Any]:
    """Return the messages that a channel got."""
    found: list[Any] = sandbox.control.get("/alerts.json", params={"channel": channel}).json()["alerts"]
    return found


def test_every_channel_is_told_of_a_problem_and_of_its_end(told: Machine, sandbox: Sandbox) -> None:
    """Once each, however often a sweep runs; then nothing is due any more."""
    told.alerts.record_notice(NOTICE)
    for _ in range(3):
        told.sweep()
    assert [len(received(sandbox, channel)) for channel in ("slack", "webhook")] == [1, 1]

    told.alerts.record_notice(replace(NOTICE, raised=False))
    told.sweep()
    statuses = [json.loads(each["body"])["status"] for each in received(sandbox, "webhook")]
    assert statuses == ["open", "resolved"]
    assert "Resolved: Booking BK-1" in received(sandbox, "slack")[-1]["body"]
    told.sweep()
    assert told.handlers.due.count(told.clock()) == (0, 0)


def test_the_webhook_is_signed_by_the_standard(told: Machine, sandbox: Sandbox) -> None:
    """Any library of Standard Webhooks verifies it; the body has everything."""
    told.alerts.record_notice(NOTICE)
    told.sweep()
    (got,) = received(sandbox, "webhook")
    body = Webhook(SECRET).verify(got["body"], got["headers"])
    assert (body["key"], body["problem"], body["status"], body["severity"]) == (
        NOTICE.key,
        "no_slot",
        "open",
        "warning",
    )
    assert body["next_step"] == "Ask the installer."
    assert SECRET not in json.dumps(got)


FAILURES = ["error_before", "disconnect_before", "rate_limit"]


@pytest.mark.parametrize("kind", FAILURES)
def test_a_channel_that_fails_is_tried_again_and_delays_no_other(told: Machine, sandbox: Sandbox, kind: str) -> None:
    """The other channel is told once; this one later, under the same delivery id."""
    sandbox.fault("alerts.webhook", kind, times=2)
    told.alerts.record_notice(NOTICE)
    told.sweep()
    assert [len(received(sandbox, channel)) for channel in ("slack", "webhook")] == [1, 0]
    (notification,) = told.alerts.groups.load("no_slot/installer")[0].parcels.values()
    assert (notification.channel, notification.attempts) == ("webhook-2", 1)
    assert notification.error
    assert sandbox.url not in notification.error

    for _ in range(4):
        told.clock.move(timedelta(seconds=30))
        told.sweep()
    assert [len(received(sandbox, channel)) for channel in ("slack", "webhook")] == [1, 1]


def test_a_delivery_without_an_answer_is_repeated_under_its_id(told: Machine, sandbox: Sandbox) -> None:
    """It arrives at least once: the receiver can recognize the repeat."""
    sandbox.fault("alerts.webhook", "disconnect_after")
    told.alerts.record_notice(NOTICE)
    told.sweep()
    told.clock.move(timedelta(seconds=30))
    told.sweep()
    ids = [each["headers"]["webhook-id"] for each in received(sandbox, "webhook")]
    assert len(ids) == 2
    assert len(set(ids)) == 1


def test_news_has_an_id_of_its_own(told: Machine, sandbox: Sandbox) -> None:
    """The same content isn't sent again; news is, with another id."""
    told.alerts.record_notice(NOTICE)
    told.sweep()
    told.alerts.record_notice(NOTICE)
    told.sweep()
    told.alerts.record_notice(replace(NOTICE, happened="Something else."))
    told.sweep()
    got = received(sandbox, "webhook")
    assert [json.loads(each["body"])["happened"] for each in got] == ["Nothing fits.", "Something else."]
    assert len({each["headers"]["webhook-id"] for each in got}) == 2


def test_the_advice_of_an_open_alert_changes_in_time(told: Machine, sandbox: Sandbox) -> None:
    """Two hours before check-in, without any other change, people are told to let the guest in by hand first."""
    now = told.clock()
    told.alerts.record_notice(replace(NOTICE, at=now, check_in=now + timedelta(hours=20), door_key="d-1"))
    told.sweep()
    told.clock.move(timedelta(hours=18, seconds=10))
    told.sweep()
    got = [json.loads(each["body"]) for each in received(sandbox, "webhook")]
    assert [each["next_step"] for each in got] == [
        "Ask the installer.",
        "First let the guest in by hand. Ask the installer.",
    ]
    assert [each["alerts"][0]["let_in_by_hand"] for each in got] == [False, True]
    assert got[-1]["severity"] == "page"


def test_a_problem_of_a_booking_reaches_both_channels(told: Machine, sandbox: Sandbox) -> None:
    """From the booking through the ledger; the booking is named."""
    booking = told.book(sandbox.door(name="Room 101", slots=[]))
    told.sweep()
    (got,) = received(sandbox, "webhook")
    body = json.loads(got["body"])
    assert [each["key"] for each in body["alerts"]] == [body["key"]]
    assert (body["subject"], body["problem"]) == (f"Booking {booking.booking_id} on Room 101", "no_slots_configured")
    assert "UTC" in body["check_in"]
    assert len(received(sandbox, "slack")) == 1
