"""Which channels are told of a problem, which problems are told together, and which alerts inhibit others."""

from dataclasses import replace
from datetime import timedelta

import pytest

from shared.domain.alerting.alert import Alert, record_notice
from shared.domain.alerting.grouping import group_of
from shared.domain.alerting.inhibition import PARENTS_BY_KEY
from shared.domain.alerting.missed_heartbeats import MISSED_HEARTBEATS, missed_heartbeat_notice
from shared.domain.alerting.parent_alert import parent_alert
from shared.domain.alerting.routing import Place, Route, Routing
from shared.domain.alerting.severity import Severity
from shared.domain.alerting.silences import Silence, silent_until
from shared.domain.alerting.timing_policy import AlertPolicy
from shared.domain.booking.problem_catalogue import PROBLEMS, Reason
from shared.domain.booking.record import AlertNotice
from tests.shared.stories import NOW

NOTICE = AlertNotice(
    at=NOW, raised=True, key="booking/1/no_slot/d", problem="no_slot", actor="ops", device_id="d", booking_id="1"
)
PLACES = {"d": Place(units=frozenset({"101"}), tags=frozenset({"vip"}), building="Tower A")}
CHANNELS = ("ops", "duty", "tower", "mail")


ROUTES = [
    pytest.param((), "", Severity.INFO, CHANNELS, id="no routes: all"),
    pytest.param((Route(channels=("ops",)),), "", Severity.INFO, ("ops",), id="everything"),
    pytest.param((Route(channels=("duty",), severity=Severity.PAGE),), "mail", Severity.INFO, (), id="not yet"),
    pytest.param((Route(channels=("duty",), severity=Severity.PAGE),), "mail", Severity.PAGE, ("duty",), id="now"),
    pytest.param(
        (Route(channels=("tower",), buildings=frozenset({"Tower A"})), Route(channels=("ops",))),
        "",
        Severity.INFO,
        ("ops", "tower"),
        id="every route counts, in the channels' order",
    ),
    pytest.param(
        (Route(channels=("ops",), tags=frozenset({"vip"}), units=frozenset({"102"})),),
        "mail",
        Severity.PAGE,
        ("mail",),
        id="all conditions must fit; else the fallback",
    ),
    pytest.param(
        (Route(channels=("ops",), problems=frozenset({"too_long"})),), "", Severity.INFO, CHANNELS, id="a gap: all"
    ),
    pytest.param((Route(channels=("ops",), devices=frozenset({"d"})),), "", Severity.INFO, ("ops",), id="a door"),
]


@pytest.mark.parametrize(("routes", "fallback", "level", "channels"), ROUTES)
def test_routes(routes: tuple[Route, ...], fallback: str, level: Severity, channels: tuple[str, ...]) -> None:
    """A problem without a route is told anyway; one with routes for higher levels only isn't."""
    routing = Routing(channels=CHANNELS, routes=routes, fallback=fallback, places=PLACES)
    assert routing.channels_for(NOTICE, level) == channels


GROUPS = [
    pytest.param({}, "no_slot/ops/Tower A", id="a booking's problem"),
    pytest.param({"device_id": "elsewhere"}, "no_slot/ops", id="no building known"),
    pytest.param({"key": "door/d/nearly_full", "problem": "nearly_full"}, "nearly_full/ops/Tower A", id="a door's"),
    pytest.param(
        {"key": "account/a/trouble", "problem": "account_trouble", "device_id": ""},
        "account_trouble/ops",
        id="an account's",
    ),
    pytest.param({"key": "parked/booking-created", "problem": "message_parked"}, "parked/booking-created", id="alone"),
    pytest.param({"problem": "in_doubt"}, "seam/unavailable", id="a child"),
    pytest.param({"key": "seam/unavailable", "problem": "seam_unavailable"}, "seam/unavailable", id="a parent"),
]


@pytest.mark.parametrize(("fields", "group"), GROUPS)
def test_groups(fields: dict[str, str], group: str) -> None:
    """Problems that one person solves in one place are told together."""
    notice = replace(NOTICE, **fields)  # type: ignore[arg-type]
    assert group_of(notice, PLACES.get(notice.device_id, Place())) == group


SILENCES = [
    pytest.param({"key": "booking/1/*"}, True, id="glob"),
    pytest.param({"key": "booking/2/*"}, False, id="other glob"),
    pytest.param({"problem": "no_slot", "device_id": "d"}, True, id="both"),
    pytest.param({"problem": "no_slot", "device_id": "e"}, False, id="one of two"),
    pytest.param({"booking_id": "1"}, True, id="booking"),
    pytest.param({}, False, id="nothing said"),
]


