"""After any events in any order, the messages on every channel tell the truth.

Problems come, change, and go; time passes; channels fail or lose their answers; workers die after a send. Then nothing
fails for some hours: each channel's last message about each problem must be true.
"""

from collections.abc import Callable
from datetime import timedelta

from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from redis import Redis

from shared.domain.alerting.alert import mark_handled
from shared.domain.alerting.budget import Rate
from shared.domain.alerting.routing import Route, Routing
from shared.domain.alerting.severity import Severity
from tests.worker.alert_stage import Channel, Killed, Stage
from worker.alerts.channel import NotDelivered

BOOKINGS = ("BK-1", "BK-2", "BK-3")
PROBLEMS = ("no_slot", "seam_unavailable", "late_set")
HOURS = (1, 10, 80)

_booking, _problem, _channel = st.sampled_from(BOOKINGS), st.sampled_from(PROBLEMS), st.sampled_from(("a", "b"))
_trouble = st.sampled_from(("fails", "loses its answer", "dies"))
STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("tell"), _booking, _problem, st.sampled_from(HOURS), st.sampled_from(("", " Worse."))),
        st.tuples(st.just("end"), _booking, _problem),
        st.tuples(st.just("handle"), _booking, _problem),
        st.tuples(st.just("pass"), st.sampled_from((5, 40, 900, 20_000))),
        st.tuples(st.just("trouble"), _channel, _trouble),
        st.tuples(st.just("well"), _channel),
    ),
    max_size=25,
)


def fail() -> None:
    """Refuse every message."""
    raise NotDelivered("HTTP 500")


def die() -> None:
    """Kill the worker."""
    raise Killed


def well() -> None:
    """Do nothing."""


TROUBLES: dict[str, tuple[Callable[[], None], Callable[[], None]]] = {
    "fails": (fail, well),
    "loses its answer": (well, fail),
    "dies": (well, die),
}


_BACK_AND_LESS_SEVERE: list[tuple[object, ...]] = [
    ("tell", "BK-1", "no_slot", 1, ""),
    ("pass", 5),
    ("tell", "BK-1", "no_slot", 1, ""),
    ("end", "BK-1", "no_slot"),
    ("pass", 5),
    ("tell", "BK-1", "no_slot", 10, ""),
]


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow])
@example(_BACK_AND_LESS_SEVERE)
@given(steps=STEPS)
def test_the_last_message_about_each_problem_is_true(redis_client: Redis, steps: list[tuple[object, ...]]) -> None:
    """On each channel, for what is routed to it."""
    redis_client.flushall()
    a, b = Channel("a"), Channel("b")
    channels = {"a": a, "b": b}
    routing = Routing(
        channels=("a", "b"), routes=(Route(channels=("a",)), Route(channels=("b",), severity=Severity.PAGE))
    )
    stage = Stage(redis_client, [a, b], routing=routing, rate=Rate(4, timedelta(seconds=30)))
    for step in steps:
        _take(stage, channels, step)
    for channel in channels.values():
        channel.trouble = channel.after = well
    stage.let(timedelta(hours=2), step=timedelta(minutes=1))

    alerts = {alert.key: alert for alert in stage.ledger.all()}
    for channel in channels.values():
        beliefs = {item.key: item.status for message in channel.got for item in message.items}
        for key, status in beliefs.items():
            alert = alerts[key]
            # One that was resolved, and came back less severe, may not be routed here any more.
            is_routed = channel.name in routing.channels_for(alert.notice, alert.severity)
            assert (status == "open") == (alert.is_open and (is_routed or status == "open")), (channel.name, key)
        for key, alert in alerts.items():
            is_routed = channel.name in routing.channels_for(alert.notice, alert.severity)
            if alert.is_open and is_routed and (key == "seam/unavailable" or "seam_unavailable" not in key):
                assert beliefs.get(key) == "open", (channel.name, key)
    for alert in alerts.values():
        for notification in stage.ledger.groups.load(alert.group)[0].parcels.values():
            # Only a try that may have arrived is kept, so that its end can be told.
            assert any(
                alerts[key].is_open and alerts[key].is_behind(notification.channel) for key in notification.members
            )


def _take(stage: Stage, channels: dict[str, Channel], step: tuple[object, ...]) -> None:
    match step:
        case ("tell", str(booking), str(problem), int(hours), str(more)):
            check_in = stage.now + timedelta(hours=hours)
            stage.tell(booking, problem=problem, check_in=check_in, check_out=None, happened=f"So it is.{more}")
        case ("end", str(booking), str(problem)):
            stage.tell(booking, problem=problem, raised=False)
        case ("handle", str(booking), str(problem)):
            stage.ledger.update(f"booking/{booking}/{problem}/d-1", lambda it: mark_handled(it, "ann"))
        case ("pass", int(seconds)):
            _let(stage, seconds)
        case ("trouble", str(name), str(trouble)):
            channels[name].trouble, channels[name].after = TROUBLES[trouble]
        case ("well", str(name)):
            channels[name].trouble = channels[name].after = well
        case _:
            raise AssertionError(step)


def _let(stage: Stage, seconds: int) -> None:
    for _ in range(20):
        try:
            stage.let(timedelta(seconds=seconds / 20), step=timedelta(seconds=max(5, seconds // 20)))
        except Killed:
            continue