@pytest.mark.parametrize(("conditions", "fits"), SILENCES)
def test_silences(conditions: dict[str, str], *, fits: bool) -> None:
    """All conditions must be met. A silence without conditions holds nothing back; nor does one that has ended."""
    silence = Silence(silence_id="s", until=NOW + timedelta(hours=1), **conditions)
    assert silence.matches(NOTICE) is fits
    assert (silent_until(NOTICE, [silence], NOW) is not None) is fits
    assert silent_until(NOTICE, [silence], NOW + timedelta(hours=1)) is None


POLICY = AlertPolicy()
AWAY = PARENTS_BY_KEY["seam/unavailable"]


def child(booking: str, *, hours: float = 50, problem: str = "seam_unavailable", door: str = "d") -> Alert:
    """Return a booking's problem that a parent inhibits."""
    notice = replace(
        NOTICE,
        key=f"booking/{booking}/{problem}/{door}",
        problem=problem,
        subject=f"Booking {booking}",
        booking_id=booking,
        check_in=NOW + timedelta(hours=hours),
        check_out=NOW + timedelta(hours=hours + 40),
    )
    alert = record_notice(None, notice, group=AWAY.key)
    assert alert is not None
    return alert


def test_a_parent_stands_for_its_children() -> None:
    """It counts bookings, not doors; it is as urgent as the nearest check-in; it names ten bookings."""
    children = [child(f"BK-{n:03}", hours=30 + n) for n in range(99)]
    children += [child("BK-near", hours=1, problem="in_doubt"), child("BK-near", hours=1, door="e")]
    parent = parent_alert(None, AWAY, children, POLICY, NOW)
    assert parent is not None
    assert (parent.hit, len(parent.subjects), parent.subjects[0]) == (100, 10, "Booking BK-near")
    assert parent.severity is Severity.PAGE
    assert parent.notice.happened == PROBLEMS["seam_unavailable"].happened


def test_more_children_are_no_news() -> None:
    """The count is updated without news; a nearer check-in changes the time at which the severity rises."""
    parent = parent_alert(None, AWAY, [child("BK-1")], POLICY, NOW)
    grown = parent_alert(parent, AWAY, [child("BK-1"), child("BK-2", hours=30)], POLICY, NOW)
    assert parent is not None
    assert grown is not None
    assert (grown.hit, grown.sequence, grown.notice.check_in) == (2, 1, NOW + timedelta(hours=30))
    assert parent_alert(grown, AWAY, [child("BK-1"), child("BK-2", hours=30)], POLICY, NOW) is grown


def test_a_parent_ends_with_its_last_child() -> None:
    """Other problems of the same bookings don't keep it open."""
    parent = parent_alert(None, AWAY, [child("BK-1")], POLICY, NOW)
    over = parent_alert(
        parent, AWAY, [replace(child("BK-1"), is_open=False), child("BK-1", problem="no_slot")], POLICY, NOW
    )
    assert over is not None
    assert (over.is_open, over.sequence) == (False, 2)
    again = parent_alert(over, AWAY, [child("BK-3")], POLICY, NOW)
    assert again is not None
    assert (again.is_open, again.sequence) == (True, 3)
    assert parent_alert(None, AWAY, [], POLICY, NOW) is None


def test_every_parent_has_a_row_and_no_parent() -> None:
    """People read the row's text, and the parent itself is never inhibited."""
    parents = {row.parent for row in PROBLEMS.values() if row.parent}
    assert {parent.problem for parent in PARENTS_BY_KEY.values()} == parents
    assert all(PROBLEMS[each].parent is each for each in parents)


def test_every_reason_has_a_row() -> None:
    """The enum and the catalogue have the same problems."""
    assert set(PROBLEMS) == set(Reason)


def test_a_heartbeat_that_was_never_noted_is_not_missed() -> None:
    """One that was noted is missed after too long a silence, until it is noted again."""
    for problem, absence in MISSED_HEARTBEATS.items():
        assert missed_heartbeat_notice(problem, {}, NOW) is None
        longest = absence.silent_for or timedelta(days=3)
        for silence, is_missed in ((longest, False), (longest * 1.01, True)):
            notice = missed_heartbeat_notice(problem, {absence.beat: NOW - silence}, NOW, silent_for=longest)
            assert notice is not None
            assert (notice.raised, AlertPolicy().severity(notice, NOW)) == (is_missed, absence.severity)


def test_missing_bookings_are_told_only_if_the_operator_asks_for_it() -> None:
    """Without an entry in ALERTS_FILE nobody is told that no bookings come."""
    assert missed_heartbeat_notice("bookings_silent", {"bookings": NOW - timedelta(days=400)}, NOW) is None
